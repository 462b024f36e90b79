extension Bulkhead {
  /// Something that happened in a bulkhead.
  public struct Event: ResilienceEvent {
    /// The name of the bulkhead.
    public let policy: String

    /// What happened.
    public let kind: Kind

    /// What can happen in a bulkhead. More may come: give a `switch` a `default`.
    ///
    /// A call that finds room, and one that ends, tell nothing: see ``Snapshot/inFlight``.
    public enum Kind: Hashable, Sendable {
      /// A call was refused, after it had waited so long; zero if it did not wait.
      case rejected(BulkheadFullError.Reason, waited: Duration)

      /// A call began to wait; so many do now, this one among them.
      case queued(waiting: Int)

      /// A call that waited was served.
      case dequeued(waited: Duration)

      /// A call was cancelled while it waited.
      case cancelled(waited: Duration)

      /// The limit was changed.
      case resized(from: Int, to: Int)
    }

    /// One line for a log.
    public var description: String { "bulkhead \"\(policy)\": \(kind)" }
  }

  /// A bulkhead at one moment.
  public struct Snapshot: Hashable, Sendable {
    /// The name of the bulkhead.
    public let name: String

    /// How many calls may be in flight now.
    public let limit: Int

    /// How many calls are in flight; more than the limit if that has shrunk.
    public let inFlight: Int

    /// How many calls wait.
    public let waiting: Int

    /// How many calls may wait.
    public let queue: Int

    /// What has happened in the bulkhead's life.
    public let totals: Totals
  }

  /// What has happened in a bulkhead's life.
  public struct Totals: Hashable, Sendable {
    /// Calls that got a place, at once or after a wait.
    public var admitted: Int

    /// Calls that waited and were served; among those admitted.
    public var waited: Int

    /// Calls that were cancelled while they waited.
    public var cancelled: Int

    /// Calls refused as ``BulkheadFullError/Reason/full``, those of ``Bulkhead/tryAcquire()`` among
    /// them.
    public var full: Int

    /// Calls refused as ``BulkheadFullError/Reason/waitedTooLong``.
    public var waitedTooLong: Int

    /// Calls refused as ``BulkheadFullError/Reason/deadlineExpired``.
    public var deadlineExpired: Int

    /// Calls refused as ``BulkheadFullError/Reason/dropped``.
    public var dropped: Int

    /// Totals; zero unless told otherwise.
    public init(
      admitted: Int = 0, waited: Int = 0, cancelled: Int = 0, full: Int = 0,
      waitedTooLong: Int = 0, deadlineExpired: Int = 0, dropped: Int = 0
    ) {
      self.admitted = admitted
      self.waited = waited
      self.cancelled = cancelled
      self.full = full
      self.waitedTooLong = waitedTooLong
      self.deadlineExpired = deadlineExpired
      self.dropped = dropped
    }

    /// Calls refused, for whatever reason.
    public var rejected: Int {
      [full, waitedTooLong, deadlineExpired, dropped].reduce(into: 0) { $0.add($1) }
    }
  }
}

extension Bulkhead.Event.Kind: CustomStringConvertible {
  /// A few words for a log.
  public var description: String {
    switch self {
    case .rejected(let reason, .zero): "rejected (\(reason))"
    case .rejected(let reason, let waited): "rejected (\(reason)) after \(waited)"
    case .queued(let waiting): "queued (\(waiting) waiting)"
    case .dequeued(let waited): "served after \(waited)"
    case .cancelled(let waited): "cancelled after \(waited)"
    case .resized(let from, let to): "limit \(from) > \(to)"
    }
  }
}
