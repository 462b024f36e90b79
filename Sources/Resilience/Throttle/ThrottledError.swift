/// The throttle refused the call: the operation did not run.
///
/// One word wide and built once for each throttle, so that refusing costs no allocation, also where
/// the error is cast on its way out.
public struct ThrottledError: RejectionError {
  /// Why a throttle refuses a call. Compare it with the members below; more may come.
  public struct Reason: Hashable, Sendable, CustomStringConvertible {
    private enum Code: UInt8 { case overloaded }

    private let code: Code

    /// More calls are asked for than the dependency answers as it should, and chance chose this
    /// one.
    public static let overloaded = Reason(code: .overloaded)

    /// The reason in words, for a log.
    public var description: String { "too few of the recent calls succeeded" }
  }

  private let refusal: Refusal<Reason, Void>

  init(policy: String) {
    refusal = Refusal(by: policy, .overloaded)
  }

  /// The name of the throttle.
  public var policy: String { refusal.policy }

  /// Why it refused.
  public var reason: Reason { refusal.reason }

  /// Always `nil`: the next call may pass, or not.
  public var retryAfter: Duration? { nil }

  /// One line for a log.
  public var description: String { "throttle \"\(policy)\" refused the call: \(reason)" }
}
