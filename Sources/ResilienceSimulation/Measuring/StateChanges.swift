import Resilience
import ResilienceTesting

/// What the circuit breakers of a trial did.
public struct CircuitCounts: Hashable, Codable, Sendable {
  /// Closed circuits that opened.
  public internal(set) var trips = 0

  /// Those of them after the trouble was over.
  public internal(set) var tripsAfterwards = 0

  /// Half-open circuits that opened again.
  public internal(set) var failedProbes = 0

  /// Those of them after the trouble was over.
  public internal(set) var failedProbesAfterwards = 0

  /// Circuits that let a probe through before the end of their open period.
  public internal(set) var earlyProbes = 0

  init() {}
}

/// Counts changes of state, and checks that no probe comes early.
struct StateChanges: Sendable {
  private struct Opening: Sendable {
    let instant: VirtualClock.Instant
    let length: Duration
    let end: Deadline
  }

  private(set) var counts = CircuitCounts()
  private var openings: [String: Opening] = [:]

  mutating func note(
    _ change: CircuitBreaker.StateChange, of breaker: String, isAfterwards: Bool,
    at now: VirtualClock.Instant
  ) {
    switch (change.from, change.to) {
    case (.closed, .open):
      counts.trips += 1
      if isAfterwards { counts.tripsAfterwards += 1 }
    case (.halfOpen, .open):
      counts.failedProbes += 1
      if isAfterwards { counts.failedProbesAfterwards += 1 }
    default: break
    }
    if let end = change.openUntil {
      openings[breaker] = Opening(instant: now, length: end.remaining, end: end)
    } else if let opening = openings.removeValue(forKey: breaker) {
      // By neither clock, the real one and the client's, is it over.
      let isEarly = opening.instant.duration(to: now) < opening.length && !opening.end.isExpired
      if change.to == .halfOpen, isEarly { counts.earlyProbes += 1 }
    }
  }
}
