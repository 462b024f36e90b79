import ResilienceTesting
import Testing

@testable import Resilience

@Suite(
  "HG-1, X-4: answers, timers and cancellations race on many threads", .timeLimit(.minutes(20)))
struct HedgeStressTests {
  @Test("each call ends once; attempts, tokens and calls add up; no timer is left")
  func stress() async throws {
    // A clock of its own, so that nobody else sets timers in the queue.
    let clock = PlainClock(ContinuousClock())
    let budget = RetryBudget(ratio: 1, minimumCapacity: 50, clock: clock)
    let recorder = EventRecorder()
    let hedge = Hedge(
      delay: .fixed(.microseconds(100)), maxHedges: 2, budget: budget, clock: clock,
      observers: [recorder])
    let (running, hedges) = (Shared(0), Shared(0))
    var endings: [Ending: Int] = [:]
    for round in 0..<10 {
      await withTaskGroup(of: Ending.self) { group in
        for number in 0..<200 {
          group.addTask {
            await Crowd.end(number + round) {
              try await hedge.run { execution in
                running.add(1)
                if execution.hedge > 0 { hedges.add(1) }
                defer { running.add(-1) }
                return try await Crowd.spin(number + execution.hedge)
              }
            }
          }
        }
        for await ending in group {
          if case .value = ending {
            endings[.value(0), default: 0] += 1
          } else {
            endings[ending, default: 0] += 1
          }
        }
      }
    }
    #expect(hedge.snapshot().inFlight == 0)
    #expect(hedge.timers.count == 0)
    // Losers end soon; those that have begun when their calls ended begin to run soon.
    while running.value > 0 || hedge.snapshot().totals.hedges > hedges.value { await Task.yield() }
    let totals = hedge.snapshot().totals
    #expect(endings.values.reduce(0, +) == 2_000)
    #expect(Set(endings.keys).isSubset(of: [.value(0), .cancelled, .threw("Complaint")]))
    // An attempt that has begun runs its operation.
    #expect(totals.hedges == hedges.value)
    let cancelled = endings[.cancelled, default: 0]
    // Calls that could not be hedged, because the machine had become slow, end with their operation's
    // error though they were cancelled, and are not counted.
    #expect((2_000 - cancelled - totals.suppressed...2_000 - cancelled).contains(totals.calls))
    let successes = endings[.value(0), default: 0]
    #expect(totals.wins <= successes)
    let snapshot = budget.snapshot()
    #expect(snapshot.withdrawn - snapshot.givenBack <= totals.hedges - totals.wins)
    #expect(snapshot.withdrawn >= totals.hedges)
  }
}

/// Callers and bodies of a stress test.
private enum Crowd {
  static func end(
    _ number: Int, _ call: @escaping @Sendable () async throws -> Int
  ) async -> Ending {
    let task = Task { await Ending.of(call) }
    // Every third is cancelled, about when it ends.
    if number.isMultiple(of: 3) {
      for _ in 0..<(number % 7) { await Task.yield() }
      task.cancel()
    }
    return await task.value
  }

  /// An attempt that ends about when its hedge begins.
  static func spin(_ number: Int) async throws -> Int {
    let end = ContinuousClock.now + .microseconds(number % 5 * 60)
    while ContinuousClock.now < end, !(number % 4 < 2 && Task.isCancelled) { await Task.yield() }
    if number.isMultiple(of: 2) { throw Body.Complaint() }
    return number
  }
}

extension Shared<Int> {
  fileprivate func add(_ count: Int) { change { $0 += count } }
}
