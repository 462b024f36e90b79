extension CircuitBreaker {
  /// The settings of a circuit breaker, as a value that can be built and validated at run time.
  public struct Configuration: Sendable, CustomStringConvertible {
    /// When a closed circuit opens.
    public var tripping: TripCondition

    /// Which outcomes it decides by.
    public var window: Window

    /// Calls in flight for longer than this hang, and are evidence that the dependency does not
    /// answer; `nil` waits for calls to end.
    ///
    /// Looked at when a call arrives, and after one that failed or was slow; there is no timer. A
    /// call that hangs counts as a failed one in the rates of the trip condition, and in their
    /// `minimumCalls`; one that started after the last success also extends the streak of failures,
    /// which then lasts until now. When it ends, its result takes that place. ``Counts/hung`` shows
    /// how many there are. A probe hangs as well: its lease is the shorter of this and
    /// ``Recovery/probeLease``.
    ///
    /// A call counts as hung at the latest after nine eighths of this, and never before: memory does
    /// not grow with the calls in flight. Every call takes the lock and reads the clock twice.
    ///
    /// > Important: Calls that take long by nature, such as long polls and streams, hang by this
    /// > rule. Give them a breaker of their own.
    public var hungAfter: Duration?

    /// How many calls that hang, and started after the last success, open the circuit at once,
    /// whatever the trip condition says. Means something only with ``hungAfter``.
    public var hungCalls: Int

    /// How it comes back.
    public var recovery: Recovery

    /// The recommended settings, unless told otherwise; ``CircuitBreaker`` says what they are.
    ///
    /// - Parameters:
    ///   - tripping: when a closed circuit opens.
    ///   - window: which outcomes it decides by.
    ///   - hungAfter: from when on a call in flight is evidence; `nil`, never, by default.
    ///   - hungCalls: how many of them open the circuit at once; 2 by default.
    ///   - recovery: how it comes back.
    public init(
      tripping: TripCondition = .any(
        .consecutiveFailures(6, lasting: .seconds(3)), .failureRate(0.8, minimumCalls: 40)),
      over window: Window = .rolling(.seconds(10), buckets: 10),
      hungAfter: Duration? = nil,
      hungCalls: Int = 2,
      recovery: Recovery = Recovery()
    ) {
      self.tripping = tripping
      self.window = window
      self.hungAfter = hungAfter
      self.hungCalls = hungCalls
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
      validateHungCalls(&validation)
      recovery.validate(&validation)
      try validation.finish()
    }

    /// The settings in words, for a log.
    public var description: String {
      let hung = hungAfter.map { " or \(hungCalls) calls hung after \($0)" } ?? ""
      return "trips at \(tripping)\(hung), over \(window); \(recovery)"
    }

    private func validateHungCalls(_ validation: inout Validation) {
      if let hungAfter {
        validation.require(hungAfter > .zero, "hungAfter", is: hungAfter, allowed: "above zero")
      }
      validation.require(hungCalls >= 1, "hungCalls", is: hungCalls, allowed: "1...")
    }
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
