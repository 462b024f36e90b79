@available(macOS 26, iOS 26, tvOS 26, watchOS 26, visionOS 26, *)
extension Timeout {
  /// Something that happened in a timeout.
  public struct Event: ResilienceEvent {
    /// The name of the timeout.
    public let policy: String

    /// What happened.
    public let kind: Kind

    /// What can happen in a timeout. More may come: give a `switch` a `default`.
    public enum Kind: Sendable {
      /// An operation was cancelled at its limit, and threw.
      case timedOut(limit: Duration)

      /// An operation was cancelled at its limit, and returned a value after it.
      case late(limit: Duration)

      /// There was no time for an operation: it was not run.
      case rejected(DeadlineExpiredError.Reason)
    }

    /// One line for a log.
    public var description: String { "timeout \"\(policy)\": \(kind)" }
  }

  /// A timeout at one moment.
  public struct Snapshot: Hashable, Sendable {
    /// The name of the timeout.
    public let name: String

    /// How much time an operation has.
    public let limit: Duration

    /// How many operations threw after their limit.
    public let timedOut: Int

    /// How many operations returned a value after their limit.
    public let late: Int

    /// How many operations were not run, because there was no time.
    public let rejected: Int
  }

  /// What has happened so far. Passive; costs a lock.
  public func snapshot() -> Snapshot { shared.snapshot() }
}

@available(macOS 26, iOS 26, tvOS 26, watchOS 26, visionOS 26, *)
extension Timeout.Event.Kind: CustomStringConvertible {
  /// A few words for a log.
  public var description: String {
    switch self {
    case .timedOut(let limit): "timed out after \(limit)"
    case .late(let limit): "late, limit \(limit)"
    case .rejected(let reason): "rejected (\(reason))"
    }
  }
}

@available(macOS 26, iOS 26, tvOS 26, watchOS 26, visionOS 26, *)
extension Timeout {
  /// What the copies of a timeout have in common.
  final class Shared: Sendable {
    private struct Totals: Sendable {
      var timedOut = 0
      var late = 0
      var rejected = 0
    }

    let name: String
    let limit: TimeLimit
    private let totals = Lock(Totals())
    private let events: Announcer<Event>

    init(
      _ limit: Duration, name: String, clock: any Clock<Duration>,
      observers: [any ResilienceObserver]
    ) {
      self.name = name
      self.limit = TimeLimit(limit, of: name, clock: clock)
      events = Announcer(to: observers)
    }

    func allowance() throws -> TimeLimit.Allowance {
      switch limit.admit() {
      case .admitted(let allowance): return allowance
      case .refused(let reason):
        totals.withLock { $0.rejected.increment() }
        events.announce(Event(policy: name, kind: .rejected(reason)))
        throw limit.error(for: reason)
      }
    }

    /// The timer has fired, and the operation has ended.
    ///
    /// - Throws: a ``TimeoutError``, if the operation threw.
    func timedOut(after limit: Duration, _ failure: (any Error)?) throws {
      guard let failure else {
        totals.withLock { $0.late.increment() }
        return events.announce(Event(policy: name, kind: .late(limit: limit)))
      }
      totals.withLock { $0.timedOut.increment() }
      events.announce(Event(policy: name, kind: .timedOut(limit: limit)))
      throw TimeoutError(policy: name, limit: limit, underlying: failure)
    }

    func snapshot() -> Snapshot {
      let totals = totals.withLock { $0 }
      return Snapshot(
        name: name, limit: limit.duration, timedOut: totals.timedOut, late: totals.late,
        rejected: totals.rejected)
    }
  }
}
