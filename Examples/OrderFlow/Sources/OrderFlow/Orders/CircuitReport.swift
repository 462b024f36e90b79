package import Resilience

/// A circuit breaker's snapshot, as JSON.
package struct CircuitReport: Codable, Equatable, Sendable {
  package let state: String
  package let successes: Int
  package let failures: Int
  package let ignored: Int
  package let consecutiveFailures: Int
  /// When the next call is let through, in seconds; only while the circuit is open.
  package let retryAfter: Double?

  package init(_ snapshot: CircuitBreaker.Snapshot) {
    state = "\(snapshot.state)"
    successes = Int(clamping: snapshot.counts.successes)
    failures = Int(clamping: snapshot.counts.failures)
    ignored = Int(clamping: snapshot.counts.ignored)
    consecutiveFailures = Int(clamping: snapshot.counts.consecutiveFailures)
    retryAfter = snapshot.openUntil?.remaining.seconds
  }
}
