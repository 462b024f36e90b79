extension AbandoningTimeout {
  /// Something that happened in an abandoning timeout.
  public struct Event: ResilienceEvent {
    /// The name of the timeout.
    public let policy: String

    /// What happened.
    public let kind: Kind

    /// What can happen in an abandoning timeout. More may come: give a `switch` a `default`.
    public enum Kind: Sendable {
      /// An operation was abandoned at its limit.
      case timedOut(limit: Duration)

      /// An operation was abandoned because its caller was cancelled.
      case cancelled

      /// An operation that had been abandoned has ended.
      case abandonedEnded

      /// There was no time for an operation: it was not run.
      case rejected(DeadlineExpiredError.Reason)

      /// As many abandoned operations as may be still go on: another was not run.
      case full(abandoned: Int)
    }

    /// One line for a log.
    public var description: String { "abandoning timeout \"\(policy)\": \(kind)" }
  }

  /// An abandoning timeout at one moment.
  public struct Snapshot: Hashable, Sendable {
    /// The name of the timeout.
    public let name: String

    /// How much time an operation has.
    public let limit: Duration

    /// How many operations may go on abandoned before no other is run.
    public let maxAbandoned: Int

    /// How many operations go on abandoned now.
    public let abandoned: Int

    /// How many operations were abandoned at their limit.
    public let timedOut: Int

    /// How many operations were abandoned because their callers were cancelled.
    public let cancelled: Int

    /// How many operations were not run, for want of time or because too many were abandoned.
    public let rejected: Int
  }
}

extension AbandoningTimeout.Event.Kind: CustomStringConvertible {
  /// A few words for a log.
  public var description: String {
    switch self {
    case .timedOut(let limit): "abandoned after \(limit)"
    case .cancelled: "abandoned by its caller"
    case .abandonedEnded: "an abandoned operation ended"
    case .rejected(let reason): "rejected (\(reason))"
    case .full(let abandoned): "rejected (\(abandoned) abandoned operations go on)"
    }
  }
}
