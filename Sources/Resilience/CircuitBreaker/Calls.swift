// The way of a call through the breaker: outside the lock while the circuit is healthy, else through
// the core.

extension CircuitBreaker {
  @usableFromInline
  func admit() throws -> Admission {
    let start = readsClockAtStart ? source.now() : 0
    if let admission = admitOutside(at: start) { return admission }
    return try admitLocked(at: readsClockAtStart ? start : source.now()).get()
  }

  @usableFromInline
  func record(_ outcome: Outcome, of admission: Admission) {
    if outcome == .success, case .stripe(let index) = admission.ticket {
      let now = readsClockAtSuccess ? source.now() : 0
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

  private func admitOutside(at start: Int64) -> Admission? {
    // An arrival at or after the end of an interval starts the next one.
    guard countsOutside, !(readsClockAtStart && hot.isWindowOver(at: start)) else { return nil }
    guard let (generation, index) = hot.admit() else { return nil }
    return Admission(generation: generation, start: start, ticket: .stripe(index))
  }

  func admitLocked(at now: Int64) -> Result<Admission, any Error> {
    locked { shared in
      shared.settle(at: now, source)
      switch shared.core.admit(at: now) {
      case .admitted(let admission):
        shared.publish(source)
        shared.tell(.admitted)
        return .success(admission)
      case .rejected(let reason):
        shared.publish(source)
        shared.tell(.rejected(reason))
        return .failure(shared.rejection(reason, by: name, source))
      }
    }
  }

  func recordLocked(
    _ outcome: Outcome, _ error: (any Error)?, hint: (any RetryAfterHint)? = nil,
    of admission: Admission
  ) {
    let now = source.now()
    let retryAfter = outcome == .failure ? hint?.retryAfter : nil
    let report = Report(
      outcome: outcome, isSlow: isSlow(admission, now),
      retryAfter: retryAfter?.saturatingNanoseconds ?? 0)
    let undecided = locked(ending: admission) { shared -> (Counts, UInt64)? in
      shared.settle(at: now, source)
      let generation = shared.core.generation
      let recorded = shared.core.record(report, of: admission, at: now)
      switch recorded {
      case .untracked: break
      case .late: shared.tell(.late)
      case .counted, .undecided: shared.tell(outcome, after: duration(of: admission, now), error)
      }
      shared.publish(source)
      if case .undecided(let counts) = recorded { return (counts, generation) }
      return nil
    }
    guard let (counts, generation) = undecided else { return }
    guard rules.tripping.predicates.contains(where: { $0(counts) }) else { return }
    locked { shared in
      shared.core.trip(
        ifStill: generation, over: counts, at: now, retryAfter: report.retryAfter)
      shared.publish(source)
    }
  }

  private func isSlow(_ admission: Admission, _ now: Int64) -> Bool {
    guard let slowerThan = rules.slowerThan else { return false }
    return now.subtractingSaturated(admission.start) > slowerThan
  }

  private func duration(of admission: Admission, _ now: Int64) -> Duration {
    .nanoseconds(max(0, now.subtractingSaturated(admission.start)))
  }

}

// MARK: - The lock

extension CircuitBreaker {
  /// Runs `body` under the lock and delivers afterwards, outside of it, what there is to announce.
  ///
  /// - Parameter ended: a call whose report `body` gives to the core.
  func locked<Result: Sendable>(
    ending ended: Admission? = nil, _ body: (inout Shared) -> Result
  ) -> Result {
    let (result, mustDeliver) = shared.withLock { shared in
      if let ended, case .stripe(let index) = ended.ticket {
        hot.endCall(index, generation: ended.generation)
      }
      absorb(&shared)
      let generation = shared.core.generation
      let result = body(&shared)
      followCore(&shared, since: generation)
      return (result, shared.outbox.beginTurn())
    }
    if mustDeliver { deliver() }
    return result
  }

  /// The same for reading: nothing is announced and nothing changes that a reader could see.
  func reading<Result: Sendable>(_ body: (inout Shared) -> Result) -> Result {
    shared.withLock { shared in
      absorb(&shared)
      return body(&shared)
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
    hot.setBoundary(shared.core.reading(at: shared.core.window.boundary))
    if !hot.isLive { hot.open(shared.core.generation) }
  }

  private func deliver() {
    var left = Outbox<Event.Kind>.turn
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
