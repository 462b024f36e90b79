import ResilienceTesting
import Testing

@testable import Resilience

@Suite("Bulkhead, X-4: a place is given back exactly once", .timeLimit(.minutes(20)))
struct BulkheadCancellationTests {
  struct Mishap: Error {}

  /// How somebody uses a bulkhead.
  enum Use: CaseIterable {
    case run, permit, droppedPermit

    func callAsFunction(
      _ bulkhead: Bulkhead, _ work: @Sendable () async throws -> Void
    ) async throws {
      switch self {
      case .run: try await bulkhead.run { try await work() }
      case .permit:
        let permit = try await bulkhead.acquire()
        try await work()
        permit.release()
      case .droppedPermit:
        let permit = try await bulkhead.acquire()
        try await work()
        _ = consume permit
      }
    }
  }

  @Test("by value, by error, and with a result that is a failure", arguments: Use.allCases)
  func endings(_ use: Use) async throws {
    let bulkhead = Bulkhead(limit: 1)
    try await use(bulkhead) { #expect(bulkhead.snapshot().inFlight == 1) }
    #expect(bulkhead.snapshot().inFlight == 0)
    await #expect(throws: Mishap.self) { try await use(bulkhead) { throw Mishap() } }
    #expect(bulkhead.snapshot().inFlight == 0)
    let value = try await bulkhead.run {
      7
    } failingWhen: { _ in
      true
    }
    #expect(value == 7)
    #expect(
      bulkhead.snapshot()
        == .init(
          name: "bulkhead", limit: 1, inFlight: 0, waiting: 0, queue: 0,
          totals: .init(admitted: 3)))
  }

  @Test(
    "cancelled before, while it waits, and at each suspension of its work", arguments: Use.allCases)
  func cancelled(_ use: Use) async throws {
    // The place is free after 1 s; the work suspends twice for a second.
    for half in 0...5 {
      try await withVirtualTime { clock in
        let hull = Hull(on: clock)
        let occupants = hull.occupy()
        await withTaskGroup(of: Void.self) { group in
          if half == 0 { group.cancelAll() }
          group.addTask {
            do {
              try await use(hull.bulkhead) {
                hull.note("runs")
                try await clock.sleep(for: .seconds(1))
                try await clock.sleep(for: .seconds(1))
              }
              hull.note("returns")
            } catch { hull.note("\(type(of: error))") }
          }
          let cancellation = VirtualClock.Instant(offset: .milliseconds(500 * half))
          let vacancy = VirtualClock.Instant(offset: .seconds(1))
          if half <= 2 {
            await clock.advance(to: cancellation)
            group.cancelAll()
          }
          await clock.advance(to: vacancy)
          occupants.leave()
          await clock.advance(to: cancellation)
          group.cancelAll()
          await group.waitForAll()
        }
        #expect(hull.inFlight == 0 && hull.waiting == 0)
        let end = Double(500 * half) / 1000
        let isServed = half > 2
        #expect(
          hull.log
            == (isServed ? ["1.0 seconds: runs"] : []) + ["\(end) seconds: CancellationError"])
        let expected: Bulkhead.Totals =
          isServed
          ? .init(admitted: 2, waited: 1) : .init(admitted: 1, cancelled: half == 0 ? 0 : 1)
        #expect(hull.totals == expected)
      }
    }
  }

  @Test(
    "served and cancelled before it goes on: it gives back, and does not run",
    arguments: Use.allCases)
  func servedAndCancelled(_ use: Use) async throws {
    try await withVirtualTime { clock in
      let hull = Hull(on: clock)
      let occupants = hull.occupy()
      await withTaskGroup(of: Void.self) { group in
        group.addTask {
          do {
            try await use(hull.bulkhead) { hull.note("runs") }
          } catch { hull.note("\(type(of: error))") }
        }
        await clock.advance(by: .seconds(1))
        occupants.leave()
        group.cancelAll()
        // It has the place, and has not had its turn.
        #expect(hull.inFlight == 1 && hull.waiting == 0)
        await group.waitForAll()
      }
      #expect(hull.log == ["1.0 seconds: CancellationError"])
      #expect(hull.inFlight == 0)
      #expect(hull.totals == .init(admitted: 2, waited: 1))
    }
  }

  @Test("X-5: who is cancelled while he waits leaves at once, and the next moves up")
  func movesUp() async throws {
    try await withVirtualTime { clock in
      let hull = Hull(queue: 2, on: clock)
      let occupants = hull.occupy()
      await withTaskGroup(of: Void.self) { group in
        let first = Task(executorPreference: clock.executor) { await hull.call("a") }
        await clock.advance(by: .milliseconds(1))
        group.addTask { await hull.call("b") }
        await clock.advance(by: .milliseconds(1))
        group.addTask { await hull.call("c") }
        await clock.advance(by: .milliseconds(1))
        first.cancel()
        // His place in the queue is free as soon as he is cancelled, before he has his turn.
        #expect(hull.waiting == 1)
        await clock.advance(by: .milliseconds(1))
        occupants.leave()
        await group.waitForAll()
      }
      #expect(
        hull.log == [
          "0.002 seconds: c refused: full", "0.003 seconds: a threw CancellationError",
          "0.004 seconds: b runs",
        ])
    }
  }

  @Test("a task that is cancelled does not wait, whoever waits already (failsafe P23)")
  func doesNotWait() async throws {
    try await withVirtualTime { clock in
      let hull = Hull(maxWait: .milliseconds(300), on: clock)
      let occupants = hull.occupy()
      await withTaskGroup(of: Void.self) { group in
        group.cancelAll()
        group.addTask { await hull.call("a") }
      }
      #expect(hull.log == ["0.0 seconds: a threw CancellationError"])
      #expect(hull.totals == .init(admitted: 1))
      #expect(hull.events == [])
      occupants.leave()
    }
  }

  @Test("where there is room, nobody asks whether the task is cancelled")
  func roomForCancelled() async {
    let bulkhead = Bulkhead(limit: 1, queue: 1)
    let isCancelled = await withTaskGroup(of: Bool?.self) { group in
      group.cancelAll()
      group.addTask { try? await bulkhead.run { Task.isCancelled } }
      return await group.next() ?? nil
    }
    #expect(isCancelled == true)
  }

  @Test("a permit without a name is given back at once; a named one at its last line")
  func permits() {
    let bulkhead = Bulkhead(limit: 1)
    guard let _ = bulkhead.tryAcquire() else {
      Issue.record("there was room")
      return
    }
    #expect(bulkhead.snapshot().inFlight == 0)
    guard let permit = bulkhead.tryAcquire() else {
      Issue.record("there was room")
      return
    }
    #expect(bulkhead.snapshot().inFlight == 1)
    permit.release()
    #expect(bulkhead.snapshot().inFlight == 0)
  }

  @Test("a permit keeps its bulkhead, and can be given back by another task")
  func handedOver() async {
    let clock = VirtualClock()
    let hull = Hull(on: clock)
    let occupants = hull.occupy()
    await Task { occupants.leave() }.value
    #expect(hull.inFlight == 0)
    func orphan() -> Bulkhead.Permit? { Bulkhead(limit: 1).tryAcquire() }
    orphan()?.release()
  }
}
