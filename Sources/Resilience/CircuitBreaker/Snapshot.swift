extension CircuitBreaker {
  /// A circuit breaker at one moment.
  public struct Snapshot: Sendable {
    /// The name of the breaker.
    public let name: String

    /// What a call would meet.
    public let state: State

    /// The counts that the next decision is made by.
    public let counts: Counts

    /// What happened in the breaker's whole life.
    public let totals: Totals

    /// All calls that have not ended yet, also those that were admitted before the last change of
    /// state; but not those that a disabled breaker admitted, which it does not count.
    public let running: Int

    /// How many changes of state there have been; a lost lease, or an opening by calls that hang,
    /// that nobody has announced yet included.
    public let generation: UInt64

    /// Until when the circuit is open, if it is.
    public let openUntil: Deadline?

    /// The share of calls that pass: below 1 only while a circuit that has just closed is on
    /// probation.
    public let admittedShare: Double

    /// How long the circuit stays open from now on, if it is open: never negative, and shorter each
    /// time it is asked.
    public var retryAfter: Duration? { openUntil?.remaining }
  }

  /// What a call arriving now would meet.
  ///
  /// Passive: an open circuit whose time is over reads half-open, although only a call makes it
  /// so. Costs a clock read and a lock.
  public var state: State {
    reading { core, reading in core.settled(at: reading).state(at: reading) }
  }

  /// The breaker as a call arriving now would find it.
  ///
  /// Passive: it changes nothing, announces nothing, and may be ahead of the last event. What is
  /// over by now reads as over, and a circuit that calls which hang would open reads open (by the
  /// trip condition, that is: predicates are not asked). Costs a clock read, a lock, and a pass over the buckets that are
  /// over.
  public func snapshot() -> Snapshot {
    // Made under the lock: a copy of the core that outlived it would make the next report copy the
    // window.
    reading { core, reading in
      Snapshot(of: core.settled(at: reading), at: reading, name: name, source)
    }
  }
}

extension CircuitBreaker.Snapshot {
  fileprivate init(
    of core: CircuitBreaker.Core, at reading: Int64, name: String, _ source: TimeSource
  ) {
    let now = core.time(at: reading)
    let incident = core.incident
    self.name = name
    state = core.state(at: reading)
    counts = core.counts(at: now)
    totals = core.totals
    running = counts.inFlight + incident.olderInFlight
    generation = core.generation
    openUntil =
      state == .open
      ? Deadline(at: reading.addingSaturated(incident.openUntil - now), on: source) : nil
    admittedShare = core.admittedShare(at: now)
  }
}

extension CircuitBreaker.Core {
  fileprivate func admittedShare(at now: Int64) -> Double {
    guard let probation = incident.probation else { return 1 }
    guard !probation.isExhausted(at: now, limit: rules.probationLimit) else { return 1 }
    return Double(probation.share) / Double(CircuitBreaker.Probation.whole)
  }
}
