// What a person may do to a breaker. Legal in every state; what changes nothing announces nothing.

extension CircuitBreaker {
  /// Refuses all calls until a person ends it.
  public func isolate() {
    enter(.isolated)
  }

  /// Lets all calls pass and records nothing until a person ends it.
  public func disable() {
    enter(.disabled)
  }

  /// Lets all calls pass and records them, and tells observers when the circuit would have
  /// opened, until a person ends it.
  ///
  /// For trying a configuration out. After it has told, it is silent for as long as the first
  /// open period would last.
  public func observe() {
    enter(.observing)
  }

  /// Closes the circuit as if it were new: without probation, and with the shortest open period
  /// next.
  ///
  /// Ends every state that a person set. On a closed circuit it clears the counts, which is no
  /// change of state and announces nothing; calls in flight still count.
  public func reset() {
    control { core, now in core.reset(at: now) }
  }

  /// Opens the circuit, for example because a server said so; it recovers as it always does.
  ///
  /// Ends every state that a person set.
  /// On an open circuit it moves the end of the open period, to sooner or later, and announces
  /// nothing.
  ///
  /// - Parameter duration: how long the circuit stays open from now on; by default as long as
  ///   ``Recovery/openFor`` says. Zero or less: the next call is a probe. Where the breaker reads
  ///   the kernel's coarse clock, shorter than a tick is a tick.
  public func trip(for duration: Duration? = nil) {
    let length = duration.map { max(0, $0.nanosecondsRoundedUp) }
    control { core, now in core.trip(for: length, at: now) }
  }

  private func enter(_ state: State) {
    control { core, now in core.enter(state, at: now) }
  }

  private func control(_ change: (inout Core, _ reading: Int64) -> Void) {
    locked { shared, reading, _ in
      let deadline = shared.core.incident.openUntil
      change(&shared.core, reading)
      if shared.core.incident.openUntil != deadline { shared.forgetRejection() }
      shared.publish(source)
    }
  }
}
