import Resilience
import ResilienceTesting
import Testing

extension Documentation {
  /// What the guide warns of: each with the harm that it does, then the cure without it.
  @Suite("Documentation: anti-patterns of rate limiters")
  struct RateLimiterAntiPatterns {
    let users = UserService()

    @Test("a limiter for each call refuses nothing")
    func limiterForEachCall() async throws {
      let clock = VirtualClock()
      // snippet
      func find(_ id: Int) async throws -> User {
        let limiter = RateLimiter("user-service", .perSecond(10), clock: clock)
        return try await limiter.run { try await users.find(id) }
      }
      // end snippet
      for id in 1...100 { _ = try await find(id) }
      #expect(users.calls == 100)
    }

    @Test("a limiter that is kept refuses")
    func keptLimiter() async throws {
      let clock = VirtualClock()
      // snippet
      let limiter = RateLimiter("user-service", .perSecond(10), clock: clock)
      func find(_ id: Int) async throws -> User {
        try await limiter.run { try await users.find(id) }
      }
      // end snippet
      for id in 1...100 { _ = try? await find(id) }
      #expect(users.calls == 1)
    }

    @Test("a burst of a whole period is twice the quota in the first")
    func wholePeriod() {
      let clock = VirtualClock()
      // snippet
      let limiter = RateLimiter("user-service", .perMinute(600), burst: 600, clock: clock)
      // end snippet
      #expect(callsInAMinute(limiter, clock) == 1200)
    }

    @Test("a burst and a period's tokens are the quota")
    func partOfPeriod() {
      let clock = VirtualClock()
      // snippet
      let limiter = RateLimiter("user-service", .perMinute(540), burst: 60, clock: clock)
      // end snippet
      #expect(callsInAMinute(limiter, clock) == 600)
    }

    private func callsInAMinute(_ limiter: RateLimiter, _ clock: VirtualClock) -> Int {
      var calls = 0
      for _ in 0...600 {
        while limiter.tryAcquire() { calls += 1 }
        clock.advance(by: .milliseconds(100))
      }
      return calls
    }

    @Test("who waits for too long spends tokens on nobody")
    func longWait() async throws {
      let users = users
      try await withVirtualTime { clock in
        // snippet
        let limiter = RateLimiter(
          "user-service", .perSecond(1), maxWait: .seconds(60), clock: clock)
        // end snippet
        let served = await Self.call(clock, 10) { id in
          try await limiter.run { try await users.find(id) }
        }
        #expect(served == 10)
        #expect(clock.now.offset >= .seconds(9))
      }
    }

    @Test("with a deadline what is too late is refused at once")
    func deadline() async throws {
      let users = users
      try await withVirtualTime { clock in
        let limiter = RateLimiter(
          "user-service", .perSecond(1), maxWait: .seconds(60), clock: clock)
        let served = await Self.call(clock, 10) { id in
          // snippet
          let user = try await Deadline(in: .seconds(2), clock: clock).run {
            try await limiter.run { try await users.find(id) }
          }
          // end snippet
          return user
        }
        #expect(served == 2)
        #expect(limiter.snapshot().totals.deadlineExpired == 8)
      }
    }

    /// - Returns: how many of so many calls at once are answered.
    private static func call(
      _ clock: VirtualClock, _ count: Int, _ find: @escaping @Sendable (Int) async throws -> User
    ) async -> Int {
      await withTaskGroup(of: Bool.self) { group in
        for id in 1...count { group.addTask { (try? await find(id)) != nil } }
        await clock.advance(by: .seconds(60))
        return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
      }
    }
  }
}
