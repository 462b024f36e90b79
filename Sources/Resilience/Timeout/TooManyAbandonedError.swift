/// Too many operations go on abandoned: another was not run.
public struct TooManyAbandonedError: RejectionError {
  /// Why an abandoning timeout refuses a call. Compare it with the members below; more may come.
  public struct Reason: Hashable, Sendable, CustomStringConvertible {
    private enum Code: UInt8 { case tooManyAbandoned }

    private let code: Code

    /// As many abandoned operations go on as may.
    public static let tooManyAbandoned = Reason(code: .tooManyAbandoned)

    /// The reason in words, for a log.
    public var description: String { "too many abandoned operations go on" }
  }

  private let refusal: Refusal<Reason, Int>

  init(policy: String, maxAbandoned: Int) {
    refusal = Refusal(by: policy, .tooManyAbandoned, details: maxAbandoned)
  }

  /// The name of the timeout.
  public var policy: String { refusal.policy }

  /// Why it refused.
  public var reason: Reason { refusal.reason }

  /// How many operations may go on abandoned.
  public var maxAbandoned: Int { refusal.details }

  /// Always `nil`: nobody knows when they end.
  public var retryAfter: Duration? { nil }

  /// One line for a log.
  public var description: String {
    "abandoning timeout \"\(policy)\" refused the call: \(maxAbandoned) abandoned operations go on"
  }
}
