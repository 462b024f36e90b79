import Resilience

/// Finagle's retry budget: in any 10 s, a fifth of the calls may be retried, and 10 retries a second
/// on top.
///
/// Each call brings a deposit, however it ends, each retry makes a withdrawal, and both are
/// forgotten after 10 s. The floor of 10 a second is there also for a client that makes no calls.
///
/// Source: Finagle's guide, page "Clients", section "Retry Budgets", and the documentation of
/// `RetryBudget`, which gives the defaults: 20 %, 10 a second, 10 s.
struct FinagleRetryBudget: RetryQuota {
  /// What a retry costs where a call brings 1: one in five.
  static let retryCost = 5
  private static let length: Int64 = 10_000_000_000
  private static let floor = 10 * 10 * retryCost

  /// Calls less what retries cost, in the last 10 s.
  private var recent = RecentSum(length: length, parts: 10)

  /// What is left to pay retries with.
  mutating func balance(at now: Int64) -> Int { recent.sum(at: now) + Self.floor }

  mutating func begin(_ attempt: QuotaAttempt, at now: Int64) {
    if !attempt.isRetry { recent.add(1, at: now) }
  }

  mutating func withdraw(after failure: AttemptFailure, at now: Int64) -> Int? {
    guard balance(at: now) >= Self.retryCost else { return nil }
    recent.add(-Self.retryCost, at: now)
    return Self.retryCost
  }

  var description: String { "Finagle, 20 % and 10 a second over 10 s" }
}

/// A sum of what was added lately, forgotten part by part: the last whole parts, and the present one
/// so far.
struct RecentSum: Sendable {
  private let partLength: Int64
  private var parts: [Int]
  private var latest: Int64 = 0
  private var total = 0

  /// - Parameters:
  ///   - length: how long something is remembered, in nanoseconds.
  ///   - parts: in how many parts.
  init(length: Int64, parts: Int) {
    partLength = length / Int64(parts)
    self.parts = Array(repeating: 0, count: parts)
  }

  mutating func sum(at now: Int64) -> Int {
    advance(to: now)
    return total
  }

  mutating func add(_ amount: Int, at now: Int64) {
    advance(to: now)
    parts[slot(latest)] += amount
    total += amount
  }

  /// A clock that has stepped back is read as one that stands still.
  private mutating func advance(to now: Int64) {
    let target = now / partLength
    guard target > latest else { return }
    let first = max(latest + 1, target - Int64(parts.count) + 1)
    for part in first...target {
      total -= parts[slot(part)]
      parts[slot(part)] = 0
    }
    latest = target
  }

  private func slot(_ part: Int64) -> Int { Int(part % Int64(parts.count)) }
}
