import Resilience

// The stacks of this library.

extension Stack {
  /// Nothing but an attempt timeout: each call is one attempt.
  public static var bare: Stack {
    Stack("bare") { client in Timeout(client.attemptTimeout, clock: client.clock) }
  }

  /// Retries with backoff and jitter, and nothing that bounds them: what most programs have.
  public static var naiveRetry: Stack {
    Stack("naive retry") { client in
      Pipeline {
        Timeout(client.deadline, name: "deadline", clock: client.clock)
        client.retry(budget: nil)
        Timeout(client.attemptTimeout, clock: client.clock)
      }
    }
  }

  /// Retries from a budget, without a circuit breaker.
  public static var retryAndBudget: Stack {
    Stack("retry + budget") { client in
      Pipeline {
        Timeout(client.deadline, name: "deadline", clock: client.clock)
        client.retry(budget: RetryBudget(clock: client.clock))
        Timeout(client.attemptTimeout, clock: client.clock)
      }
    }
  }

  /// The default of every policy, in the recommended order.
  public static var recommended: Stack {
    Stack("recommended") { client in
      Pipeline {
        Timeout(client.deadline, name: "deadline", clock: client.clock)
        client.retry(budget: RetryBudget(clock: client.clock))
        client.breaker("service")
        Timeout(client.attemptTimeout, clock: client.clock)
      }
    }
  }

  /// The recommended stack with a breaker for each key, which counts calls that hang for half a second,
  /// and a limit on the calls in flight that is found by timeouts.
  public static var tuned: Stack {
    Stack("tuned", routing: tuned(client:))
  }

  private static func tuned(client: Client) -> @Sendable (Request) -> any ConcurrentPolicy {
    let retry = client.retry(budget: RetryBudget(clock: client.clock))
    let breakers = Keyed<Int, CircuitBreaker>(capacity: 256) { key in
      client.tunedBreaker("key \(key)")
    }
    let limiter = AdaptiveLimiter(clock: client.clock)
    let deadline = Timeout(client.deadline, name: "deadline", clock: client.clock)
    let timeout = Timeout(client.attemptTimeout, clock: client.clock)
    return { request in
      Pipeline {
        deadline
        retry
        breakers[request.key]
        limiter
        timeout
      }
    }
  }

  /// The recommended stack with a breaker that counts calls that hang for half a second.
  public static var hungCalls: Stack {
    Stack("hung calls") { client in
      Pipeline {
        Timeout(client.deadline, name: "deadline", clock: client.clock)
        client.retry(budget: RetryBudget(clock: client.clock))
        client.tunedBreaker("service")
        Timeout(client.attemptTimeout, clock: client.clock)
      }
    }
  }

  /// The recommended stack with hedges.
  public static var hedged: Stack {
    Stack("hedged") { client in
      Pipeline {
        Timeout(client.deadline, name: "deadline", clock: client.clock)
        client.retry(budget: RetryBudget(clock: client.clock))
        Hedge(clock: client.clock)
        client.breaker("service")
        Timeout(client.attemptTimeout, clock: client.clock)
      }
    }
  }

  /// The tuned stack, before a service that limits what it takes on by its own latencies, the least
  /// critical first.
  public static var guarded: Stack {
    tuned.guarded("guarded") { service in
      AdaptiveLimiter("service", algorithm: .gradient(), clock: service.clock)
    }
  }

  /// The stacks of this library, from nothing to everything.
  public static var own: [Stack] {
    [bare, naiveRetry, retryAndBudget, recommended, hungCalls, tuned, hedged, guarded]
  }
}

extension Client {
  /// The default retry, but for the number of attempts, which the scenario says.
  func retry(budget: RetryBudget?) -> Retry {
    Retry(maxAttempts: maxAttempts, budget: budget, clock: clock, seed: seed())
  }

  /// The default circuit breaker.
  func breaker(_ name: String) -> CircuitBreaker {
    CircuitBreaker(name, clock: clock, seed: seed(), observers: observers)
  }

  /// The default circuit breaker that counts calls that hang. A service that says that it has too much
  /// to do is not broken.
  func tunedBreaker(_ name: String) -> CircuitBreaker {
    CircuitBreaker(
      name, hungAfter: .milliseconds(500), hungCalls: 1,
      classify: { $0 as? ServiceError == .overloaded ? .ignored : nil },
      clock: clock, seed: seed(), observers: observers)
  }
}
