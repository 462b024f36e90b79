// The way of a call through the breaker: outside the lock while the circuit is healthy, else through
// the core.

extension CircuitBreaker {
  @usableFromInline
  func admit() throws -> Admission {
    if let admission = admitOutside() { return admission }
    if rules.asksPredicatesAtArrival { askPredicatesAboutHungCalls() }
    return try admitLocked().get()
  }

  @usableFromInline
  func record(_ outcome: Outcome, of admission: Admission) {
    if outcome == .success, case .stripe(let index) = admission.ticket {
      let now = readsClockAtSuccess ? hot.time(at: source.now()) : 0
      let needsCore = readsClockAtSuccess && (hot.isWindowOver(at: now) || isSlow(admission, now))
      if !needsCore, hot.succeed(index, generation: admission.generation) { return }
    }
    recordLocked(outcome, nil, of: admission)
  }

  @usableFromInline
  func record(_ error: any Error, of admission: Admission) {
    // Compared as a type first: that is a nanosecond, a cast to a protocol eighty.
    if classify == nil, type(of: error) == CircuitOpenError.self {
      return recordLocked(.ignored, error, of: admission)
    }
    let hint = error as? any RetryAfterHint
    let outcome = Outcome(classifying: error, hint: hint, by: classify)
    recordLocked(outcome, error, hint: hint, of: admission)
  }

  private func admitOutside() -> Admission? {
    guard countsOutside else { return nil }
    var start: Int64 = 0
    if readsClockAtStart {
      guard hot.isLive else { return nil }
      start = hot.time(at: source.now())
      // An arrival at or after the end of an interval starts the next one.
      guard !hot.isWindowOver(at: start) else { return nil }
    }
    guard let (generation, index) = hot.admit() else { return nil }
    return Admission(generation: generation, start: start, ticket: .stripe(index))
  }

  private func admitLocked() -> Result<Admission, any Error> {
    locked { shared, _, now in
      let decision = shared.core.admit(settledAt: now)
      shared.publish(source)
      switch decision {
      case .admitted(let admission):
        shared.tell(.admitted)
        return .success(admission)
      case .rejected(let reason):
        shared.tell(.rejected(reason))
        return .failure(shared.rejection(reason, by: name, source))
      }
    }
  }

  private func askPredicatesAboutHungCalls() {
    let undecided = locked { shared, _, now -> (Counts, UInt64)? in
      let isUndecided = shared.core.judgeHungCalls(at: now)
      shared.publish(source)
      return isUndecided ? (shared.core.counts(at: now), shared.core.epoch) : nil
    }
    if let (counts, epoch) = undecided { askPredicates(about: counts, epoch) }
  }

  private func askPredicates(about counts: Counts, _ epoch: UInt64, retryAfter: Int64 = 0) {
    guard rules.tripping.predicates.contains(where: { $0(counts) }) else { return }
    locked { shared, reading, _ in
      shared.core.trip(ifStill: epoch, over: counts, at: reading, retryAfter: retryAfter)
      shared.publish(source)
    }
  }

  func recordLocked(
    _ outcome: Outcome, _ error: (any Error)?, hint: (any RetryAfterHint)? = nil,
    of admission: Admission
  ) {
    let retryAfter = (outcome == .failure ? hint?.retryAfter : nil)?.saturatingNanoseconds ?? 0
    let (undecided, mustDeliver) = underLock(ending: admission) {
      shared, _, now -> (Counts, UInt64)? in
      let report = Report(
        outcome: outcome, isSlow: isSlow(admission, now), retryAfter: retryAfter)
      let recorded = shared.core.record(report, of: admission, settledAt: now)
      switch recorded {
      case .untracked: break
      case .late: shared.tell(.late)
      case .counted, .undecided:
        let duration = now.subtractingSaturated(admission.start)
        shared.tell(outcome, after: .nanoseconds(duration), error)
      }
      shared.publish(source)
      if case .undecided(let counts) = recorded { return (counts, shared.core.epoch) }
      return nil
    }
    // Only now, so that observers do not keep the predicates waiting.
    defer { if mustDeliver { deliver() } }
    if let (counts, epoch) = undecided {
      askPredicates(about: counts, epoch, retryAfter: retryAfter)
    }
  }

  private func isSlow(_ admission: Admission, _ now: Int64) -> Bool {
    guard let slowerThan = rules.slowerThan else { return false }
    return now.subtractingSaturated(admission.start) > slowerThan
  }
}

// MARK: - The lock

extension CircuitBreaker {
  /// Runs `body` under the lock and delivers afterwards, outside of it, what there is to announce.
  func locked<Result: Sendable>(
    _ body: (inout Shared, _ reading: Int64, _ now: Int64) -> Result
  ) -> Result {
    let (result, mustDeliver) = underLock(body)
    if mustDeliver { deliver() }
    return result
  }

  /// Runs `body` under the lock.
  ///
  /// The clock is read under the lock as well: so readings come to the core in the order in which
  /// they were taken, and a thread that was held up between the two does not look like a clock
  /// that went back.
  ///
  /// - Parameters:
  ///   - ended: a call whose report `body` gives to the core.
  ///   - body: is given the clock's reading and the breaker's own time; leases that are over by
  ///     then have been ended.
  /// - Returns: what `body` returns, and whether the caller must now deliver.
  private func underLock<Result: Sendable>(
    ending ended: Admission? = nil, _ body: (inout Shared, _ reading: Int64, _ now: Int64) -> Result
  ) -> (Result, mustDeliver: Bool) {
    shared.withLock { shared in
      if let ended, case .stripe(let index) = ended.ticket {
        hot.endCall(index, generation: ended.generation)
      }
      absorb(&shared)
      let generation = shared.core.generation
      let reading = source.now()
      let now = shared.settle(at: reading, source)
      let result = body(&shared, reading, now)
      followCore(&shared, since: generation)
      return (result, shared.outbox.beginTurn())
    }
  }

  /// The same for reading: nothing is announced and nothing changes that a reader could see.
  func reading<Result: Sendable>(_ body: (Core, _ reading: Int64) -> Result) -> Result {
    shared.withLock { shared in
      absorb(&shared)
      return body(shared.core, source.now())
    }
  }

  private func absorb(_ shared: inout Shared) {
    let counted = hot.takeSuccesses()
    shared.core.absorb(successes: counted.successes, inFlight: counted.inFlight)
  }

  /// Brings the lock-free path in line with what the core has decided.
  private func followCore(_ shared: inout Shared, since generation: UInt64) {
    guard countsOutside else { return }
    if shared.core.generation != generation {
      let rest = hot.close()
      shared.core.retire(successes: rest.successes, inFlight: rest.inFlight)
    }
    guard shared.core.allowsCountingOutside else { return }
    hot.makeStripesIfWanted()
    hot.setTime(
      boundary: shared.core.window.boundary, clockOffset: shared.core.clockOffset,
      latest: shared.core.latest)
    if !hot.isLive { hot.open(shared.core.generation) }
  }

  /// Delivers what waits, at most so many events. The caller has begun a turn, or is alone.
  func deliver(atMost most: Int = Outbox<Event.Kind>.turn) {
    var left = most
    while true {
      let (batch, subscribers) = shared.withLock { shared in
        (shared.outbox.next(atMost: left), shared.subscribers)
      }
      if batch.isEmpty { return }
      left -= batch.count
      for kind in batch {
        for observer in observers { observer.observe(Event(policy: name, kind: kind)) }
        guard case .stateChanged(let change) = kind else { continue }
        for subscriber in subscribers { subscriber.receive(change) }
      }
    }
  }
}
