extension CircuitBreaker {
  /// The decisions of a circuit breaker, and nothing else: no clock, no lock, no task.
  ///
  /// Readings of a clock and outcomes go in; decisions come out, and what there is to announce
  /// gathers in ``notices``. The shell around it owns the lock and the clock, and counts the calls
  /// of a healthy circuit outside the lock; it hands them over with
  /// ``absorb(successes:inFlight:)`` before it asks for anything else.
  ///
  /// Every entry point takes a reading and begins with ``settle(at:)``, which turns it into the
  /// breaker's own time and ends the leases that are over by then.
  struct Core: Sendable {
    let rules: Rules
    var state = State.closed
    var generation: UInt64 = 0

    /// Changes with every generation and every reset: a verdict over older counts is void.
    var epoch: UInt64 = 0
    var window: OutcomeWindow
    var streak = Streak()

    /// Admitted by the core in this generation and not ended yet; probes are counted apart.
    var inFlight = 0

    /// The same for calls that the shell admitted, when it last told.
    var inFlightOutside = 0

    var successes = 0
    var failures = 0

    /// The breaker's own time, which never goes back.
    private(set) var latest: Int64

    var random: SplitMix64

    /// Empty until an ``Incident`` is needed, then that one.
    private var incidents: [Incident] = []

    /// What watches for calls that hang; empty where nothing does.
    var watch: [CallWatch] = []

    /// What is to be announced, since the shell last took it.
    private(set) var notices: [Notice] = []

    init(_ rules: Rules, seed: UInt64?, at reading: Int64) {
      self.rules = rules
      window = OutcomeWindow(rules.window, at: reading)
      latest = reading
      random = SplitMix64(seed: seed)
      if let hungAfter = rules.hungAfter {
        watch.append(CallWatch(hungAfter: hungAfter, lastings: rules.tripping.lastings))
      }
    }

    /// Reads as a fresh one until something is written to it. Reading copies: a coroutine would
    /// put its frame on the heap.
    var incident: Incident {
      get { incidents.first ?? Incident() }
      _modify {
        if incidents.isEmpty { incidents.append(Incident()) }
        yield &incidents[0]
      }
    }

    /// Whether a circuit that has just closed is still on probation.
    var isOnProbation: Bool { !incidents.isEmpty && incidents[0].probation != nil }

    mutating func announce(_ notice: Notice) {
      notices.append(notice)
    }

    mutating func takeNotices() -> [Notice] {
      defer { notices = [] }
      return notices
    }
  }

  /// Something to announce.
  enum Notice: Sendable {
    case transition(Transition)
    case wouldHaveOpened(Cause, Counts)
  }

  /// A change of state.
  struct Transition: Sendable {
    let from: State
    let to: State
    let cause: Cause
    let counts: Counts
    let openUntil: Int64?
    let generation: UInt64
  }
}

// MARK: - Time

extension CircuitBreaker.Core {
  /// The breaker's own time when the clock shows `reading`: a clock that goes back is read as one
  /// that stands still, and what was timed goes on from there. (Readings are handed over in the
  /// order in which they were taken, so one that is less than another is a clock that went back.)
  func time(at reading: Int64) -> Int64 {
    max(latest, reading.addingSaturated(clockOffset))
  }

  /// What the clock shows at an instant of the breaker's own time.
  func reading(at instant: Int64) -> Int64 {
    instant == .max ? .max : instant.subtractingSaturated(clockOffset)
  }

  private mutating func catchUp(with reading: Int64) -> Int64 {
    let now = reading.addingSaturated(clockOffset)
    guard now < latest else {
      latest = now
      return now
    }
    let behind = latest.subtractingSaturated(now)
    incident.clockOffset = clockOffset.addingSaturated(behind)
    return latest
  }

  var clockOffset: Int64 { incidents.isEmpty ? 0 : incidents[0].clockOffset }

  /// Ends the leases that are over. A lost probe has failed at the instant its lease ended,
  /// whoever notices when.
  ///
  /// - Returns: the breaker's own time.
  @discardableResult
  mutating func settle(at reading: Int64) -> Int64 {
    let now = catchUp(with: reading)
    while state == .halfOpen, let end = endOfFirstLease, end <= now {
      let probe = incident.probes.removeFirst()
      incident.olderInFlight.increment()
      failures.increment()
      streak.fail(startedAt: probe.start)
      window.add(Tally(failures: 1))
      decide(at: end, failingBecause: .probeLeaseExpired)
    }
    return now
  }

  var endOfFirstLease: Int64? {
    guard !incidents.isEmpty, let first = incidents[0].probes.first else { return nil }
    return first.start.addingSaturated(rules.lease)
  }
}

// MARK: - Admission

extension CircuitBreaker.Core {
  enum Decision: Sendable {
    case admitted(CircuitBreaker.Admission)
    case rejected(CircuitOpenError.Reason)
  }

  /// Decides about a call that arrives.
  mutating func admit(at reading: Int64) -> Decision {
    admit(settledAt: settle(at: reading))
  }

  /// Decides about a call that arrives now, which is what ``settle(at:)`` has just returned.
  mutating func admit(settledAt now: Int64) -> Decision {
    if state == .open, now >= incidents[0].openUntil {
      move(to: .halfOpen, .openPeriodEnded, at: now)
    }
    judgeHungCalls(at: now)
    switch state {
    case .closed:
      touchWindow(at: now)
      guard passesProbation(at: now) else { return reject(.probation) }
      return admitCounted(at: now)
    case .observing:
      touchWindow(at: now)
      return admitCounted(at: now)
    case .disabled: return .admitted(admission(.untracked, at: now))
    case .open: return reject(.open)
    case .isolated: return reject(.isolated)
    case .halfOpen: return admitProbe(at: now)
    }
  }

  /// At most ``CircuitBreaker/Recovery/probes`` at once, and no more than the decision needs.
  private mutating func admitProbe(at now: Int64) -> Decision {
    let running = incident.probes.count
    let missing = rules.closing.missing(window.tally(at: now))
    guard running < min(rules.probes, missing) else { return reject(.halfOpenFull) }
    let number = incident.nextProbe
    incident.nextProbe = number &+ 1
    incident.probes.append(.init(number: number, start: now))
    return .admitted(admission(.probe(number), at: now))
  }

  private mutating func passesProbation(at now: Int64) -> Bool {
    endExhaustedProbation(at: now)
    guard isOnProbation else { return true }
    return incident.probation?.admit() ?? true
  }

  private mutating func admitCounted(at now: Int64) -> Decision {
    inFlight.increment()
    guard !watch.isEmpty else { return .admitted(admission(.core, at: now)) }
    watch[0].start(at: now)
    return .admitted(admission(.watched(after: watch[0].successes), at: now))
  }

  private func admission(
    _ ticket: CircuitBreaker.Admission.Ticket, at now: Int64
  ) -> CircuitBreaker.Admission {
    CircuitBreaker.Admission(generation: generation, start: now, ticket: ticket)
  }

  private mutating func reject(_ reason: CircuitOpenError.Reason) -> Decision {
    incident.rejected.increment()
    return .rejected(reason)
  }
}
