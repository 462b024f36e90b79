import Resilience
import ResilienceTesting
import Testing

/// The first attempt never answers, its hedge does: what the first leaves behind in the policies inside.
@Suite("HG-3: a loser is neutral to every policy inside")
struct HedgedPoliciesTests {
  /// Makes a call whose hedge answers after 100 ms, through a hedge around the policy.
  private func callThatIsHedged(
    around policy: some ConcurrentPolicy, on clock: VirtualClock, budget: RetryBudget
  ) async throws -> Int {
    let hedge = Hedge(delay: .fixed(.milliseconds(100)), budget: budget, clock: clock)
    let pipeline = Pipeline {
      hedge
      policy
    }
    let answer = try await pipeline.run { execution in
      if execution.hedge == 0 { try await clock.sleep(for: .seconds(3_600)) }
      return execution.hedge
    }
    // The loser goes on until it notices.
    await clock.advance(by: .zero)
    return answer
  }

  private func budget(on clock: VirtualClock) -> RetryBudget {
    RetryBudget("hedges", ratio: 0.02, minimumCapacity: 5, clock: clock)
  }

  @Test("HG-3: a circuit breaker counts the winner only (failsafe P06)")
  func circuitBreaker() async throws {
    try await withVirtualTime { clock in
      let breaker = CircuitBreaker("b", tripping: .consecutiveFailures(1), clock: clock)
      let budget = budget(on: clock)
      for _ in 1...20 {
        let answer = try await callThatIsHedged(
          around: breaker, on: clock, budget: budget)
        #expect(answer == 1)
      }
      #expect(
        breaker.snapshot().counts == .init(successes: 20, ignored: 20, consecutiveSuccesses: 20))
      #expect(clock.sleeperCount == 0)
      // A hedge that wins is free.
      #expect(budget.snapshot().tokens == 5)
    }
  }

  @Test("HG-3: a loser that ends after the deadline is a loser, and not late")
  func loserAfterDeadline() async throws {
    try await withVirtualTime { clock in
      let breaker = CircuitBreaker("b", tripping: .consecutiveFailures(1), clock: clock)
      let limiter = AdaptiveLimiter(clock: clock)
      let pipeline = Pipeline {
        Timeout(.milliseconds(200), clock: clock)
        Hedge(delay: .fixed(.milliseconds(50)), clock: clock)
        breaker
        limiter
      }
      let answer = try await pipeline.run { execution in
        guard execution.hedge == 0 else { return execution.hedge }
        // Does not listen, and throws 100 ms after the deadline.
        await Task(executorPreference: clock.executor) {
          try? await clock.sleep(for: .milliseconds(300))
        }.value
        throw Unavailable()
      }
      #expect(answer == 1)
      await clock.advance(by: .seconds(1))
      #expect(breaker.state == .closed)
      #expect(limiter.snapshot().totals == .init(successes: 1, others: 1))
    }
  }

  @Test("HG-3, X-1: where the deadline ends all attempts, they have failed")
  func allTooLate() async throws {
    try await withVirtualTime { clock in
      let breaker = CircuitBreaker("b", tripping: .consecutiveFailures(2), clock: clock)
      let pipeline = Pipeline {
        Timeout(.milliseconds(200), clock: clock)
        Hedge(delay: .fixed(.milliseconds(50)), clock: clock)
        breaker
      }
      await #expect(throws: TimeoutError.self) {
        try await pipeline.run { try await clock.sleep(for: .seconds(9)) }
      }
      await clock.advance(by: .zero)
      #expect(breaker.state == .open)
    }
  }

  @Test("X-1: a call that its deadline had cancelled before it came to a hedge is refused")
  func cancelledBefore() async throws {
    try await withVirtualTime { clock in
      let breaker = CircuitBreaker("b", tripping: .consecutiveFailures(1), clock: clock)
      let hedge = Hedge(delay: .fixed(.milliseconds(50)), clock: clock)
      let abandoning = AbandoningTimeout(.seconds(1), clock: clock)
      for policy in [AnyConcurrentPolicy(hedge), AnyConcurrentPolicy(abandoning)] {
        let pipeline = Pipeline {
          breaker
          policy
        }
        do {
          try await Timeout(.seconds(1), clock: clock).run {
            try? await clock.sleep(for: .seconds(5))
            try await pipeline.run {}
          }
          Issue.record("it was not refused")
        } catch let error as TimeoutError {
          #expect(error.underlying is DeadlineExpiredError)
        }
      }
      #expect(breaker.snapshot().counts == .init(ignored: 2))
    }
  }

  @Test("HG-4: a dependency that hangs behind a timeout gets no more hedges than there are tokens")
  func hedgesCutOffByTheDeadline() async throws {
    try await withVirtualTime { clock in
      let budget = RetryBudget(minimumCapacity: 3, clock: clock)
      let pipeline = Pipeline {
        Timeout(.seconds(1), clock: clock)
        Hedge(delay: .fixed(.milliseconds(100)), budget: budget, clock: clock)
      }
      let attempts = Shared(0)
      for _ in 0..<20 {
        await #expect(throws: TimeoutError.self) {
          try await pipeline.run {
            attempts.change { $0 += 1 }
            try await clock.sleep(for: .seconds(60))
          }
        }
      }
      // 20 first attempts, and three that the budget pays for.
      #expect(attempts.value == 23)
      #expect(budget.snapshot().tokens == 0)
    }
  }

  @Test("HG-3: a bulkhead has its places back")
  func bulkhead() async throws {
    try await withVirtualTime { clock in
      let bulkhead = Bulkhead(limit: 2, clock: clock)
      let answer = try await callThatIsHedged(
        around: bulkhead, on: clock, budget: budget(on: clock))
      #expect(answer == 1)
      #expect(bulkhead.snapshot().inFlight == 0)
      #expect(bulkhead.snapshot().totals == .init(admitted: 2))
    }
  }

  @Test("HG-3: a loser that waits for a place leaves the queue")
  func bulkheadQueue() async throws {
    try await withVirtualTime { clock in
      let bulkhead = Bulkhead(limit: 1, queue: 5, maxWait: .seconds(60), clock: clock)
      let hedge = Hedge(delay: .fixed(.milliseconds(100)), clock: clock)
      let pipeline = Pipeline {
        hedge
        bulkhead
      }
      // The first holds the only place and answers while its hedge waits for one.
      let answer = try await pipeline.run { execution in
        try await clock.sleep(for: .milliseconds(500))
        return execution.hedge
      }
      await clock.advance(by: .zero)
      #expect(answer == 0)
      #expect(bulkhead.snapshot().inFlight == 0 && bulkhead.snapshot().waiting == 0)
      #expect(clock.sleeperCount == 0)
    }
  }

  @Test("HG-3, RL-4: a loser that waits for a token takes none")
  func rateLimiter() async throws {
    try await withVirtualTime { clock in
      let limiter = RateLimiter(.perSecond(1), maxWait: .seconds(60), clock: clock)
      let hedge = Hedge(delay: .fixed(.milliseconds(100)), clock: clock)
      let pipeline = Pipeline {
        hedge
        limiter
      }
      let answer = try await pipeline.run { execution in
        try await clock.sleep(for: .milliseconds(500))
        return execution.hedge
      }
      await clock.advance(by: .zero)
      #expect(answer == 0)
      #expect(limiter.snapshot().waiting == 0)
      await clock.advance(to: .start.advanced(by: .seconds(1)))
      #expect(limiter.tryAcquire())
      #expect(clock.sleeperCount == 0)
    }
  }

  @Test("HG-3, AC-1: an adaptive limiter learns from the winner only")
  func adaptiveLimiter() async throws {
    try await withVirtualTime { clock in
      let limiter = AdaptiveLimiter(clock: clock)
      let answer = try await callThatIsHedged(
        around: limiter, on: clock, budget: budget(on: clock))
      #expect(answer == 1)
      let snapshot = limiter.snapshot()
      #expect(snapshot.inFlight == 0)
      #expect(snapshot.totals.overloads == 0 && snapshot.totals.successes == 1)
    }
  }

  @Test("HG-3, TH-1: a throttle counts the winner only")
  func throttle() async throws {
    try await withVirtualTime { clock in
      let throttle = Throttle(clock: clock)
      for _ in 1...20 {
        _ = try await callThatIsHedged(around: throttle, on: clock, budget: budget(on: clock))
      }
      let snapshot = throttle.snapshot()
      #expect(snapshot.inFlight == 0)
      #expect(snapshot.accepts == 20 && snapshot.requests == 20)
    }
  }
}
