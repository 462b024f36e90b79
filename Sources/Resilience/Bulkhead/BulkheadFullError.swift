/// The bulkhead refused the call: the operation did not run.
///
/// One word wide and built once for each reason, so that refusing costs no allocation.
public struct BulkheadFullError: RejectionError {
  /// Why a bulkhead refuses a call. Compare it with the members below; more may come.
  public struct Reason: Hashable, Sendable, CustomStringConvertible {
    private enum Code: UInt8 {
      case full, waitedTooLong, deadlineExpired, dropped
    }

    private let code: Code

    /// As many calls are in flight as may be, and as many wait as may.
    public static let full = Reason(code: .full)

    /// The call has waited for `maxWait`.
    public static let waitedTooLong = Reason(code: .waitedTooLong)

    /// ``Deadline/current`` has passed while the call waited, or had before it could.
    public static let deadlineExpired = Reason(code: .deadlineExpired)

    /// The call waited, and had to leave: for one that goes first when the queue was full, or because
    /// the newest goes first and the bulkhead has been overloaded for long.
    public static let dropped = Reason(code: .dropped)

    /// The reason in words, for a log.
    public var description: String {
      switch code {
      case .full: "full"
      case .waitedTooLong: "waited too long"
      case .deadlineExpired: "the deadline has passed"
      case .dropped: "dropped from the queue"
      }
    }
  }

  private let refusal: Refusal<Reason, Void>

  init(policy: String, reason: Reason) {
    refusal = Refusal(by: policy, reason)
  }

  /// The name of the bulkhead.
  public var policy: String { refusal.policy }

  /// Why it refused.
  public var reason: Reason { refusal.reason }

  /// Always `nil`: nobody knows when a call ends.
  public var retryAfter: Duration? { nil }

  /// One line for a log.
  public var description: String { "bulkhead \"\(policy)\" refused the call: \(reason)" }
}

extension BulkheadFullError {
  /// The errors of one bulkhead, kept as they are thrown.
  struct Prepared: Sendable {
    private let full: any Error
    private let waitedTooLong: any Error
    private let deadlineExpired: any Error
    private let dropped: any Error

    init(policy: String) {
      full = BulkheadFullError(policy: policy, reason: .full)
      waitedTooLong = BulkheadFullError(policy: policy, reason: .waitedTooLong)
      deadlineExpired = BulkheadFullError(policy: policy, reason: .deadlineExpired)
      dropped = BulkheadFullError(policy: policy, reason: .dropped)
    }

    subscript(reason: Reason) -> any Error {
      switch reason {
      case .waitedTooLong: waitedTooLong
      case .deadlineExpired: deadlineExpired
      case .dropped: dropped
      default: full
      }
    }
  }
}
