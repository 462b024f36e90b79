import Resilience
import ResilienceTesting
import Testing

/// A limiter in virtual time, as a test uses it.
struct Limited: Sendable {
  let clock: VirtualClock
  let limiter: AdaptiveLimiter
  let recorder = EventRecorder()

  init(
    _ algorithm: AdaptiveLimiter.Algorithm = .aimd(), on clock: VirtualClock = VirtualClock(),
    overloaded: (@Sendable (any Error) -> Bool)? = nil
  ) {
    self.clock = clock
    limiter = AdaptiveLimiter(
      "users", algorithm: algorithm, overloaded: overloaded, clock: clock, observers: [recorder])
  }

  var limit: Int { limiter.snapshot().limit }
  var inFlight: Int { limiter.snapshot().inFlight }
  var totals: AdaptiveLimiter.Totals { limiter.snapshot().totals }

  /// All that the observer has heard since this was last asked.
  func heard() -> [String] {
    defer { recorder.clear() }
    return recorder.events(of: AdaptiveLimiter.Event.self).map { $0.kind.description }
  }

  /// Starts calls that stay in flight.
  func start(
    _ count: Int = 1, sourceLocation: SourceLocation = #_sourceLocation
  ) -> [LimitedCall] {
    (0..<count).map { _ in
      let call = LimitedCall(limiter)
      if !call.isAdmitted { Issue.record("refused", sourceLocation: sourceLocation) }
      return call
    }
  }

  /// Whether one more call may pass.
  func admits(_ criticality: Criticality = .normal) async -> Bool {
    let call = try? await criticality.run { LimitedCall(limiter) }
    call?.ignore()
    return call?.isAdmitted ?? false
  }
}

/// A call in flight. Permits cannot be copied and arrays copy, so it holds one for them.
final class LimitedCall {
  private var permit: AdaptiveLimiter.Permit?
  let isAdmitted: Bool

  init(_ limiter: AdaptiveLimiter) {
    permit = limiter.tryAcquire()
    isAdmitted = permit != nil
  }

  deinit {
    // The optimizer ends a variable's life with its last use, and a permit's death is a report.
    if permit != nil { Issue.record("a call was dropped before it ended") }
  }

  func succeed() { permit.take()?.succeed() }
  func drop(_ error: (any Error)? = nil) { permit.take()?.drop(error) }
  func ignore() { permit.take()?.ignore() }
  func end(throwing error: any Error) { permit.take()?.end(throwing: error) }
}

extension Limited {
  /// What a client makes of a 429 or 503 that says when to come back, or does not.
  struct Busy: RetryAfterHint {
    var retryAfter: Duration? = .seconds(1)
  }
}
