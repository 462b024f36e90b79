/// The rate limiter refused the call: the operation did not run.
///
/// One word wide. Until the next token comes, all refused calls that would wait equally long share
/// one: then refusing allocates nothing.
public struct RateLimitedError: RejectionError {
  /// Why a rate limiter refuses a call. Compare it with the members below; more may come.
  public struct Reason: Hashable, Sendable, CustomStringConvertible {
    private enum Code: UInt8 {
      case noTokens, deadlineExpired, exceedsBurst, paused
    }

    private let code: Code

    /// The tokens do not come within the time that the call would wait.
    public static let noTokens = Reason(code: .noTokens)

    /// The tokens do not come before the call's ``Deadline/current``.
    public static let deadlineExpired = Reason(code: .deadlineExpired)

    /// The call needs more tokens than there can ever be at once.
    public static let exceedsBurst = Reason(code: .exceedsBurst)

    /// The limiter is paused, for longer than the call would wait.
    public static let paused = Reason(code: .paused)

    /// The reason in words, for a log.
    public var description: String {
      switch code {
      case .noTokens: "no tokens in time"
      case .deadlineExpired: "no tokens before the deadline"
      case .exceedsBurst: "more tokens than the burst"
      case .paused: "paused"
      }
    }
  }

  private let refusal: Refusal<Reason, Void>

  init(policy: String, _ refused: RateLimiter.Refused, on source: TimeSource) {
    let retryAt = refused.retryAt.map { Deadline(at: $0, on: source) }
    refusal = Refusal(by: policy, refused.reason, retryAt: retryAt)
  }

  /// The name of the rate limiter.
  public var policy: String { refusal.policy }

  /// Why it refused.
  public var reason: Reason { refusal.reason }

  /// When the same call would be let through or queued, if nobody else came: never negative, and
  /// shorter each time it is asked. Costs a clock read.
  ///
  /// For a call that its deadline kept from waiting, it is when its tokens are there. `nil` if waiting
  /// does not help: the call needs more than the burst, or its deadline has passed.
  public var retryAfter: Duration? { refusal.retryAfter }

  /// One line for a log.
  public var description: String {
    let wait = retryAfter.map { "; retry after \($0)" } ?? ""
    return "rate limiter \"\(policy)\" refused the call: \(reason)\(wait)"
  }
}
