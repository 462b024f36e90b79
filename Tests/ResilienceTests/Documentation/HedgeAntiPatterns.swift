import Resilience
import ResilienceTesting
import Testing

extension Documentation {
  /// What the guide warns of: each with the harm that it does, then the cure without it.
  @Suite("Documentation: anti-patterns of hedges")
  struct HedgeAntiPatterns {
    static let slow = Duration.milliseconds(200)

    static func hedge(on clock: VirtualClock) -> Hedge {
      Hedge(delay: .fixed(.milliseconds(50)), clock: clock)
    }

    // MARK: Writing

    @Test("a write that is hedged is done twice")
    func write() async throws {
      try await withVirtualTime { clock in
        let users = UnevenService([Self.slow], clock: clock)
        let (hedge, id) = (Self.hedge(on: clock), 1)
        // snippet
        try await hedge.run { try await users.create(id) }
        // end snippet
        #expect(users.created == [1, 1])
      }
    }

    @Test("with a key it is done once")
    func writeWithKey() async throws {
      try await withVirtualTime { clock in
        let users = UnevenService([Self.slow], clock: clock)
        let (hedge, id, request) = (Self.hedge(on: clock), 1, "4711")
        // snippet
        try await hedge.run { try await users.create(id, key: request) }
        // end snippet
        #expect(users.created == [1])
        #expect(users.calls == 2)
      }
    }

    // MARK: Without a budget

    /// How many attempts a hundred slow calls make.
    static func attempts(_ hedge: Hedge, on clock: VirtualClock) async throws -> Int {
      let users = UnevenService(Array(repeating: slow, count: 1_000), clock: clock)
      for _ in 0..<100 { _ = try await hedge.run { try await users.find(1) } }
      return users.calls
    }

    @Test("without a budget a dependency that is slow gets every call twice")
    func noBudget() async throws {
      try await withVirtualTime { clock in
        // snippet
        let hedge = Hedge(delay: .fixed(.milliseconds(50)), budget: nil, clock: clock)
        // end snippet
        let attempts = try await Self.attempts(hedge, on: clock)
        #expect(attempts == 200)
      }
    }

    @Test("with one it gets a few calls more")
    func budget() async throws {
      try await withVirtualTime { clock in
        // snippet
        let hedge = Hedge(delay: .fixed(.milliseconds(50)), clock: clock)
        // end snippet
        let attempts = try await Self.attempts(hedge, on: clock)
        #expect(attempts <= 107)
      }
    }

    // MARK: Too early

    /// Calls of 10 to 29 ms, and then one of a second: how long does that take?
    static func straggler(_ hedge: Hedge, on clock: VirtualClock) async throws -> Duration {
      let usual = (0..<100).map { Duration.milliseconds(10 + $0 % 20) }
      for latency in usual {
        // A hedge has no better luck.
        try await hedge.run { try await clock.sleep(for: latency) }
      }
      let start = clock.now
      let users = UnevenService([.seconds(1)], clock: clock)
      _ = try await hedge.run { try await users.find(1) }
      return start.duration(to: clock.now)
    }

    @Test("hedging what is not slow leaves nothing for what is")
    func early() async throws {
      try await withVirtualTime { clock in
        // snippet
        let hedge = Hedge(delay: .percentile(0.5), clock: clock)
        // end snippet
        let latency = try await Self.straggler(hedge, on: clock)
        #expect(latency == .seconds(1))
        #expect(hedge.snapshot().totals.budgetRefused > 10)
      }
    }

    @Test("hedging the slowest two in a hundred answers the straggler")
    func inTime() async throws {
      try await withVirtualTime { clock in
        // snippet
        let hedge = Hedge(delay: .percentile(0.98), clock: clock)
        // end snippet
        let latency = try await Self.straggler(hedge, on: clock)
        #expect(latency < .milliseconds(40))
        #expect(hedge.snapshot().totals.budgetRefused == 0)
      }
    }

    // MARK: Deaf operations

    @Test("losers that ignore their cancellation go on behind the call's back")
    func deaf() async throws {
      try await withVirtualTime { clock in
        let stubborn = StubbornService(clock: clock)
        let (hedge, id) = (Self.hedge(on: clock), 1)
        let users = UserService()
        for _ in 0..<3 {
          // snippet
          let user = try await hedge.run { execution in
            execution.hedge == 0 ? await stubborn.find(id) : try await users.find(id)
          }
          // end snippet
          #expect(user == User(id: 1))
        }
        #expect(stubborn.isRunning == 3)
      }
    }

    @Test("losers that heed it are gone")
    func heeding() async throws {
      try await withVirtualTime { clock in
        let (hedge, id) = (Self.hedge(on: clock), 1)
        let users = UnevenService([.seconds(60)], clock: clock)
        // snippet
        let user = try await hedge.run { try await users.find(id) }
        // end snippet
        await clock.advance(by: .zero)
        #expect(user == User(id: 1))
        #expect(clock.sleeperCount == 0)
      }
    }

    // MARK: A retry inside

    @Test("a retry inside makes a series of attempts of each hedge")
    func retryInside() async throws {
      try await withVirtualTime { clock in
        let fetch = Script<User>([.fail(Unavailable())], clock: clock)
        let budget = RetryBudget(minimumCapacity: 10, clock: clock)
        // snippet
        let pipeline = Pipeline {
          Hedge(delay: .fixed(.milliseconds(50)), clock: clock)
          Retry(budget: budget, clock: clock)
        }
        // end snippet
        _ = try? await pipeline.run { try await fetch() }
        #expect(fetch.calls == 6)
        #expect(pipeline.validate().map(\.kind) == [.retryInsideHedge])
      }
    }

    @Test("a retry outside waits between attempts, each of which is hedged")
    func retryOutside() async throws {
      let clock = VirtualClock()
      let budget = RetryBudget(clock: clock)
      // snippet
      let pipeline = Pipeline {
        Retry(budget: budget, clock: clock)
        Hedge(delay: .fixed(.milliseconds(50)), clock: clock)
      }
      // end snippet
      #expect(pipeline.validate() == [])
    }
  }
}
