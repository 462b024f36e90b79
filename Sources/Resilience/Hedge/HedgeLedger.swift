extension Hedge {
  /// What a hedge knows of its calls.
  struct Ledger: Sendable {
    var timing: Timing
    var inFlight = 0
    var totals = Totals()
  }

  /// A call begins.
  ///
  /// - Returns: after what delay it may be hedged; `nil` if it cannot be.
  func begin() -> Int64? {
    ledger.withLock { ledger in
      ledger.inFlight += 1
      guard configuration.maxHedges > 0, let delay = ledger.timing.delay else { return nil }
      guard !ledger.timing.isPaused else {
        ledger.totals.suppressed.increment()
        return nil
      }
      return delay
    }
  }

  /// A call ends. One that was cancelled, or refused inside, leaves no trace.
  ///
  /// - Parameters:
  ///   - winner: which attempt has succeeded, if one has.
  ///   - latency: after how many nanoseconds it has.
  func end(_ outcome: Outcome, by winner: Int, latency: Int64) {
    let change = ledger.withLock { ledger -> Event.Kind? in
      ledger.inFlight -= 1
      if outcome != .ignored { ledger.totals.calls.increment() }
      guard outcome == .success else {
        let change = outcome == .failure ? ledger.timing.addFailure(after: latency) : nil
        return change.map { Event.Kind($0, ledger.timing) }
      }
      if winner > 0 { ledger.totals.wins.increment() }
      return ledger.timing.add(latency).map { Event.Kind($0, ledger.timing) }
    }
    defer { if let change { tell(change) } }
    guard outcome == .success else { return }
    if let budget, !LiveAttempt.standing(of: budget).isCounted { budget.succeed() }
    if winner > 0 { tell(.won(hedge: winner, after: .nanoseconds(latency))) }
  }

  /// Takes a token for a hedge.
  func withdraw() -> Bool {
    guard let budget, !budget.withdraw() else { return true }
    ledger.withLock { $0.totals.budgetRefused.increment() }
    tell(.budgetRefused)
    return false
  }

  /// A hedge begins.
  func countHedge(_ number: Int, after latency: Int64) {
    ledger.withLock { $0.totals.hedges.increment() }
    tell(.hedged(hedge: number, after: .nanoseconds(latency)))
  }

  func tell(_ kind: @autoclosure () -> Event.Kind) {
    events.announce(Event(policy: name, kind: kind()))
  }

  /// What has happened so far. Passive; costs the locks of hedge and budget, and a clock reading.
  public func snapshot() -> Snapshot {
    let ledger = ledger.withLock { ledger in
      (
        delay: ledger.timing.delay, median: ledger.timing.median,
        isPaused: ledger.timing.isPaused, inFlight: ledger.inFlight, totals: ledger.totals
      )
    }
    return Snapshot(
      name: name, delay: ledger.delay.map { .nanoseconds($0) },
      median: ledger.median.map { .nanoseconds($0) }, isPaused: ledger.isPaused,
      inFlight: ledger.inFlight, totals: ledger.totals, budget: budget?.snapshot())
  }
}

extension Hedge: Evictable {
  /// Whether no call is in flight, hedging does not rest, and the budget owes nothing. What goes with it
  /// are the latencies it has seen.
  public var isEvictable: Bool {
    let isQuiet = ledger.withLock { $0.inFlight == 0 && !$0.timing.isPaused }
    return isQuiet && budget?.isEvictable ?? true
  }
}
