// The changes of state: what leads to them, and what they do to the counts.

extension CircuitBreaker.Core {
  /// Opens a closed circuit, or tells that an observing breaker would have.
  mutating func trip(
    _ cause: CircuitBreaker.Cause, over counts: CircuitBreaker.Counts, at now: Int64,
    retryAfter: Int64 = 0
  ) {
    switch state {
    case .closed: open(cause, at: now, counts: counts, retryAfter: retryAfter)
    case .observing: tellOpening(cause, over: counts, at: now)
    case .open, .halfOpen, .isolated, .disabled: break
    }
  }

  /// The verdict of the predicates on `counts`: it holds if they were neither cleared by a change
  /// of state nor by a person since.
  mutating func trip(
    ifStill epoch: UInt64, over counts: CircuitBreaker.Counts, at reading: Int64,
    retryAfter: Int64
  ) {
    let now = settle(at: reading)
    guard epoch == self.epoch else { return }
    trip(.predicate, over: counts, at: now, retryAfter: retryAfter)
  }

  /// Then nothing for as long as the circuit would have been open.
  private mutating func tellOpening(
    _ cause: CircuitBreaker.Cause, over counts: CircuitBreaker.Counts, at now: Int64
  ) {
    guard now >= incident.silentUntil else { return }
    incident.silentUntil = now.addingSaturated(rules.opening.first.nanosecondsRoundedUp)
    announce(.wouldHaveOpened(cause, counts))
  }

  /// Ends half-open if its results so far decide.
  mutating func decide(
    at now: Int64, failingBecause cause: CircuitBreaker.Cause, retryAfter: Int64 = 0
  ) {
    switch rules.closing.decision(window.tally(at: now)) {
    case .open: open(cause, at: now, counts: counts(at: now), retryAfter: retryAfter)
    case .closed: close(at: now)
    default: break
    }
  }

  private mutating func open(
    _ cause: CircuitBreaker.Cause, at now: Int64, counts: CircuitBreaker.Counts,
    retryAfter: Int64 = 0, length: Int64? = nil
  ) {
    if state == .closed, now.subtractingSaturated(incident.closedAt) >= incident.lastOpenLength {
      incident.nextOpenLength = nil
    }
    let drawn = nextOpenLength(fixed: length)
    setOpenPeriod(max(drawn, min(retryAfter, rules.maxRetryAfter)), from: now)
    move(to: .open, cause, at: now, counts: counts)
  }

  private mutating func setOpenPeriod(_ length: Int64, from now: Int64) {
    incident.lastOpenLength = length
    incident.openUntil = now.addingSaturated(length)
  }

  /// The next length of the series, with jitter; or the fixed one, which takes its place.
  private mutating func nextOpenLength(fixed: Int64?) -> Int64 {
    let opening = rules.opening
    let cap = Double(opening.cap.nanosecondsRoundedUp)
    let length = incident.nextOpenLength ?? Double(opening.first.nanosecondsRoundedUp)
    incident.nextOpenLength = min(cap, length * opening.factor)
    if let fixed { return fixed }
    guard opening.jitter > 0 else { return Int64(saturating: length) }
    let spread = Double.random(in: -1...1, using: &random) * opening.jitter
    return max(1, Int64(saturating: length * (1 + spread)))
  }

  private mutating func close(at now: Int64) {
    move(to: .closed, .probesSucceeded, at: now)
    incident.closedAt = now
    if rules.probation > 0 { incident.probation = CircuitBreaker.Probation(at: now) }
  }

  mutating func move(to next: CircuitBreaker.State, _ cause: CircuitBreaker.Cause, at now: Int64) {
    move(to: next, cause, at: now, counts: counts(at: now))
  }

