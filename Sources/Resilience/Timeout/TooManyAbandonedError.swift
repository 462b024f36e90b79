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

  private final class Storage: Sendable {
    let policy: String
    let maxAbandoned: Int

    init(policy: String, maxAbandoned: Int) {
      self.policy = policy
      self.maxAbandoned = maxAbandoned
    }
  }

  private let storage: Storage

  init(policy: String, maxAbandoned: Int) {
    storage = Storage(policy: policy, maxAbandoned: maxAbandoned)
  }

  /// The name of the timeout.
  public var policy: String { storage.policy }

  /// Why it refused.
  public var reason: Reason { .tooManyAbandoned }

  /// How many operations may go on abandoned.
  public var maxAbandoned: Int { storage.maxAbandoned }

  /// Always `nil`: nobody knows when they end.
  public var retryAfter: Duration? { nil }

  /// One line for a log.
  public var description: String {
    "abandoning timeout \"\(policy)\" refused the call: \(maxAbandoned) abandoned operations go on"
  }
}
