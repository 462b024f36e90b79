extension Retry {
  /// Something that happened in a retry.
  ///
  /// Nothing is told of calls whose first attempt succeeds.
  public struct Event: ResilienceEvent {
    /// The name of the retry.
    public let policy: String

    /// What happened.
    public let kind: Kind

    /// What can happen in a retry. More may come: give a `switch` a `default`.
    ///
    /// The error is `nil` where the attempt returned a value that does not count as a success.
    public enum Kind: Sendable {
      /// An attempt failed, and the attempt of this number follows after the delay.
      case retrying(attempt: Int, after: Duration, error: (any Error)?)

      /// The last of so many attempts succeeded.
      case recovered(attempts: Int)

      /// The last attempt that may be made failed.
      case exhausted(attempts: Int, error: (any Error)?)

      /// An attempt failed, and the budget refused another.
      case budgetRefused(attempts: Int, error: (any Error)?)

      /// An attempt failed, and the deadline leaves no time for another.
      case deadlineReached(attempts: Int, error: (any Error)?)

      /// An attempt failed with an error that is not retried.
      case stopped(attempts: Int, error: (any Error)?)

      /// The caller was cancelled, during the last of so many attempts or in the wait after it.
      case cancelled(attempts: Int)
    }

    /// One line for a log.
    public var description: String { "retry \"\(policy)\": \(kind)" }
  }

  /// A retry at one moment.
  ///
  /// Calls whose first attempt succeeds are not counted here; see the budget's successes.
  public struct Snapshot: Hashable, Sendable {
    /// The name of the retry.
    public let name: String

    /// What happened in its whole life.
    public let totals: Totals

    /// The budget, if there is one.
    public let budget: RetryBudget.Snapshot?
  }

  /// What happened in a retry's whole life.
  public struct Totals: Hashable, Sendable {
    /// Attempts beyond the first that were decided on.
    public var retries = 0

    /// Calls that succeeded after more than one attempt.
    public var recovered = 0

    /// Calls that failed with the last attempt that may be made.
    public var exhausted = 0

    /// Calls that failed because the budget refused another attempt.
    public var budgetRefused = 0

    /// Calls that failed because the deadline left no time for another attempt.
    public var deadlineReached = 0

    /// Calls that failed with an error that is not retried.
    public var stopped = 0

    /// Calls that ended with their caller's cancellation.
    public var cancelled = 0

    /// Nothing happened yet, unless told otherwise.
    public init(
      retries: Int = 0, recovered: Int = 0, exhausted: Int = 0, budgetRefused: Int = 0,
      deadlineReached: Int = 0, stopped: Int = 0, cancelled: Int = 0
    ) {
      self.retries = retries
      self.recovered = recovered
      self.exhausted = exhausted
      self.budgetRefused = budgetRefused
      self.deadlineReached = deadlineReached
      self.stopped = stopped
      self.cancelled = cancelled
    }
  }
}

extension Retry.Event.Kind: CustomStringConvertible {
  /// A few words for a log.
  public var description: String {
    switch self {
    case .retrying(let attempt, let delay, let error):
      "attempt \(attempt) after \(delay)" + Self.why(error)
    case .recovered(let attempts): "attempt \(attempts) succeeded"
    case .exhausted(let attempts, let error):
      "attempt \(attempts) failed, the last" + Self.why(error)
    case .budgetRefused(let attempts, let error):
      "attempt \(attempts) failed, the budget refused another" + Self.why(error)
    case .deadlineReached(let attempts, let error):
      "attempt \(attempts) failed, the deadline leaves no time for another" + Self.why(error)
    case .stopped(let attempts, let error):
      "attempt \(attempts) failed, not to be retried" + Self.why(error)
    case .cancelled(let attempts): "cancelled by the caller; attempts made: \(attempts)"
    }
  }

  private static func why(_ error: (any Error)?) -> String {
    error.map { " (\($0))" } ?? " (a result that is no success)"
  }
}
