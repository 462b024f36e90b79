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
