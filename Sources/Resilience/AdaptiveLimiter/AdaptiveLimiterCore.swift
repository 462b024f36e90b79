extension AdaptiveLimiter {
  /// Who may pass, and what follows from how calls end. No clock, no lock.
  struct Core: Sendable {
    private(set) var feedback: Feedback
    private(set) var inFlight = 0
    private(set) var totals = Totals()
    private var shares = CriticalityShares()

    init(_ algorithm: Algorithm, at now: Int64) {
      feedback = Feedback(algorithm, at: now)
    }

    var limit: Int { feedback.limit }

    /// - Returns: why the call is refused; `nil` if it is in flight now, and must
    ///   ``end(_:startedAt:at:)``.
    mutating func admit(_ criticality: Criticality, at now: Int64) -> LimitReachedError.Reason? {
      shares.note(criticality, at: now)
      guard inFlight < limit else {
        totals.limitReached.increment()
        return .limitReached
      }
      guard inFlight < shares.usable(of: limit, by: criticality, at: now) else {
        totals.shed.increment()
        return .shed
      }
      inFlight += 1
      return nil
    }

    /// A call is over, that was admitted and has not ended before.
    ///
    /// - Returns: the change of the limit, if there is one.
    mutating func end(_ ending: Ending, startedAt start: Int64, at now: Int64) -> LimitChange? {
      let (before, latency) = (limit, now.subtractingSaturated(start))
      switch ending {
      case .success:
        totals.successes.increment()
        feedback.record(latency: latency, inFlight: inFlight, at: now)
      case .overload:
        totals.overloads.increment()
        feedback.drop(latency: latency, at: now)
      case .other:
        totals.others.increment()
      }
      inFlight -= 1
      return limit == before ? nil : LimitChange(from: before, to: limit)
    }
  }

  /// What a call means to a limit.
  enum Ending: Hashable, Sendable {
    /// It was answered.
    case success

    /// It was not answered in time, or told that there is too much to do.
    case overload

    /// It says nothing about how much the dependency can do: it failed, its caller gave up, a
    /// policy inside refused it.
    case other
  }

  struct LimitChange: Hashable, Sendable {
    let from: Int
    let to: Int
  }
}
