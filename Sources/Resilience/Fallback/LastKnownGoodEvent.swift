/// Something that happened in a ``LastKnownGood``.
///
/// One type for all keys and values, so that an observer can recognise it. It names no key: keys may
/// be what a log must not hold.
public struct LastKnownGoodEvent: ResilienceEvent {
  /// The name of the memory.
  public let policy: String

  /// What happened.
  public let kind: Kind

  /// What can happen. More may come: give a `switch` a `default`.
  public enum Kind: Sendable, CustomStringConvertible {
    /// A call failed or was refused, and a remembered value was served instead: how old it was, and
    /// what the call threw. The error is a ``FailedResultError`` for a value that counts as a
    /// failure.
    case servedStale(age: Duration, error: any Error)

    /// A few words for a log.
    public var description: String {
      switch self {
      case .servedStale(let age, let error): "served a value \(age) old (\(error))"
      }
    }
  }

  /// One line for a log.
  public var description: String { "last known good \"\(policy)\": \(kind)" }
}

extension LastKnownGood {
  /// Something that happened in it.
  public typealias Event = LastKnownGoodEvent

  /// A memory of good answers at one moment.
  public struct Snapshot: Hashable, Sendable {
    /// The name of the memory.
    public let name: String

    /// How many values are remembered. Those that are too old to be served are among them until
    /// somebody asks for them, or their places are needed.
    public let count: Int

    /// How many values are remembered at most.
    public let capacity: Int

    /// How many calls succeeded, in its whole life.
    public let fresh: Int

    /// How many calls failed or were refused, and got a remembered value.
    public let stale: Int

    /// How many calls failed or were refused, and nothing was known that could be served.
    public let missed: Int
  }
}
