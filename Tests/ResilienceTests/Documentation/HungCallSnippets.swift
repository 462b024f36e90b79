import Resilience
import ResilienceTesting
import Testing

extension Documentation {
  @Suite("Documentation: calls that hang")
  struct HungCallSnippets {
    @Test("a breaker watches for calls that hang")
    func watching() {
      // snippet
      let breaker = CircuitBreaker("user-service", hungAfter: .milliseconds(500))
      // end snippet
      #expect(breaker.layers[0].settings.contains("or 2 calls hung after 0.5 seconds, over"))
    }

    /// What the guide says of that breaker.
    @Test(
      "it opens soon after the service has gone silent",
      arguments: [nil, Duration.milliseconds(500)])
    func opensSoon(hungAfter: Duration?) async throws {
      let state = try await withVirtualTime { clock in
        let users = UserService(.silent, clock: clock)
        let breaker = CircuitBreaker("user-service", hungAfter: hungAfter, clock: clock)
        return await withThrowingTaskGroup { group in
          for id in 1...20 {
            group.addTask {
              try await breaker.run { try await users.find(id, timeout: .seconds(10)) }
            }
          }
          await clock.advance(by: .milliseconds(600))
          return breaker.state
        }
      }
      #expect(state == (hungAfter == nil ? .closed : .open))
    }

    @Test("two long polls hang by the rule, and open the circuit to a healthy service")
    func longPolls() {
      let clock = VirtualClock()
      let breaker = CircuitBreaker("user-service", hungAfter: .milliseconds(500), clock: clock)
      breaker.tryAcquire()?.succeed()
      let polls = [Call(breaker), Call(breaker)]
      clock.advance(by: .seconds(1))
      #expect(breaker.state == .open)
      for poll in polls { poll.succeed() }
    }

    @Test("a breaker of their own keeps long polls apart")
    func ownBreaker() {
      // snippet
      let lookups = CircuitBreaker("user-service", hungAfter: .milliseconds(500))
      let changes = CircuitBreaker("user-service-changes")  // long polls
      // end snippet
      #expect(lookups.layers[0].settings.contains("hung"))
      #expect(!changes.layers[0].settings.contains("hung"))
    }
  }
}
