extension CircuitBreaker {
  /// One layer: its name, and its ``Configuration`` in words.
  public var layers: [PolicyLayer] {
    let settings = Configuration(rules).description
    return [PolicyLayer(role: .circuitBreaker, name: name, settings: settings)]
  }
}

// A breaker keeps what its configuration means, not the configuration: that is seldom asked for, and
// a program may have many breakers. What comes back decides the same: predicates are last, as they are
// asked, and `successesToClose` is given only where it differs from `probes`.

extension CircuitBreaker.Configuration {
  init(_ rules: CircuitBreaker.Rules) {
    self.init(
      tripping: rules.tripping.condition(slowerThan: rules.slowerThan ?? 0),
      over: CircuitBreaker.Window(rules.window),
      hungAfter: rules.hungAfter.map { .nanoseconds($0) }, hungCalls: rules.tripping.hungCalls,
      recovery: CircuitBreaker.Recovery(rules))
  }
}

extension CircuitBreaker.Window {
  init(_ shape: OutcomeWindow.Shape) {
    switch shape {
    case .sinceTransition: self = .sinceTransition
    case .interval(let length): self = .interval(.nanoseconds(length))
    case .rolling(let length, let buckets):
      self = .rolling(.nanoseconds(length), buckets: buckets)
    case .calls(let count): self = .calls(count)
    }
  }
}

extension CircuitBreaker.Recovery {
  init(_ rules: CircuitBreaker.Rules) {
    self.init(
      openFor: rules.opening, probes: rules.probes,
      probation: .nanoseconds(rules.probation), probeLease: .nanoseconds(rules.probeLease),
      maxRetryAfter: .nanoseconds(rules.maxRetryAfter))
    switch rules.closing {
    case .successes(let count): successesToClose = count == probes ? nil : count
    case .rate(let rate, let count): reopening = .atFailureRate(rate.value, over: count)
    }
  }
}

extension CircuitBreaker.TripRule {
  func condition(slowerThan: Int64) -> CircuitBreaker.TripCondition {
    let counted = clauses.map { clause -> CircuitBreaker.TripCondition.Clause in
      switch clause {
      case .consecutiveFailures(let count, let lasting):
        .consecutiveFailures(count, lasting: .nanoseconds(lasting))
      case .failureRate(let rate, let minimum):
        .failureRate(rate.value, minimumCalls: minimum)
      case .slowCallRate(let rate, let minimum):
        .slowCallRate(
          rate.value, slowerThan: .nanoseconds(slowerThan), minimumCalls: minimum)
      }
    }
    return CircuitBreaker.TripCondition(clauses: counted + predicates.map { .predicate($0) })
  }
}
