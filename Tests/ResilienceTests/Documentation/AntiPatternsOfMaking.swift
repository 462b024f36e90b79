import Resilience
import ResilienceTesting
import Testing

extension Documentation {
  /// What the guide warns of in making a breaker: each with the harm that it does, then the cure without it.
  @Suite("Documentation: anti-patterns in making a breaker")
  struct AntiPatternsOfMaking {
    let users = UserService(.failing(Unavailable()))

    // MARK: A breaker for each call

    @Test("a breaker made for each call never opens")
    func breakerPerCall() async throws {
      let users = users
      // snippet
      func find(_ id: Int) async throws -> User {
        let breaker = CircuitBreaker("user-service")
        return try await breaker.run { try await users.find(id) }
      }
      // end snippet
      for id in 1...100 { _ = try? await find(id) }
      #expect(users.calls == 100)
    }

    @Test("a breaker that is kept opens")
    func breakerKept() async throws {
      // snippet
      struct UserClient {
        let users: UserService
        let breaker = CircuitBreaker("user-service")

        func find(_ id: Int) async throws -> User {
          try await breaker.run { try await users.find(id) }
        }
      }
      // end snippet
      let client = UserClient(users: users)
      for id in 1...100 { _ = try? await client.find(id) }
      #expect(users.calls < 100)
      #expect(client.breaker.snapshot().totals.rejected == 100 - users.calls)
    }

    // MARK: One breaker for many shards

    @Test("one breaker over shards refuses the healthy ones or never opens")
    func oneBreakerOverShards() async throws {
      let shards = (0..<10).map { UserService($0 == 7 ? .failing(Unavailable()) : .answering) }
      // snippet
      let breaker = CircuitBreaker("users", tripping: .failureRate(0.1))

      func find(_ id: Int) async throws -> User {
        try await breaker.run { try await shards[id % 10].find(id) }
      }
      // end snippet
      var refusedByMistake = 0
      for id in 0..<100 where id % 10 != 7 || breaker.state == .closed {
        do { _ = try await find(id) } catch is CircuitOpenError { refusedByMistake += 1 } catch {}
      }
      #expect(refusedByMistake > 0)
    }

    @Test("a breaker for each shard refuses the broken one alone")
    func breakerPerShard() async throws {
      let shards = (0..<10).map { UserService($0 == 7 ? .failing(Unavailable()) : .answering) }
      // snippet
      let breakers = (0..<10).map { shard in CircuitBreaker("users-\(shard)") }

      func find(_ id: Int) async throws -> User {
        try await breakers[id % 10].run { try await shards[id % 10].find(id) }
      }
      // end snippet
      for id in 0..<1000 where id % 10 == 7 { _ = try? await find(id) }
      for id in 0..<100 where id % 10 != 7 { _ = try await find(id) }
      #expect(breakers.map { $0.snapshot().totals.rejected > 0 }.filter(\.self).count == 1)
      #expect(breakers[7].snapshot().totals.rejected > 0)
    }

    // MARK: "Not found" as a failure

    @Test("users who do not exist open the circuit to a healthy service")
    func notFoundFails() async throws {
      users.become(.failing(NoSuchUser()))
      // snippet
      let breaker = CircuitBreaker("user-service")
      // end snippet
      for id in 1...40 { _ = try? await breaker.run { try await users.find(id) } }
      #expect(breaker.snapshot().totals.trips > 0)
    }

    @Test("users who do not exist are an answer")
    func notFoundAnswers() async throws {
      users.become(.failing(NoSuchUser()))
      // snippet
      let breaker = CircuitBreaker(
        "user-service",
        classify: { $0 is NoSuchUser ? .success : nil }
      )
      // end snippet
      for id in 1...40 { _ = try? await breaker.run { try await users.find(id) } }
      #expect(breaker.state == .closed)
      #expect(breaker.snapshot().counts.successes == 40)
    }

    // MARK: A streak longer than its interval

    @Test("five failures in a row every three seconds never fit in ten seconds")
    func streakOverInterval() async throws {
      // snippet
      let configuration = CircuitBreaker.Configuration(
        tripping: .consecutiveFailures(5),
        over: .interval(.seconds(10))
      )
      // end snippet
      let breaker = await failing(1000, every: .seconds(3), configuration)
      #expect(breaker.state == .closed)
      #expect(breaker.snapshot().totals.failures == 1000)
    }

    @Test("a streak under a rolling window does not depend on it")
    func streakOverRolling() async throws {
      // snippet
      let configuration = CircuitBreaker.Configuration(
        tripping: .consecutiveFailures(5),
        over: .rolling(.seconds(10))
      )
      // end snippet
      let breaker = await failing(5, every: .seconds(3), configuration)
      #expect(breaker.snapshot().totals.trips == 1)
    }

    /// A breaker after failures with pauses between them.
    func failing(
      _ count: Int, every pause: Duration, _ configuration: CircuitBreaker.Configuration,
      after successes: Int = 0
    ) async -> CircuitBreaker {
      let clock = VirtualClock()
      let breaker = CircuitBreaker("user-service", configuration: configuration, clock: clock)
      for _ in 0..<successes { try? await breaker.run {} }
      for _ in 0..<count {
        await clock.advance(by: pause)
        try? await breaker.run { throw Unavailable() }
      }
      return breaker
    }

    // MARK: A rate over everything

    @Test("a rate over days of successes does not see an outage")
    func rateSinceTransition() async throws {
      // snippet
      let configuration = CircuitBreaker.Configuration(
        tripping: .failureRate(0.5),
        over: .sinceTransition
      )
      // end snippet
      let breaker = await failing(
        9_999, every: .milliseconds(10), configuration, after: 10_000)
      #expect(breaker.snapshot().totals.trips == 0)
    }

    @Test("a rate over the last seconds does")
    func rateOverRolling() async throws {
      // snippet
      let configuration = CircuitBreaker.Configuration(
        tripping: .failureRate(0.5),
        over: .rolling(.seconds(10))
      )
      // end snippet
      let breaker = await failing(2_000, every: .milliseconds(10), configuration, after: 10_000)
      #expect(breaker.snapshot().totals.trips > 0)
    }
  }
}
