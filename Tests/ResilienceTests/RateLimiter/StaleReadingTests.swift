import Testing

@testable import Resilience

@Suite("RL-2: a clock that steps back while a call reads it")
struct StaleReadingTests {
  @Test("RL-2: a reading from before a step back is of no use after it")
  func staleReading() {
    let clock = HookedClock()
    clock.reading = 1_000_000_000_000
    let limiter = RateLimiter(.perSecond(1), burst: 10, clock: clock)
    #expect((0..<20).count { _ in limiter.tryAcquire() } == 10)
    // Read before the step; by the time it looks at the bucket, somebody has noticed the step.
    clock.afterNext = {
      clock.reading = 0
      _ = limiter.tryAcquire(11)
    }
    #expect(!limiter.tryAcquire())
  }
}

/// A clock after whose next reading something happens before the reader goes on.
///
/// `@unchecked`: the test uses it on one thread.
private final class HookedClock: Clock, @unchecked Sendable {
  typealias Instant = SteppedClock.Instant

  var reading: Int64 = 0
  var afterNext: (() -> Void)?

  var now: Instant {
    let now = Instant(offset: .nanoseconds(reading))
    let hook = afterNext
    afterNext = nil
    hook?()
    return now
  }

  var minimumResolution: Duration { .nanoseconds(1) }

  func sleep(until deadline: Instant, tolerance: Duration?) async throws {
    throw CancellationError()
  }
}
