/// An adaptive limiter refused the call: the operation did not run.
///
/// One word wide and built once, so that refusing costs no allocation, also where the error is cast
/// on its way out.
public struct LimitReachedError: RejectionError {
  /// Why an adaptive limiter refuses a call. Compare it with the members below; more may come.
  public struct Reason: Hashable, Sendable, CustomStringConvertible {
    private enum Code: UInt8 { case limitReached, shed }

    private let code: Code

    /// As many calls are in flight as may be.
    public static let limitReached = Reason(code: .limitReached)

    /// The rest of the limit is kept for more critical calls; see ``Criticality``.
    public static let shed = Reason(code: .shed)

    /// The reason in words, for a log.
    public var description: String {
      switch code {
      case .limitReached: "limit reached"
      case .shed: "the rest is kept for more critical calls"
      }
    }
  }

  private let refusal: Refusal<Reason, Void>

  init(policy: String, _ reason: Reason) {
    refusal = Refusal(by: policy, reason)
  }

  /// The name of the limiter.
  public var policy: String { refusal.policy }

  /// Why it refused.
  public var reason: Reason { refusal.reason }

  /// Always `nil`: nobody knows when a call ends.
  public var retryAfter: Duration? { nil }

  /// One line for a log.
  public var description: String {
    "adaptive limiter \"\(policy)\" refused the call: \(reason)"
  }
}
