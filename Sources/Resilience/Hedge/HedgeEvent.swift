extension Hedge {
  /// Something that happened in a hedge.
  ///
  /// Nothing is told of calls that their first attempt has answered before any other was made.
  public struct Event: ResilienceEvent {
    /// The name of the hedge.
    public let policy: String

    /// What happened.
    public let kind: Kind

    /// What can happen in a hedge. More may come: give a `switch` a `default`.
    public enum Kind: Sendable {
      /// A further attempt begins, so long after the call; the number of a call's first hedge is 1.
      case hedged(hedge: Int, after: Duration)

      /// A hedge was the first attempt to succeed, so long after the start of the call.
      case won(hedge: Int, after: Duration)

      /// None of a call's attempts has succeeded.
      case failed(attempts: Int)

      /// The budget refused a hedge: the call goes on with the attempts it has.
      case budgetRefused

      /// Latencies have become long: from now on nothing is hedged. The median of the last 50, and the
      /// lowest lately.
      case paused(median: Duration, usual: Duration)

      /// Latencies are as usual again, and calls are hedged.
      case resumed(median: Duration, usual: Duration)
    }

    /// One line for a log.
    public var description: String { "hedge \"\(policy)\": \(kind)" }
  }

  /// A hedge at one moment.
  public struct Snapshot: Hashable, Sendable {
    /// The name of the hedge.
    public let name: String

    /// How long an attempt has before a further one is started beside it; `nil` as long as too few
    /// latencies are known.
    public let delay: Duration?

    /// The median of the last 50 latencies, as of the last look at them; `nil` before the first.
    public let median: Duration?

    /// Whether nothing is hedged because latencies have become long.
    public let isPaused: Bool

    /// How many calls there are now.
    public let inFlight: Int

    /// What happened in its whole life.
    public let totals: Totals

    /// The budget, if there is one.
    public let budget: RetryBudget.Snapshot?
  }

  /// What happened in a hedge's whole life.
  public struct Totals: Hashable, Sendable {
    /// Calls that succeeded or failed. Those that were cancelled by their callers, or refused by a
    /// policy inside, are not among them.
    public var calls = 0

    /// Attempts beyond the first that have begun.
    public var hedges = 0

    /// Calls that a hedge has answered.
    public var wins = 0

    /// Hedges that the budget refused; a call asks no more after that.
    public var budgetRefused = 0

    /// Calls that could not be hedged because latencies had become long.
    public var suppressed = 0

    /// Nothing happened yet, unless told otherwise.
    public init(
      calls: Int = 0, hedges: Int = 0, wins: Int = 0, budgetRefused: Int = 0, suppressed: Int = 0
    ) {
      self.calls = calls
      self.hedges = hedges
      self.wins = wins
      self.budgetRefused = budgetRefused
      self.suppressed = suppressed
    }
  }
}

extension Hedge.Event.Kind: CustomStringConvertible {
  /// A few words for a log.
  public var description: String {
    switch self {
    case .hedged(let hedge, let delay): "hedge \(hedge) after \(delay)"
    case .won(let hedge, let latency): "hedge \(hedge) answered after \(latency)"
    case .failed(let attempts): "all \(attempts) attempts failed"
    case .budgetRefused: "the budget refused a hedge"
    case .paused(let median, let usual): "paused (median \(median), usually \(usual))"
    case .resumed(let median, let usual): "resumed (median \(median), usually \(usual))"
    }
  }

  init(_ change: Hedge.Timing.Change, _ timing: Hedge.Timing) {
    // There is no change without a median.
    let (median, usual) = (timing.median ?? 0, timing.usual ?? 0)
    switch change {
    case .paused: self = .paused(median: .nanoseconds(median), usual: .nanoseconds(usual))
    case .resumed: self = .resumed(median: .nanoseconds(median), usual: .nanoseconds(usual))
    }
  }
}
