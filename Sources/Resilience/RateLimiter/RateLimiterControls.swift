extension RateLimiter {
  /// Serves nobody for so long: the service has said that it has had enough, with a 429 or a
  /// `Retry-After`.
  ///
  /// The bucket is empty when the pause ends, so those who wait are let out at the rate, not at once.
  /// Those who would now wait for too long are refused at once. A pause that ends before the present one
  /// changes nothing. What comes from a stranger may be a year: take the least of it and what you are
  /// willing to wait.
  ///
  /// - Parameter duration: how long, from now on; zero or less changes nothing, and 292 years are the
  ///   longest.
  public func pause(for duration: Duration) {
    let length = duration.nanosecondsRoundedUp
    guard length > 0 else { return }
    control { state, now in
      let isChanged = state.bucket.pause(until: now.addingSaturated(length), at: now)
      return isChanged ? .paused(for: .nanoseconds(length)) : nil
    }
  }

  /// Ends a pause now. The bucket is empty: callers are let out at the rate.
  public func resume() {
    control { state, now in state.bucket.resume(at: now) ? .resumed : nil }
  }

  /// Takes all tokens away, once, however many call this at a time.
  ///
  /// The bucket fills again at the rate; one that is empty for longer, because it is paused, stays so.
  /// Those who would now wait for too long are refused at once.
  public func drain() {
    control { state, now in state.bucket.drain(at: now).map { .drained(tokens: $0) } }
  }

  /// Goes on at another rate, with the tokens that are there.
  ///
  /// No more of them are kept than the new burst holds, and none are added: a larger burst fills at the
  /// new rate. Those who would now wait for too long are refused at once. Settings that cannot work
  /// stop the program, as at construction.
  ///
  /// - Parameters:
  ///   - rate: how many tokens come in how much time.
  ///   - burst: the most tokens there can be; if `nil`, as many as before.
  public func setRate(_ rate: Rate, burst: Int? = nil) {
    control { state, now in
      var settings = state.settings
      settings.rate = rate
      settings.burst = burst ?? settings.burst
      Self.check(settings, of: name)
      guard settings != state.settings else { return nil }
      state.settings = settings
      state.bucket.change(to: Pace(rate, burst: settings.burst), at: now)
      return .rateChanged(rate, burst: settings.burst)
    }
  }

  /// - Parameter change: what to do, under the lock; returns what to tell of it, if it did anything.
  private func control(_ change: (inout State, _ now: Int64) -> Event.Kind?) {
    withState { state, now, aftermath in
      state.serve(at: now, &aftermath)
      guard let kind = change(&state, now) else { return }
      state.refuseHopeless(at: now, &aftermath)
      events.prepare(Event(policy: name, kind: kind))
    }
    events.deliver()
  }
}

// MARK: - Reading

extension RateLimiter {
  /// The limiter at one moment. Passive; costs a lock and a reading of the clock.
  public func snapshot() -> Snapshot {
    let (state, now) = copy()
    var totals = state.totals
    totals.noTokens.add(meter.refusedCount)
    let (bucket, settings) = (state.bucket, state.settings)
    let pausedFor = bucket.pausedUntil.map { Duration.nanoseconds($0.subtractingSaturated(now)) }
    return Snapshot(
      name: name, rate: settings.rate, burst: settings.burst,
      available: bucket.available(at: now), waiting: state.waiting, pausedFor: pausedFor,
      totals: totals)
  }

  private struct Copy: Sendable {
    var bucket: Bucket
    let settings: Configuration
    let waiting: Int
    var totals: Totals
  }

  /// What a call that comes now would find.
  private func copy() -> (Copy, now: Int64) {
    state.withLock { state in
      var copy = Copy(
        bucket: state.bucket, settings: state.settings, waiting: state.line.count,
        totals: state.totals)
      // Taken before the reading, as in a call.
      let reading = meter.reading
      copy.bucket.fullAt = reading.fullAt
      copy.totals.admitted.add(reading.granted)
      let now = source.now()
      copy.bucket.observe(now)
      return (copy, now)
    }
  }
}

extension RateLimiter: Evictable {
  /// Whether the bucket is full, nobody waits, and rate and burst are those it was made with: then a new
  /// one in its place knows as much.
  public var isEvictable: Bool {
    let (copy, now) = copy()
    return copy.settings == configuration && copy.waiting == 0
      && copy.bucket.pausedUntil == nil && copy.bucket.isFull(at: now)
  }
}
