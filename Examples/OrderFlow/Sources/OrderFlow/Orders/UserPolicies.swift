package import Resilience

/// What a call to the user service goes through.
///
/// One for all calls: the policies in it count together.
package struct UserPolicies: Sendable {
  /// Bounds all attempts of a call, and the waits between them.
  package let total: Timeout
  package let retry: Retry
  package let breaker: CircuitBreaker
  /// Bounds each attempt.
  package let attempt: Timeout
  /// Makes requests fail on purpose, if there is one.
  package let faults: FaultInjection?

  package init(
    retry: Retry, breaker: CircuitBreaker, total: Duration = .seconds(3),
    attempt: Duration = .seconds(1), faults: FaultInjection? = nil
  ) {
    self.total = Timeout(total, name: "total")
    self.retry = retry
    self.breaker = breaker
    self.attempt = Timeout(attempt, name: "attempt")
    self.faults = faults
  }

  /// The first is outermost. It is a value, and putting it together costs next to nothing.
  package var pipeline: Pipeline<some ResiliencePolicy> {
    Pipeline {
      total
      retry
      breaker
      attempt
      // Innermost, in the place of the dependency: everything outside has to cope.
      if let faults { faults }
    }
  }
}

extension UserPolicies {
  /// What the demo runs with.
  ///
  /// - Parameters:
  ///   - observer: is told what the retry and the circuit breaker do.
  ///   - faults: what makes requests fail on purpose.
  package init(
    openFor: Duration, observer: any ResilienceObserver, faults: FaultInjection? = nil
  ) {
    self.init(
      retry: .brief(observers: [observer]),
      breaker: .classic(openFor: openFor, observers: [observer]), faults: faults)
  }
}

extension Retry {
  /// Up to three attempts, soon after one another: to find a user has no effects, so it is safe to
  /// repeat.
  ///
  /// - Parameter budget: pays for the attempts beyond the first.
  package static func brief(
    budget: RetryBudget = RetryBudget("user-service"), observers: [any ResilienceObserver] = []
  ) -> Retry {
    Retry(
      "user-service",
      maxAttempts: 3,
      backoff: .exponential(from: .milliseconds(50), cap: .milliseconds(200)),
      budget: budget,
      // That there is no such user is an answer, and stays one.
      deciding: { error in error is UnknownUser ? .accept : nil },
      observers: observers)
  }
}

extension CircuitBreaker {
  /// The classic configuration: five failures in a row within ten seconds open the circuit, three
  /// probes that succeed close it.
  ///
  /// - Parameter openFor: 30 s in production; a demo shortens it.
  package static func classic(
    openFor: Duration, clock: any Clock<Duration> = ContinuousClock(),
    observers: [any ResilienceObserver] = []
  ) -> CircuitBreaker {
    CircuitBreaker(
      "user-service",
      tripping: .consecutiveFailures(5),
      over: .interval(.seconds(10)),
      recovery: Recovery(
        openFor: .constant(openFor), probes: 3, successesToClose: 3, probation: .zero),
      // It says nothing about the health of the service.
      classify: { error in error is UnknownUser ? .ignored : nil },
      clock: clock,
      observers: observers)
  }
}