  private mutating func move(
    to next: CircuitBreaker.State, _ cause: CircuitBreaker.Cause, at now: Int64,
    counts: CircuitBreaker.Counts
  ) {
    let previous = state
    state = next
    generation += 1
    epoch += 1
    incident.olderInFlight.add(inFlight + incident.probes.count)
    inFlight = 0
    inFlightOutside = 0
    incident.probes.removeAll()
    incident.probation = nil
    incident.silentUntil = .min
    streak = Streak()
    if !watch.isEmpty { watch[0].clear() }
    switch next {
    case .closed, .observing: window.start(rules.window, at: now)
    case .open, .halfOpen, .isolated, .disabled: window.startUnbounded()
    }
    if next == .open || next == .isolated { incident.countsAtOpening = counts }
    if next == .open, previous == .closed { incident.trips.increment() }
    if next == .open, previous == .halfOpen { incident.reopenings.increment() }
    announce(
      .transition(
        CircuitBreaker.Transition(
          from: previous, to: next, cause: cause, counts: counts,
          openUntil: next == .open ? reading(at: incident.openUntil) : nil,
          generation: generation)))
  }
}

// MARK: - Controls

extension CircuitBreaker.Core {
  /// Enters one of the states that only a person sets.
  mutating func enter(_ manual: CircuitBreaker.State, at reading: Int64) {
    let now = settle(at: reading)
    guard state != manual else { return }
    move(to: manual, .manual, at: now)
  }

  /// Closes the circuit as if it were new, without probation. One that is closed already forgets
  /// its counts; calls in flight still count.
  mutating func reset(at reading: Int64) {
    let now = settle(at: reading)
    if state == .closed {
      window.start(rules.window, at: now)
      streak = Streak()
      incident.probation = nil
      epoch += 1
    } else {
      move(to: .closed, .manual, at: now)
    }
    incident.closedAt = now
    incident.lastOpenLength = 0
    incident.nextOpenLength = nil
  }

  /// Opens the circuit, or moves the deadline of an open one.
  mutating func trip(for length: Int64?, at reading: Int64) {
    let now = settle(at: reading)
    if state == .open {
      setOpenPeriod(nextOpenLength(fixed: length), from: now)
    } else {
      open(.manual, at: now, counts: counts(at: now), length: length)
    }
  }
}

// MARK: - Reading

extension CircuitBreaker.Core {
  /// The core as a call arriving at `reading` would find it, without touching this one.
  func settled(at reading: Int64) -> Self {
    let now = time(at: reading)
    let hasLostLease = state == .halfOpen && endOfFirstLease.map { $0 <= now } ?? false
    let mustOpen = state == .closed && causeAtArrival(at: now) != nil
    guard hasLostLease || mustOpen else { return self }
    var settled = self
    settled.settle(at: reading)
    settled.judgeHungCalls(at: now)
    return settled
  }

  /// What a call arriving at `reading` would meet. For a settled core.
  func state(at reading: Int64) -> CircuitBreaker.State {
    state == .open && time(at: reading) >= incident.openUntil ? .halfOpen : state
  }

  /// Counts at an instant of the breaker's own time: what is over by then is not there.
  func counts(at now: Int64) -> CircuitBreaker.Counts {
    let tally = window.tally(at: now)
    let streak = window.hasElapsed(at: now) ? Streak() : streak
    let incident = incident
    return CircuitBreaker.Counts(
      successes: tally.successes, failures: tally.failures, ignored: tally.ignored,
      slow: tally.slow, consecutiveSuccesses: streak.successes,
      consecutiveFailures: streak.failures,
      inFlight: inFlight + inFlightOutside + incident.probes.count, hung: hungCalls(at: now).all,
      rejected: incident.rejected, late: incident.late)
  }

  var totals: CircuitBreaker.Totals {
    let incident = incident
    return CircuitBreaker.Totals(
      successes: successes, failures: failures, ignored: incident.ignored, slow: incident.slow,
      rejected: incident.rejected, late: incident.late, trips: incident.trips,
      reopenings: incident.reopenings)
  }
}
