package import Resilience

/// The snapshots of the circuit breaker, the retry around it, and the bulkhead around every order, as
/// JSON.
package struct CircuitReport: Codable, Equatable, Sendable {
  package let state: String
  package let successes: Int
  package let failures: Int
  package let ignored: Int
  package let consecutiveFailures: Int
  /// When the next call is let through, in seconds; only while the circuit is open.
  package let retryAfter: Double?
  package let retry: RetryReport
  package let orders: AdmissionReport

  package init(_ policies: UserPolicies, admission: Bulkhead) {
    let snapshot = policies.breaker.snapshot()
    state = "\(snapshot.state)"
    successes = Int(clamping: snapshot.counts.successes)
    failures = Int(clamping: snapshot.counts.failures)
    ignored = Int(clamping: snapshot.counts.ignored)
    consecutiveFailures = Int(clamping: snapshot.counts.consecutiveFailures)
    retryAfter = snapshot.openUntil?.remaining.seconds
    retry = RetryReport(policies.retry.snapshot())
    orders = AdmissionReport(admission.snapshot())
  }
}

/// A retry's snapshot, as JSON.
package struct RetryReport: Codable, Equatable, Sendable {
  /// Attempts beyond the first.
  package let retries: Int
  /// Calls that such an attempt has saved.
  package let recovered: Int
  /// Calls that got no further attempt, because there was nothing to pay with.
  package let budgetRefused: Int
  /// The attempts that can be paid for now.
  package let budget: Double

  package init(_ snapshot: Retry.Snapshot) {
    retries = snapshot.totals.retries
    recovered = snapshot.totals.recovered
    budgetRefused = snapshot.totals.budgetRefused
    budget = snapshot.budget?.tokens ?? 0
  }
}
