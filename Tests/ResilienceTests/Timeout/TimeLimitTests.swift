import Synchronization
import Testing

@testable import Resilience

@Suite("X-1: the time a call gets")
struct TimeLimitTests {
  /// A clock on which every reading is a nanosecond later.
  final class TickingClock: Clock {
    private let nanoseconds = Atomic<Int64>(0)

    var now: SteppedClock.Instant {
      SteppedClock.Instant(
        offset: .nanoseconds(nanoseconds.add(1, ordering: .relaxed).newValue))
    }

    var minimumResolution: Duration { .nanoseconds(1) }

    /// Nobody waits for it.
    func sleep(until deadline: SteppedClock.Instant, tolerance: Duration?) async throws {
      throw CancellationError()
    }
  }

  @Test("the timer of a call that a deadline bounds does not come before the deadline")
  func notBeforeTheDeadline() async throws {
    let limit = TimeLimit(.seconds(9), of: "timeout", clock: TickingClock())
    let deadline = Deadline(at: .seconds(5), on: limit.timers.source)
    let admission = try await deadline.run { limit.admit() }
    guard case .admitted(let allowance) = admission else {
      Issue.record("refused")
      return
    }
    #expect(allowance.instant >= .seconds(5))
    #expect(allowance.limit < .seconds(5))
  }
}
