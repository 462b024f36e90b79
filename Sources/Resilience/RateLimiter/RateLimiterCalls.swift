extension RateLimiter {
  /// Somebody's place in the line.
  @usableFromInline
  struct Ticket: Sendable {
    let waiter: Waiter<WaitingLine.Word>
    let place: WaitingLine.Place
    let since: Int64
  }

  enum Entrance: Sendable {
    case granted
    case refused(RateLimitedError.Reason, any Error)
    case queued(Ticket)
  }
}

// MARK: - Coming

extension RateLimiter {
  /// Takes tokens without the lock, if they are there.
  @usableFromInline
  func takesAtOnce(_ tokens: Int) -> Bool {
    if case .granted = meter.take(tokens, source) { true } else { false }
  }

  func takeUnderLock(_ tokens: Int) -> Bool {
    let refused = withState { state, now, aftermath in
      state.serve(at: now, &aftermath)
      return state.take(tokens, at: now)
    }
    guard let refused else { return true }
    tell(.rejected(refused.reason))
    return false
  }

  /// Takes tokens if they are there, or a place in the line if they will be there in time.
  ///
  /// - Returns: the place; `nil` if the tokens were there.
  /// - Throws: a ``RateLimitedError``.
  @usableFromInline
  func enter(_ tokens: Int, maxWait: Duration) throws -> Ticket? {
    let limit =
      maxWait > .zero ? WaitLimit(maxWait.nanosecondsRoundedUp, on: source) : nil
    let entrance = withState { state, now, aftermath in
      state.serve(at: now, &aftermath)
      return state.enter(tokens, limit: limit, at: now)
    }
    switch entrance {
    case .granted: return nil
    case .queued(let ticket): return ticket
    case .refused(let reason, let error):
      tell(.rejected(reason))
      throw error
    }
  }
}

extension RateLimiter.State {
  /// - Returns: why not, if the tokens are not there.
  fileprivate mutating func take(_ tokens: Int, at now: Int64) -> RateLimiter.Refused? {
    if grant(tokens, at: now) { return nil }
    let refused = RateLimiter.Refused(
      tokens, behind: line.tokens, from: bucket, limit: nil, at: now)
    if let refused { totals.countRejected(refused.reason) }
    return refused
  }

  fileprivate mutating func enter(
    _ tokens: Int, limit: WaitLimit?, at now: Int64
  ) -> RateLimiter.Entrance {
    if grant(tokens, at: now) { return .granted }
    if let refused = RateLimiter.Refused(
      tokens, behind: line.tokens, from: bucket, limit: limit, at: now)
    {
      totals.countRejected(refused.reason)
      return .refused(refused.reason, error(for: refused))
    }
    // Who does not wait is refused above.
    let waiter = Waiter<RateLimiter.WaitingLine.Word>()
    let place = line.join(.init(waiter: waiter, tokens: tokens, limit: limit!))
    return .queued(RateLimiter.Ticket(waiter: waiter, place: place, since: now))
  }

  /// Nobody overtakes those who wait.
  private mutating func grant(_ tokens: Int, at now: Int64) -> Bool {
    guard line.isEmpty, tokens <= bucket.pace.burst, bucket.take(tokens, at: now) else {
      return false
    }
    totals.admitted.increment()
    return true
  }
}

// MARK: - Waiting

extension RateLimiter {
  /// Waits to be served. Ended at once by the caller's cancellation.
  @usableFromInline
  func wait(for ticket: Ticket) async throws -> Grant {
    let word = await withTaskCancellationHandler {
      await ticket.waiter.word()
    } onCancel: {
      leave(ticket.place)
    }
    switch word {
    case .granted(let grant): return grant
    case .refused(let reason, let error):
      tell(.rejected(reason))
      throw error
    case .cancelled: throw renounce()
    }
  }

  /// The caller goes on with what he has waited for.
  @usableFromInline
  func countWait(of ticket: Ticket) {
    state.withLock { state in
      state.totals.admitted.increment()
      state.totals.waited.increment()
    }
    tell(.dequeued(waited: .nanoseconds(max(0, source.now().subtractingSaturated(ticket.since)))))
  }

  /// The caller was cancelled before he went on. What he has just been granted is given back.
  ///
  /// One whom his deadline cancelled is refused, like one who could not be served before it: a circuit
  /// breaker in between would take a `CancellationError` for a dependency that has not answered in
  /// time, which was not even asked.
  ///
  /// - Returns: what he throws.
  @usableFromInline
  func renounce(_ grant: Grant? = nil) -> any Error {
    let hasPassed = Deadline.hasPassed
    let refusal = withState { state, _, _ -> (any Error)? in
      if let grant { state.bucket.undo(grant) }
      guard hasPassed else {
        state.totals.cancelled.increment()
        return nil
      }
      state.totals.countRejected(.deadlineExpired)
      return state.error(for: .tooLate)
    }
    tell(refusal == nil ? .cancelled : .rejected(.deadlineExpired))
    return refusal ?? CancellationError()
  }

  /// Those behind move up, and may be served now.
  private func leave(_ place: WaitingLine.Place) {
    withState { state, _, aftermath in
      guard let entry = state.line.leave(place) else { return }
      aftermath.told.append((entry.waiter, .cancelled))
    }
  }
}

// MARK: - Under the lock

extension RateLimiter {
  /// Everything that takes the lock: with the bucket as it is, and nobody else who takes from it.
  ///
  /// Whoever can be served after it is.
  func withState<Result: Sendable>(
    _ body: (inout State, _ now: Int64, inout State.Aftermath) -> Result
  ) -> Result {
    let (result, aftermath) = state.withLock { state in
      state.absorb(meter.shut())
      // Read now, so that it is later than every reading that has led to a grant; if it is not, the
      // clock has stepped back.
      let now = source.now()
      state.bucket.observe(now)
      var aftermath = State.Aftermath()
      let result = body(&state, now, &aftermath)
      state.serve(at: now, &aftermath)
      state.setAlarm(&aftermath)
      meter.set(state.bucket, staysShut: state.needsLock)
      return (result, aftermath)
    }
    finish(aftermath)
    return result
  }

  func wake(_ alarm: UInt64) {
    withState { state, _, _ in state.alarm.fired(alarm) }
  }

  private func finish(_ aftermath: State.Aftermath) {
    for (waiter, word) in aftermath.told { waiter.tell(word) }
    guard let change = aftermath.alarm else { return }
    if let token = change.cancelled { timers.cancel(token) }
    guard let (number, instant) = change.next else { return }
    let token = timers.set(Alarm(self, number), at: instant)
    // Another may have been set meanwhile, or this one have fired.
    if !state.withLock({ $0.alarm.keep(token, of: number) }) { timers.cancel(token) }
  }

  func tell(_ kind: @autoclosure () -> Event.Kind) {
    events.announce(Event(policy: name, kind: kind()))
  }
}
