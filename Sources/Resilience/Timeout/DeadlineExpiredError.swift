/// There was no time left for the call: the operation did not run.
public struct DeadlineExpiredError: RejectionError {
  /// Why there is no time. Compare it with the members below; more may come.
  public struct Reason: Hashable, Sendable, CustomStringConvertible {
    private enum Code: UInt8 {
      case deadlineExpired, noTime
    }

    private let code: Code

    /// ``Deadline/current`` has passed.
    public static let deadlineExpired = Reason(code: .deadlineExpired)

    /// The limit is zero or less.
    public static let noTime = Reason(code: .noTime)

    /// The reason in words, for a log.
    public var description: String {
      switch code {
      case .deadlineExpired: "the deadline has passed"
      case .noTime: "the limit leaves no time"
      }
    }
  }

  private let refusal: Refusal<Reason, Void>

  init(policy: String, reason: Reason) {
    refusal = Refusal(by: policy, reason)
  }

  /// The name of the policy that refused.
  public var policy: String { refusal.policy }

  /// Why it refused.
  public var reason: Reason { refusal.reason }

  /// Always `nil`: a deadline that has passed does not come back.
  public var retryAfter: Duration? { nil }

  /// One line for a log.
  public var description: String { "\"\(policy)\" refused the call: \(reason)" }
}
