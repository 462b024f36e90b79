// snippet
import Resilience
import ResilienceSimulation
import Testing

@Test func aBrownoutIsOverWhenItIsOver() async throws {
  let users = Stack("users") { client in
    Pipeline {
      Timeout(client.deadline, name: "total", clock: client.clock)
      Retry(maxAttempts: client.maxAttempts, clock: client.clock, seed: client.seed())
      CircuitBreaker(
        "users", clock: client.clock, seed: client.seed(), observers: client.observers)
      Timeout(client.attemptTimeout, name: "attempt", clock: client.clock)
    }
  }
  var scenario = Scenario.brownout(lasting: .seconds(2))
  scenario.warmUp = .seconds(5)
  scenario.watch = .seconds(20)

  let result = try await Trial(scenario, users).run()

  #expect(!result.isMetastable)
  #expect((result.timeToRecover ?? .max) <= 5)
  #expect(result.calls(in: .trouble).amplification < 2)
}
// end snippet
