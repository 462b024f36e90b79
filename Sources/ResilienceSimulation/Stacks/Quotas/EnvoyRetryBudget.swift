import Resilience

/// Envoy's retry budget: at most a fifth as many retries at a time as there are requests, or three,
/// whichever is more.
///
/// A retry counts from the moment at which it is granted, its backoff included, until its attempt
/// is over; a request counts while it is under way.
///
/// Source: Envoy's API reference, `config.cluster.v3.CircuitBreakers.Thresholds.RetryBudget`:
/// `budget_percent` 20 %, `min_retry_concurrency` 3.
struct EnvoyRetryBudget: RetryQuota, Hashable {
  /// Attempts under way, retries among them.
  private(set) var requests = 0

  /// Retries that wait or are under way.
  private(set) var retries = 0

  mutating func begin(_ attempt: QuotaAttempt, at now: Int64) {
    requests += 1
  }

  mutating func end(_ attempt: QuotaAttempt, _ outcome: Outcome, at now: Int64) {
    requests -= 1
    if attempt.isRetry { retries -= 1 }
  }

  mutating func withdraw(after failure: AttemptFailure, at now: Int64) -> Int? {
    guard retries < max(3, requests / 5) else { return nil }
    retries += 1
    return 0
  }

  mutating func drop(_ attempt: QuotaAttempt) {
    retries -= 1
  }

  var description: String { "Envoy, 20 % of the requests under way, at least 3" }
}
