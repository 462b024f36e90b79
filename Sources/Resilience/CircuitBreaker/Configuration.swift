extension CircuitBreaker {
  /// The settings of a circuit breaker, as a value that can be built and validated at run time.
  public struct Configuration: Sendable, CustomStringConvertible {
    /// When a closed circuit opens.
    public var tripping: TripCondition

    /// Which outcomes it decides by.
    public var window: Window

    /// How it comes back.
    public var recovery: Recovery

    /// The recommended settings, unless told otherwise; ``CircuitBreaker`` says what they are.
    public init(
      tripping: TripCondition = .any(
        .consecutiveFailures(6, lasting: .seconds(3)), .failureRate(0.8, minimumCalls: 40)),
      over window: Window = .rolling(.seconds(10), buckets: 10),
      recovery: Recovery = Recovery()
    ) {
      self.tripping = tripping
      self.window = window
      self.recovery = recovery
    }

    /// Checks settings that arrived at run time.
    ///
    /// - Throws: a ``ConfigurationError`` that lists everything that is wrong, with parameter,
    ///   value and range. A breaker made from such settings stops the program with the same text.
    public func validate() throws(ConfigurationError) {
      var validation = Validation()
      tripping.validate(&validation)
      window.validate(&validation)
      recovery.validate(&validation)
      try validation.finish()
    }

    /// The settings in words, for a log.
    public var description: String { "trips at \(tripping), over \(window); \(recovery)" }
  }
}

extension CircuitBreaker.TripCondition {
  func validate(_ validation: inout Validation) {
    validation.require(
      !clauses.isEmpty, "tripping", is: "any()", allowed: "at least one condition")
    for clause in clauses {
      switch clause {
      case .consecutiveFailures(let count, let lasting):
        validation.require(count >= 1, "consecutiveFailures", is: count, allowed: "1...")
        validation.require(
          lasting >= .zero, "consecutiveFailures(lasting:)", is: lasting, allowed: "zero or more")
      case .failureRate(let rate, let minimum):
        validation.requireRate(rate, "failureRate")
        validation.requireMinimumCalls(minimum, of: "failureRate")
      case .slowCallRate(let rate, let threshold, let minimum):
        validation.requireRate(rate, "slowCallRate")
        validation.require(
          threshold > .zero, "slowCallRate(slowerThan:)", is: threshold, allowed: "above zero")
        validation.requireMinimumCalls(minimum, of: "slowCallRate")
      case .predicate: break
      }
    }
    let thresholds = slowCallThresholds
    validation.require(
      Set(thresholds).count <= 1, "slowCallRate(slowerThan:)",
      is: thresholds.map(\.description).joined(separator: " and "),
      allowed: "one threshold for all conditions of a breaker")
  }

  var slowCallThresholds: [Duration] {
    clauses.compactMap { clause in
      if case .slowCallRate(_, let threshold, _) = clause { threshold } else { nil }
    }
  }
}

extension CircuitBreaker.Window {
  func validate(_ validation: inout Validation) {
    switch kind {
    case .sinceTransition: break
    case .interval(let length):
      validation.require(length > .zero, "interval", is: length, allowed: "above zero")
    case .rolling(let length, let buckets):
      validation.require(
        (2...100_000).contains(buckets), "rolling(buckets:)", is: buckets, allowed: "2...100000")
      validation.require(
        length.saturatingNanoseconds >= max(1, Int64(clamping: buckets)), "rolling", is: length,
        allowed: "at least a nanosecond a bucket")
    case .calls(let count):
      validation.require(
        (1...1_000_000).contains(count), "calls", is: count, allowed: "1...1000000")
    }
  }
}

extension CircuitBreaker.Recovery {
  func validate(_ validation: inout Validation) {
    openFor.validate(&validation)
    validation.require((1...10_000).contains(probes), "probes", is: probes, allowed: "1...10000")
    if let successesToClose {
      validation.require(
        successesToClose >= 1, "successesToClose", is: successesToClose, allowed: "1...")
    }
    if case .atFailureRate(let rate, let count) = reopening.kind {
      validation.requireRate(rate, "atFailureRate")
      validation.require(count >= 1, "atFailureRate(over:)", is: count, allowed: "1...")
      validation.require(
        successesToClose == nil, "successesToClose",
        is: successesToClose.map(String.init) ?? "nil",
        allowed: "nil with atFailureRate(_:over:), which decides when to close")
    }
    validation.require(probation >= .zero, "probation", is: probation, allowed: "zero or more")
    validation.require(probeLease > .zero, "probeLease", is: probeLease, allowed: "above zero")
    validation.require(
      maxRetryAfter >= .zero, "maxRetryAfter", is: maxRetryAfter, allowed: "zero or more")
  }
}

extension CircuitBreaker.OpenDuration {
  func validate(_ validation: inout Validation) {
    validation.require(first > .zero, "openFor", is: first, allowed: "above zero")
    validation.require(
      factor >= 1 && factor.isFinite, "openFor(factor:)", is: factor, allowed: "1 or more, finite")
    validation.require(
      cap >= first, "openFor(cap:)", is: cap, allowed: "at least the first open period, \(first)")
    validation.require(
      (0..<1).contains(jitter), "openFor(jitter:)", is: jitter, allowed: "0..<1")
  }
}

extension Validation {
  fileprivate mutating func requireRate(_ rate: Double, _ parameter: String) {
    require(rate > 0 && rate <= 1, parameter, is: rate, allowed: "above 0, at most 1")
  }

  fileprivate mutating func requireMinimumCalls(_ count: Int, of parameter: String) {
    require(count >= 1, "\(parameter)(minimumCalls:)", is: count, allowed: "1...")
  }
}
