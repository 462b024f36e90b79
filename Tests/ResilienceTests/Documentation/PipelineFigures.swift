import Resilience
import ResilienceTesting
import Testing

extension Documentation {
  /// What the guide says about orders, and what it warns of.
  @Suite("Documentation: orders and anti-patterns of pipelines")
  struct PipelineFigures {
    static let guide = PipelineUsage.guide

    let service = UserService(.failing(Unavailable()))

    @Test("every mistake is in the table, and its order is one")
    func mistakes() throws {
      let rows = try rows(inMarkdown: Self.guide)
      let retry = Placeholder(.retry(maxAttempts: 3, nests: false), "retry")
      let mistakes: [(name: String, PipelineMistake.Kind, [PipelineMistake])] = [
        (
          "timeoutWithoutEffect", .timeoutWithoutEffect,
          Pipeline {
            Timeout(.seconds(1))
            Timeout(.seconds(1))
          }.validate()
        ),
        (
          "circuitBreakerOutsideRetry", .circuitBreakerOutsideRetry,
          Pipeline {
            CircuitBreaker("users")
            retry
          }.validate()
        ),
        (
          "slotHeldDuringRetry", .slotHeldDuringRetry,
          Pipeline {
            Placeholder(.bulkhead, "slots")
            retry
          }.validate()
        ),
        (
          "limitOutsideRetry", .limitOutsideRetry,
          Pipeline {
            Placeholder(.rateLimiter, "rate")
            retry
          }.validate()
        ),
        (
          "retryInsideHedge", .retryInsideHedge,
          Pipeline {
            Placeholder(.hedge, "hedge")
            retry
          }.validate()
        ),
        (
          "retryInsideRetry", .retryInsideRetry,
          Pipeline {
            Retry()
            Retry()
          }.validate()
        ),
        (
          "noAttemptTimeout", .noAttemptTimeout,
          Pipeline {
            Timeout(.seconds(1))
            Retry()
          }.validate()
        ),
      ]
      for (name, kind, found) in mistakes {
        #expect(found.map(\.kind) == [kind], "\(name)")
        let isShown = rows.contains { $0.first == "`\(name)`" }
        #expect(isShown, "\(name)")
      }
    }

    // MARK: The breaker and the retry

    @Test("a breaker outside of a retry opens three times as late")
    func breakerOutside() async throws {
      let rows = try rows(inMarkdown: Self.guide)
      let service = service
      try await withVirtualTime { clock in
        let breaker = CircuitBreaker("users", tripping: .consecutiveFailures(6), clock: clock)
        let budget = RetryBudget(minimumCapacity: 100, clock: clock)
        // snippet
        let users = Pipeline {
          breaker
          Retry("user-service", budget: budget, clock: clock)
        }
        // end snippet
        #expect(users.validate().map(\.kind) == [.circuitBreakerOutsideRetry])
        while breaker.state == .closed { _ = try? await users.run { try await service.find(1) } }
        #expect(rows.first { $0.first == "outside of it" }?[1] == "\(service.calls)")
      }
    }

    @Test("a breaker inside of it sees every attempt")
    func breakerInside() async throws {
      let rows = try rows(inMarkdown: Self.guide)
      let service = service
      try await withVirtualTime { clock in
        let breaker = CircuitBreaker("users", tripping: .consecutiveFailures(6), clock: clock)
        let budget = RetryBudget(minimumCapacity: 100, clock: clock)
        // snippet
        let users = Pipeline {
          Retry("user-service", budget: budget, clock: clock)
          breaker
        }
        // end snippet
        #expect(users.validate() == [])
        while breaker.state == .closed { _ = try? await users.run { try await service.find(1) } }
        let row = rows.first { $0.first == "inside the retry of three attempts" }
        #expect(row?[1] == "\(service.calls)")
      }
    }

    // MARK: One for each

    @Test("a pipeline for each call knows nothing, and makes every call twice")
    func pipelineForEachCall() async throws {
      let service = service
      try await withVirtualTime { clock in
        // snippet
        func find(_ id: Int) async throws -> User {
          let users = Pipeline {
            Retry("user-service", clock: clock)
            CircuitBreaker("user-service", clock: clock)
          }
          return try await users.run { try await service.find(id) }
        }
        // end snippet
        for id in 1...100 { _ = try? await find(id) }
        #expect(service.calls == 200)
      }
    }

    @Test("a pipeline that is kept refuses")
    func keptPipeline() async throws {
      let service = service
      try await withVirtualTime { clock in
        // snippet
        let users = Pipeline {
          Retry("user-service", clock: clock)
          CircuitBreaker("user-service", clock: clock)
        }
        func find(_ id: Int) async throws -> User {
          try await users.run { try await service.find(id) }
        }
        // end snippet
        for id in 1...100 { _ = try? await find(id) }
        #expect(service.calls < 100)
      }
    }

    @Test("two breakers of one name are two breakers")
    func breakerForEachPipeline() async throws {
      let clock = VirtualClock()
      // snippet
      let reads = Pipeline { CircuitBreaker("user-service", clock: clock) }
      let writes = Pipeline { CircuitBreaker("user-service", clock: clock) }
      // end snippet
      for id in 1...100 { _ = try? await reads.run { try await service.find(id) } }
      let calls = service.calls
      #expect(calls < 100)
      _ = try? await writes.run { try await service.find(1) }
      #expect(service.calls == calls + 1)
    }
  }
}
