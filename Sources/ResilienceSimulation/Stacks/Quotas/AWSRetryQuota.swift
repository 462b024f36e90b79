import Resilience

/// The retry quota of the AWS SDKs: a bucket of 500 tokens, full at first, that retries are paid
/// from.
///
/// A call that succeeds gets back what its last attempt cost, or brings one token if that was its
/// first; never above the capacity. What failed retries cost is gone.
///
/// Source: "AWS SDKs and Tools Reference Guide", page "Retry behavior"; the costs before and after
/// 2026 are compared in "Announcing updated retry behavior for AWS SDKs and Tools" on the AWS
/// Developer Tools Blog, 2026.
struct AWSRetryQuota: RetryQuota, Hashable {
  /// What a retry costs, by the failure that it follows.
  struct Costs: Hashable, Sendable {
    let error: Int
    let timeout: Int
    let overload: Int

    /// As it was before 2026: timeouts cost twice as much.
    static let standard = Costs(error: 5, timeout: 10, overload: 5)

    /// Since 2026: all cost 14, unless the service has asked for less.
    static let of2026 = Costs(error: 14, timeout: 14, overload: 5)

    fileprivate func cost(after failure: AttemptFailure) -> Int {
      switch failure {
      case .error: error
      case .timeout: timeout
      case .overload: overload
      }
    }
  }

  private(set) var tokens: Int
  private let capacity: Int
  private let costs: Costs

  init(_ costs: Costs, capacity: Int = 500) {
    self.costs = costs
    self.capacity = capacity
    tokens = capacity
  }

  mutating func end(_ attempt: QuotaAttempt, _ outcome: Outcome, at now: Int64) {
    guard outcome == .success else { return }
    tokens = min(capacity, tokens + (attempt.isRetry ? attempt.cost : 1))
  }

  mutating func withdraw(after failure: AttemptFailure, at now: Int64) -> Int? {
    let cost = costs.cost(after: failure)
    guard tokens >= cost else { return nil }
    tokens -= cost
    return cost
  }

  var description: String {
    "AWS, \(capacity) tokens, \(costs.error) a retry, \(costs.timeout) after a timeout"
  }
}
