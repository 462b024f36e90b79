extension AdaptiveLimiter {
  /// Something that happened in an adaptive limiter.
  public struct Event: ResilienceEvent {
    /// The name of the limiter.
    public let policy: String

    /// What happened.
    public let kind: Kind

    /// What can happen in an adaptive limiter. More may come: give a `switch` a `default`.
    public enum Kind: Sendable {
      /// The limit has changed by a whole number. A measurement of the baseline lowers it for its
      /// time.
      case limitChanged(from: Int, to: Int)

      /// A call met overload: with an error, or as the holder of a permit has decided.
      case overloaded(error: (any Error)?)

      /// A call was refused.
      case rejected(LimitReachedError.Reason)
    }

    /// One line for a log.
    public var description: String { "adaptive limiter \"\(policy)\": \(kind)" }
  }

  /// What happened in an adaptive limiter's whole life.
  public struct Totals: Hashable, Sendable {
    /// How many calls succeeded.
    public var successes = 0

    /// How many calls met overload.
    public var overloads = 0

    /// How many calls ended otherwise, which changes no limit: failed, cancelled by their callers,
    /// refused inside, or abandoned.
    public var others = 0

    /// How many calls were refused because the limit was reached.
    public var limitReached = 0

    /// How many calls were refused because the rest was kept for more critical ones.
    public var shed = 0

    /// Nothing happened yet, unless told otherwise.
    public init(
      successes: Int = 0, overloads: Int = 0, others: Int = 0, limitReached: Int = 0, shed: Int = 0
    ) {
      self.successes = successes
      self.overloads = overloads
      self.others = others
      self.limitReached = limitReached
      self.shed = shed
    }

    /// How many calls were refused, for whatever reason.
    public var rejected: Int {
      var rejected = limitReached
      rejected.add(shed)
      return rejected
    }
  }

  /// An adaptive limiter at one moment.
  public struct Snapshot: Hashable, Sendable {
    /// The name of the limiter.
    public let name: String

    /// How many calls may be in flight.
    public let limit: Int

    /// How many calls are in flight. More than the limit, where it has come down.
    public let inFlight: Int

    /// The mean latency without load, as last measured; `nil` until it is, and for an algorithm
    /// that does not look at latencies.
    public let baseline: Duration?

    /// The mean latency of the last window; `nil` until there is one, and for an algorithm that
    /// does not look at latencies.
    public let observed: Duration?

    /// What happened in the limiter's whole life.
    public let totals: Totals
  }
}

extension AdaptiveLimiter.Event.Kind: CustomStringConvertible {
  /// A few words for a log.
  public var description: String {
    switch self {
    case .limitChanged(let from, let to): "limit \(from) > \(to)"
    case .overloaded(let error): "overloaded" + (error.map { " (\($0))" } ?? "")
    case .rejected(let reason): "rejected (\(reason))"
    }
  }
}

extension AdaptiveLimiter {
  /// The limiter as the next call would find it.
  ///
  /// Passive: it changes nothing. Costs a lock.
  public func snapshot() -> Snapshot {
    shared.withLock { shared in
      let core = shared.core
      let (baseline, observed) = core.feedback.latencies
      return Snapshot(
        name: name, limit: core.limit, inFlight: core.inFlight,
        baseline: baseline.map { .nanoseconds(Int64(saturating: $0)) },
        observed: observed.map { .nanoseconds(Int64(saturating: $0)) }, totals: core.totals)
    }
  }
}

extension AdaptiveLimiter: Evictable {
  /// Whether no call is in flight, and the limit is not below that of a new one.
  public var isEvictable: Bool {
    let initial = configuration.algorithm.initial
    return shared.withLock { $0.core.inFlight == 0 && $0.core.limit >= initial }
  }
}
