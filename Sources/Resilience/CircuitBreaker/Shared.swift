extension CircuitBreaker {
  /// What the breaker's lock guards.
  struct Shared: Sendable {
    var core: Core
    var outbox = Outbox<Event.Kind>()
    var subscribers: [Subscriber] = []

    /// Whether calls are announced one by one; changes of state are whenever somebody listens.
    let tellsCalls: Bool

    /// The error of the present generation, built when it is first needed: within a generation
    /// calls are refused for one reason only.
    private var rejection: (any Error)?

    init(core: Core, tellsCalls: Bool) {
      self.core = core
      self.tellsCalls = tellsCalls
    }

    mutating func rejection(
      _ reason: CircuitOpenError.Reason, by name: String, _ source: TimeSource
    ) -> any Error {
      if let rejection { return rejection }
      let incident = core.incident
      let error = CircuitOpenError(
        policy: name, reason: reason, counts: incident.countsAtOpening,
        openUntil: reason == .open
          ? Deadline(at: core.reading(at: incident.openUntil), on: source) : nil)
      rejection = error
      return error
    }

    /// The deadline of the open period has moved, or the clock has.
    mutating func forgetRejection() {
      rejection = nil
    }

    /// Ends leases that are over, and announces it before anything that happens now.
    ///
    /// - Returns: the breaker's own time.
    mutating func settle(at reading: Int64, _ source: TimeSource) -> Int64 {
      let offset = core.clockOffset
      let now = core.settle(at: reading)
      if core.clockOffset != offset { forgetRejection() }
      publish(source)
      return now
    }

    /// Puts what the core has to announce on its way: nothing, mostly.
    mutating func publish(_ source: TimeSource) {
      if !core.notices.isEmpty { publishNotices(source) }
    }

    private mutating func publishNotices(_ source: TimeSource) {
      for notice in core.takeNotices() {
        switch notice {
        case .transition(let transition):
          forgetRejection()
          guard tellsCalls || !subscribers.isEmpty else { continue }
          outbox.add(.stateChanged(StateChange(transition, source)))
        case .wouldHaveOpened(let cause, let counts):
          tell(.wouldHaveOpened(cause: cause, counts: counts))
        }
      }
    }

    mutating func tell(_ kind: Event.Kind) {
      if tellsCalls { outbox.add(kind) }
    }

    /// How a call ended.
    mutating func tell(_ outcome: Outcome, after duration: Duration, _ error: (any Error)?) {
      switch outcome {
      case .success: tell(.succeeded(duration: duration))
      case .failure: tell(.failed(duration: duration, error: error))
      case .ignored: tell(.ignored)
      }
    }
  }
}

extension CircuitBreaker.StateChange {
  init(_ transition: CircuitBreaker.Transition, _ source: TimeSource) {
    self.init(
      from: transition.from, to: transition.to, cause: transition.cause,
      counts: transition.counts,
      openUntil: transition.openUntil.map { Deadline(at: $0, on: source) },
      generation: transition.generation)
  }
}
