extension Throttle {
  /// Something that happened in a throttle.
  public struct Event: ResilienceEvent {
    /// The name of the throttle.
    public let policy: String

    /// What happened.
    public let kind: Kind

    /// What can happen in a throttle. More may come: give a `switch` a `default`.
    public enum Kind: Hashable, Sendable {
      /// A call of this criticality was refused, as this share of such calls was.
      case rejected(Criticality, share: Double)
    }

    /// One line for a log.
    public var description: String { "throttle \"\(policy)\": \(kind)" }
  }

  /// What happened in a throttle's whole life.
  public struct Totals: Hashable, Sendable {
    /// Calls that passed.
    public internal(set) var admitted = 0

    /// Calls that were refused.
    public internal(set) var rejected = 0

    /// Calls that succeeded.
    public internal(set) var successes = 0

    /// Calls that failed.
    public internal(set) var failures = 0

    /// Calls that ended and count as neither.
    public internal(set) var ignored = 0
  }

  /// A throttle at one moment.
  public struct Snapshot: Hashable, Sendable {
    /// The name of the throttle.
    public let name: String

    /// The share of all calls that is refused.
    public let rejectionShare: Double

    /// The share that is refused of the calls of each criticality.
    public let rejectionShares: [Criticality: Double]

    /// The calls that were asked for in the window; those in flight among them, by weight.
    public let requests: Double

    /// The calls that succeeded in the window.
    public let accepts: Int

    /// The calls that have passed and not ended.
    public let inFlight: Int

    /// What happened in the throttle's whole life.
    public let totals: Totals
  }

  /// The throttle as a call arriving now would find it.
  ///
  /// Passive: it changes nothing, and what has left the window reads as gone. Costs a lock, a clock
  /// read, and a copy of the windows.
  public func snapshot() -> Snapshot {
    reading { core in
      let shares = Criticality.allCases.map { ($0, core.rejectionShare(of: $0)) }
      return Snapshot(
        name: name, rejectionShare: core.rejectionShare,
        rejectionShares: Dictionary(uniqueKeysWithValues: shares), requests: core.requests,
        accepts: core.accepts, inFlight: core.inFlight, totals: core.totals)
    }
  }

  /// - Parameter body: is given the core as it is now, under the lock: a copy that outlived it would
  ///   make the next call copy the windows.
  func reading<Result: Sendable>(_ body: (Core) -> Result) -> Result {
    shared.withLock { shared in
      var core = shared.core
      core.move(to: source.now())
      return body(core)
    }
  }
}

extension Throttle.Event.Kind: CustomStringConvertible {
  /// A few words for a log.
  public var description: String {
    switch self {
    case .rejected(let criticality, let share):
      "rejected a \(criticality) call, as \((share * 1000).rounded() / 10) % of them"
    }
  }
}
