extension CircuitBreaker {
  /// The numbers that a circuit breaker decides by.
  ///
  /// Outcomes are those in the window; ``rejected`` and ``late`` are totals of the breaker's life.
  /// All counters are 64 bits wide and stay at the top instead of wrapping.
  public struct Counts: Hashable, Sendable {
    /// Calls that succeeded.
    public var successes = 0

    /// Calls that failed.
    public var failures = 0

    /// Calls that were neither: cancelled by their callers, refused by a policy inside, or left
    /// without a report. In a closed circuit over ``Window/calls(_:)`` it stays 0, because they take no
    /// place there.
    public var ignored = 0

    /// Calls that took longer than the threshold of the slow-call rate, successful or not.
    public var slow = 0

    /// Successes since the last failure.
    public var consecutiveSuccesses = 0

    /// Failures since the last success.
    public var consecutiveFailures = 0

    /// Calls of this generation that have not ended yet.
    public var inFlight = 0

    /// Those of them that hang: in flight for longer than ``Configuration/hungAfter``, where that is
    /// set. Until they end they are in none of the numbers above, and not in the rates below.
    public var hung = 0

    /// Calls refused in the breaker's life.
    public var rejected = 0

    /// Results that arrived after the state had changed, in the breaker's life.
    public var late = 0

    /// No calls yet, unless told otherwise.
    public init(
      successes: Int = 0, failures: Int = 0, ignored: Int = 0, slow: Int = 0,
      consecutiveSuccesses: Int = 0, consecutiveFailures: Int = 0, inFlight: Int = 0,
      hung: Int = 0, rejected: Int = 0, late: Int = 0
    ) {
      self.successes = successes
      self.failures = failures
      self.ignored = ignored
      self.slow = slow
      self.consecutiveSuccesses = consecutiveSuccesses
      self.consecutiveFailures = consecutiveFailures
      self.inFlight = inFlight
      self.hung = hung
      self.rejected = rejected
      self.late = late
    }

    /// Completed calls in the window: successes, failures and ignored ones.
    public var calls: Int {
      var calls = successes
      calls.add(failures)
      calls.add(ignored)
      return calls
    }

    /// Failures among the calls that succeeded or failed; `nil` if there are none.
    public var failureRate: Double? { rate(of: failures) }

    /// Slow calls among the calls that succeeded or failed; `nil` if there are none.
    public var slowCallRate: Double? { rate(of: slow) }

    private func rate(of part: Int) -> Double? {
      let whole = Double(successes) + Double(failures)
      return whole > 0 ? Double(part) / whole : nil
    }
  }

  /// What happened in a circuit breaker's whole life. Counters for a metrics system: they only
  /// grow.
  public struct Totals: Hashable, Sendable {
    /// Calls that succeeded.
    public var successes = 0

    /// Calls that failed; probes that lost their lease among them.
    public var failures = 0

    /// Calls that were neither.
    public var ignored = 0

    /// Calls that took longer than the threshold of the slow-call rate.
    public var slow = 0

    /// Calls refused.
    public var rejected = 0

    /// Results that arrived after the state had changed.
    public var late = 0

    /// Transitions from closed to open.
    public var trips = 0

    /// Transitions from half-open back to open.
    public var reopenings = 0

    /// Nothing happened yet, unless told otherwise.
    public init(
      successes: Int = 0, failures: Int = 0, ignored: Int = 0, slow: Int = 0, rejected: Int = 0,
      late: Int = 0, trips: Int = 0, reopenings: Int = 0
    ) {
      self.successes = successes
      self.failures = failures
      self.ignored = ignored
      self.slow = slow
      self.rejected = rejected
      self.late = late
      self.trips = trips
      self.reopenings = reopenings
    }
  }
}
