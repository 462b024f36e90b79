import ResilienceTesting
import Testing

@testable import Resilience

@Suite("Many threads in one bulkhead", .timeLimit(.minutes(20)))
struct BulkheadStressTests {
  /// Longer than any test may take: a place that nobody is told of is noticed.
  private static let forEver = Duration.seconds(3600)

  private struct Tally: Hashable, Sendable {
    var ran = 0
    var refused = 0
    var cancelled = 0

    static func += (left: inout Tally, right: Tally) {
      left.ran += right.ran
      left.refused += right.refused
      left.cancelled += right.cancelled
    }
  }

  @Test(
    "X-5: no wake-up is lost, and never more run than may",
    arguments: [1, 3], [Bulkhead.Order.fifo, .priority])
  func noLostWakeUp(limit: Int, order: Bulkhead.Order) async throws {
    let bulkhead = Bulkhead(limit: limit, queue: .max, maxWait: Self.forEver, order: order)
    let headcount = Headcount()
    let (tasks, rounds) = (8, 1_000)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for task in 0..<tasks {
        group.addTask {
          for round in 0..<rounds {
            let permit = try await bulkhead.acquire()
            headcount.enter()
            if (task + round) % 3 == 0 { await Task.yield() }
            headcount.leave()
            permit.release()
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(headcount.most <= limit)
    let snapshot = bulkhead.snapshot()
    #expect(snapshot.inFlight == 0 && snapshot.waiting == 0)
    #expect(snapshot.totals == .init(admitted: tasks * rounds, waited: snapshot.totals.waited))
    #expect(snapshot.totals.waited > 0)
  }

  @Test("a limit of one is a lock: what it guards is seen by who comes next")
  func guards() async throws {
    // Not `Sendable`: the thread sanitizer watches it.
    final class Ledger { var entries = 0 }
    struct Guarded: @unchecked Sendable {
      // Only touched by the one call that is inside.
      let ledger = Ledger()
    }
    let (guarded, bulkhead) = (Guarded(), Bulkhead(limit: 1, queue: .max, maxWait: Self.forEver))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for task in 0..<4 {
        group.addTask {
          for round in 0..<1_000 {
            try await bulkhead.run {
              guarded.ledger.entries += 1
              if (task + round) % 5 == 0 { await Task.yield() }
            }
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(guarded.ledger.entries == 4_000)
  }

  @Test(
    "X-4: with cancellations, refusals and a limit that changes, every call ends, counted once",
    arguments: [Bulkhead.Order.fifo, .newestFirst, .priority])
  func everything(order: Bulkhead.Order) async {
    let recorder = EventRecorder()
    let bulkhead = Bulkhead(
      limit: 2, queue: 3, maxWait: Self.forEver, order: order, observers: [recorder])
    let (rounds, calls) = (200, 12)
    var known = Tally()
    for round in 0..<rounds {
      known += await withTaskGroup(of: Tally.self) { group in
        for call in 0..<calls { group.addTask { await Self.call(bulkhead, call) } }
        for _ in 0..<(round % 12) { await Task.yield() }
        bulkhead.limit = 1 + round % 4
        if round % 3 > 0 { group.cancelAll() }
        return await group.reduce(into: Tally()) { $0 += $1 }
      }
      #expect(bulkhead.snapshot().inFlight == 0)
      #expect(bulkhead.snapshot().waiting == 0)
    }
    #expect(known.ran + known.refused + known.cancelled == rounds * calls)
    let totals = bulkhead.snapshot().totals
    #expect(totals.rejected == known.refused)
    // Who is served and cancelled at once has not run; who is cancelled before does not wait.
    #expect(totals.admitted >= known.ran)
    #expect(totals.admitted - known.ran + totals.cancelled <= known.cancelled)
    #expect(known.ran > 50 && known.refused > 50)

    // Every one who waited is told of once, as is every refusal.
    var heard: [String: Int] = [:]
    for event in recorder.events(of: Bulkhead.Event.self) {
      let word = event.kind.description.prefix { $0 != " " }
      heard[String(word), default: 0] += 1
    }
    #expect(heard["served", default: 0] == totals.waited)
    #expect(heard["cancelled", default: 0] == totals.cancelled)
    #expect(heard["rejected", default: 0] == totals.rejected)
    let left = totals.rejected - totals.full
    #expect(heard["queued", default: 0] == totals.waited + totals.cancelled + left)
  }

  private static func call(_ bulkhead: Bulkhead, _ call: Int) async -> Tally {
    do {
      try await bulkhead.run {
        for _ in 0..<(call % 4) { await Task.yield() }
      }
      return Tally(ran: 1)
    } catch is BulkheadFullError {
      return Tally(refused: 1)
    } catch { return Tally(cancelled: 1) }
  }

  @Test("X-4: in virtual time, whatever comes, is cancelled, or runs out of time")
  func walk() async throws {
    for seed in 1...60 as ClosedRange<UInt64> {
      try await withVirtualTime { clock in
        var dice = Dice(seed: seed)
        let orders: [Bulkhead.Order] = [.fifo, .newestFirst, .priority]
        let hull = Hull(
          limit: 1 + Int(seed % 3), queue: Int(seed % 7), maxWait: .milliseconds(150),
          order: orders[Int(seed % 3)], on: clock)
        var (calls, most) = (0, hull.bulkhead.limit)
        await withTaskGroup(of: Void.self) { group in
          for _ in 0..<60 {
            await clock.advance(by: .milliseconds(Int.random(in: 0...20, using: &dice)))
            let length = Duration.milliseconds(Int.random(in: 0...90, using: &dice))
            let patience = Duration.milliseconds(Int.random(in: 0...200, using: &dice))
            let isCancelled = Int.random(in: 0..<4, using: &dice) == 0
            calls += 1
            let task = Task(executorPreference: clock.executor) {
              try? await Deadline(in: patience, clock: clock).run {
                await hull.call("call", taking: length)
              }
            }
            group.addTask {
              if isCancelled {
                try? await clock.sleep(for: patience / 3)
                task.cancel()
              }
              await task.value
            }
            if Int.random(in: 0..<10, using: &dice) == 0 {
              hull.bulkhead.limit = Int.random(in: 1...4, using: &dice)
              most = max(most, hull.bulkhead.limit)
            }
            #expect(hull.inFlight <= max(most, hull.bulkhead.limit))
            #expect(hull.waiting == 0 || hull.inFlight >= hull.bulkhead.limit)
          }
          await group.waitForAll()
        }
        let snapshot = hull.bulkhead.snapshot()
        #expect(snapshot.inFlight == 0 && snapshot.waiting == 0)
        #expect(clock.sleeperCount == 0)
        let runs = hull.log.filter { $0.hasSuffix("runs") }.count
        let refused = hull.log.filter { $0.contains("refused") }.count
        #expect(refused == snapshot.totals.rejected)
        #expect(runs <= snapshot.totals.admitted && runs > 0)
        #expect(runs + refused <= calls)
      }
    }
  }
}
