import Resilience

/// Decides whether a failed attempt may be followed by another, by the rule of some other library.
///
/// A decision core: a plain value without a clock or a lock. It is told of every attempt, and asked
/// before each that is not a call's first. Instants are nanoseconds from any origin.
protocol RetryQuota: Sendable, CustomStringConvertible {
  /// An attempt is sent.
  mutating func begin(_ attempt: QuotaAttempt, at now: Int64)

  /// An attempt that was sent is over.
  mutating func end(_ attempt: QuotaAttempt, _ outcome: Outcome, at now: Int64)

  /// Takes what another attempt costs, if there may be one.
  ///
  /// - Parameter failure: how the last attempt failed; it has ended.
  /// - Returns: what was taken; `nil` if there may be none.
  mutating func withdraw(after failure: AttemptFailure, at now: Int64) -> Int?

  /// An attempt that something was taken for is not sent after all.
  mutating func drop(_ attempt: QuotaAttempt)
}

extension RetryQuota {
  mutating func begin(_ attempt: QuotaAttempt, at now: Int64) {}
  mutating func end(_ attempt: QuotaAttempt, _ outcome: Outcome, at now: Int64) {}
  mutating func drop(_ attempt: QuotaAttempt) {}
}

/// One attempt of a call, as a quota knows it.
struct QuotaAttempt: Hashable, Sendable {
  /// 1 for the first.
  var number = 1

  /// What the quota took for it; nothing for the first.
  var cost = 0

  var isRetry: Bool { number > 1 }
}

/// How an attempt failed, as far as quotas tell.
enum AttemptFailure: Hashable, Sendable, CaseIterable {
  case error
  case timeout
  /// The service said that it was asked for too much.
  case overload

  init(_ error: any Error) {
    switch error {
    case is TimeoutError: self = .timeout
    case ServiceError.overloaded: self = .overload
    default: self = .error
    }
  }
}
