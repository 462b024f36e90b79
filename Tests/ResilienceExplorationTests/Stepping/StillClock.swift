/// A clock that stands still, for what is decided without time.
struct StillClock: Clock {
  private static let start = ContinuousClock.now

  var now: ContinuousClock.Instant { Self.start }
  var minimumResolution: Duration { .nanoseconds(1) }

  func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
    // Nobody sleeps on it: the programs take steps, and suspend nowhere.
    throw CancellationError()
  }
}
