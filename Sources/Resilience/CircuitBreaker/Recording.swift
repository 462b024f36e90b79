// What calls report when they end, and what follows from it.

extension CircuitBreaker.Core {
  enum Recorded: Sendable {
    /// Counted, and whatever follows from it is done.
    case counted

    /// Counted; whether the circuit opens is for the predicates to say, over these counts.
    case undecided(CircuitBreaker.Counts)

    /// The state has changed since the call was admitted, or its lease is over.
    case late

    /// The breaker was disabled when the call was admitted, and still is.
    case untracked
  }

  /// Counts what a call reports.
  mutating func record(
    _ report: CircuitBreaker.Report, of admission: CircuitBreaker.Admission, at reading: Int64
  ) -> Recorded {
    record(report, of: admission, settledAt: settle(at: reading))
  }

  /// Counts what a call reports now, which is what ``settle(at:)`` has just returned.
  mutating func record(
    _ report: CircuitBreaker.Report, of admission: CircuitBreaker.Admission, settledAt now: Int64
  ) -> Recorded {
    guard admission.generation == generation else {
      return recordLate(wasTracked: admission.ticket != .untracked)
    }
    switch admission.ticket {
    case .untracked: return .untracked
    case .probe(let number):
      guard let place = incident.probes.firstIndex(where: { $0.number == number }) else {
        return recordLate(wasTracked: true)
      }
      incident.probes.remove(at: place)
      recordProbe(report, startedAt: admission.start, at: now)
      return .counted
    case .core: inFlight -= 1
    case .watched(let successes):
      inFlight -= 1
      watch[0].end(startedAt: admission.start, after: successes)
    case .stripe: break
    }
    return recordCounted(report, startedAt: admission.start, at: now)
  }

  private mutating func recordLate(wasTracked: Bool) -> Recorded {
    if wasTracked { incident.olderInFlight -= 1 }
    incident.late.increment()
    return .late
  }

  /// A slow but successful probe is a failed one if calls may not be slow.
  private mutating func recordProbe(
    _ report: CircuitBreaker.Report, startedAt start: Int64, at now: Int64
  ) {
    count(report)
    let isFailure = report.outcome == .failure || report.isSlow && report.outcome == .success
    if report.outcome == .ignored {
      window.add(Tally(ignored: 1))
    } else {
      window.add(Tally(isFailure: isFailure, isSlow: report.isSlow))
      if isFailure { streak.fail(startedAt: start) } else { streak.succeed() }
    }
    decide(at: now, failingBecause: .probeFailed, retryAfter: report.retryAfter)
  }

  private mutating func recordCounted(
    _ report: CircuitBreaker.Report, startedAt start: Int64, at now: Int64
  ) -> Recorded {
    touchWindow(at: now)
    count(report)
    endExhaustedProbation(at: now)
    switch report.outcome {
    case .ignored:
      window.add(Tally(ignored: 1))
      return .counted
    case .success:
      window.add(Tally(isFailure: false, isSlow: report.isSlow))
      streak.succeed()
      if !watch.isEmpty { watch[0].succeed() }
      succeedOnProbation(at: now)
      guard report.isSlow else { return .counted }
    case .failure:
      window.add(Tally(isFailure: true, isSlow: report.isSlow))
      streak.fail(startedAt: start)
      if isOnProbation { incident.probation?.fail(at: now) }
    }
    return judge(at: now, retryAfter: report.retryAfter)
  }

  private mutating func judge(at now: Int64, retryAfter: Int64) -> Recorded {
    let hung = hungCalls(at: now)
    if let cause = rules.tripping.cause(in: window.tally(at: now), after: streak, hung, at: now) {
      trip(cause, over: counts(at: now), at: now, retryAfter: retryAfter)
      return .counted
    }
    return rules.tripping.predicates.isEmpty ? .counted : .undecided(counts(at: now))
  }

  private mutating func count(_ report: CircuitBreaker.Report) {
    switch report.outcome {
    case .success: successes.increment()
    case .failure: failures.increment()
    case .ignored: incident.ignored.increment()
    }
    if report.isSlow, report.outcome != .ignored { incident.slow.increment() }
  }

  private mutating func succeedOnProbation(at now: Int64) {
    guard isOnProbation else { return }
    let length = rules.probation
    let isOver = incident.probation?.succeed(at: now, length: length) == true
    if isOver { incident.probation = nil }
  }

  mutating func endExhaustedProbation(at now: Int64) {
    guard isOnProbation, let probation = incident.probation else { return }
    if probation.isExhausted(at: now, limit: rules.probationLimit) { incident.probation = nil }
  }

  /// An interval that is over starts anew at the touch, and streaks end with it.
  mutating func touchWindow(at now: Int64) {
    if window.hasElapsed(at: now) {
      window.start(rules.window, at: now)
      streak = Streak()
    } else {
      window.advance(to: now)
    }
  }
}

// MARK: - Calls counted outside

extension CircuitBreaker.Core {
  /// Takes over what the shell has counted in this generation since it last did so.
  mutating func absorb(successes count: Int, inFlight running: Int) {
    inFlightOutside = running
    guard count > 0 else { return }
    successes.add(count)
    streak.succeed(count)
    window.add(Tally(successes: count))
  }

  /// Takes over what the shell still counted after the generation had ended: those calls belong
  /// to no window any more.
  mutating func retire(successes count: Int, inFlight running: Int) {
    successes.add(count)
    guard running > 0 else { return }
    incident.olderInFlight.add(running)
  }

  /// Whether calls may be admitted and successes be counted outside: a closed circuit, and
  /// nothing that must be decided call by call.
  var allowsCountingOutside: Bool {
    state == .closed && !isOnProbation
  }
}
