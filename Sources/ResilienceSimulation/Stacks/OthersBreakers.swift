import Resilience

// The defaults of others' circuit breakers, by rule: this library's breaker configured like theirs,
// under its own retry and budget, so that stacks differ by the breaker alone. What a configuration
// cannot express stays this library's: a call that its caller cancelled says nothing (it counts as
// a failure in gobreaker, as a success in Polly), and a late result decides nothing.

extension Stack {
  /// gobreaker without settings: opens after more than 5 failures in a row, for 60 s; one probe.
  ///
  /// Source: the README of sony/gobreaker.
  public static var gobreaker: Stack { breaking("gobreaker", .gobreaker) }

  /// resilience4j without settings: opens at 50 % failures of the last 100 calls, for 60 s; then 10
  /// probes decide by the same rate.
  ///
  /// resilience4j waits for all 10 probes; here the circuit closes or opens as soon as those that are
  /// missing can change nothing. Calls are slow to it after 60 s, which no attempt takes here.
  ///
  /// Source: resilience4j's documentation, page "CircuitBreaker".
  public static var resilience4j: Stack { breaking("resilience4j", .resilience4j) }

  /// Polly v8 without settings: opens at 10 % failures of at least 100 calls in 30 s, for 5 s; one
  /// probe.
  ///
  /// Source: Polly's documentation, page "Circuit breaker resilience strategy", section "Defaults".
  public static var polly: Stack { breaking("Polly v8", .polly) }

  /// What most breakers look like: opens at 50 % failures of the last 100 calls and at least 20, for
  /// 5 s; one probe.
  ///
  /// The pattern is of M. Nygard, "Release It!", 2007; threshold, minimum and open period are
  /// Hystrix's, from its wiki's page "Configuration".
  public static var classicBreaker: Stack { breaking("classic breaker", .classic) }

  private static func breaking(
    _ name: String, _ configuration: CircuitBreaker.Configuration
  ) -> Stack {
    Stack(name) { client in
      Pipeline {
        Timeout(client.deadline, name: "deadline", clock: client.clock)
        client.retry(budget: RetryBudget(clock: client.clock))
        CircuitBreaker(
          "service", configuration: configuration, clock: client.clock, seed: client.seed(),
          observers: client.observers)
        Timeout(client.attemptTimeout, clock: client.clock)
      }
    }
  }
}

extension CircuitBreaker.Configuration {
  static var gobreaker: Self {
    Self(
      tripping: .consecutiveFailures(6), over: .sinceTransition,
      recovery: .snapping(openFor: .seconds(60)))
  }

  static var resilience4j: Self {
    Self(
      tripping: .failureRate(0.5, minimumCalls: 100), over: .calls(100),
      recovery: .snapping(
        openFor: .seconds(60), probes: 10, reopening: .atFailureRate(0.5, over: 10)))
  }

  static var polly: Self {
    Self(
      tripping: .failureRate(0.1, minimumCalls: 100), over: .rolling(.seconds(30), buckets: 10),
      recovery: .snapping(openFor: .seconds(5)))
  }

  static var classic: Self {
    Self(
      tripping: .failureRate(0.5, minimumCalls: 20), over: .calls(100),
      recovery: .snapping(openFor: .seconds(5)))
  }
}

extension CircuitBreaker.Recovery {
  /// As others recover: always open for as long, and closed from one call to the next. Nobody else's
  /// probes have a lease; a year is none.
  fileprivate static func snapping(
    openFor: CircuitBreaker.OpenDuration, probes: Int = 1,
    reopening: CircuitBreaker.Reopening = .onFirstFailure
  ) -> Self {
    Self(
      openFor: openFor, probes: probes, reopening: reopening, probation: .zero,
      probeLease: .seconds(365 * 86_400), maxRetryAfter: .zero)
  }
}
