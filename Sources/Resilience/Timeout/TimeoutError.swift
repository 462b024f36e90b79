/// The operation ran and did not answer within its limit.
///
/// It is not a ``RejectionError``: the operation was tried, and a circuit breaker counts it as a
/// failure.
public struct TimeoutError: Error, CustomStringConvertible {
  /// The name of the timeout.
  public let policy: String

  /// The limit that passed.
  public let limit: Duration

  /// What the operation threw when it was cancelled at the limit, if it threw anything.
  public let underlying: (any Error)?

  /// A timeout after `limit`.
  public init(policy: String = "timeout", limit: Duration, underlying: (any Error)? = nil) {
    self.policy = policy
    self.limit = limit
    self.underlying = underlying
  }

  /// One line for a log.
  public var description: String { "timeout \"\(policy)\": no answer within \(limit)" }
}
