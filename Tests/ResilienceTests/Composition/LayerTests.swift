import Resilience
import Testing

@Suite("PL-2: what a policy says about itself")
struct LayerTests {
  struct Plain: ResiliencePolicy {
    func execute<Success: ~Copyable>(
      _ execution: Execution, _ operation: (Execution) async throws -> Graded<Success>
    ) async throws -> Graded<Success> {
      try await operation(execution)
    }
  }

  @Test("PL-2: a policy of somebody else is a layer with the name of its type")
  func ofSomebodyElse() {
    #expect(Plain().layers == [PolicyLayer(role: .other, name: "Plain")])
  }

  @Test("PL-2: a layer in words: role, name, and settings if there are any")
  func inWords() {
    let total = PolicyLayer(role: .timeout(.seconds(1)), name: "total", settings: "1.0 seconds")
    #expect(total.description == #"timeout "total" (1.0 seconds)"#)
    #expect(PolicyLayer(role: .other, name: "Plain").description == #"policy "Plain""#)
    let roles: [PolicyLayer.Role] = [
      .circuitBreaker, .retry(maxAttempts: 3, nests: false), .timeout(.seconds(1)), .bulkhead,
      .rateLimiter, .hedge, .throttle, .adaptiveLimiter, .faultInjection, .other,
    ]
    #expect(
      roles.map(\.description) == [
        "circuit breaker", "retry", "timeout", "bulkhead", "rate limiter", "hedge", "throttle",
        "adaptive limiter", "fault injection", "policy",
      ])
  }

  typealias Configuration = CircuitBreaker.Configuration

  @Test(
    "PL-2: a circuit breaker is a layer with its configuration in words",
    arguments: [
      Configuration(),
      Configuration(tripping: .consecutiveFailures(5), over: .sinceTransition),
      Configuration(
        tripping: .any(
          .failureRate(1.0 / 3, minimumCalls: 7),
          .slowCallRate(0.1, slowerThan: .milliseconds(300), minimumCalls: 9),
          .consecutiveFailures(2, lasting: .nanoseconds(1)), .when { _ in false }),
        over: .calls(50),
        recovery: .init(openFor: .seconds(30), probes: 4, successesToClose: 9, probation: .zero)),
      Configuration(
        tripping: .failureRate(1e-6), over: .interval(.microseconds(1)),
        recovery: .init(reopening: .atFailureRate(0.7, over: 20))),
      Configuration(tripping: .failureRate(1), over: .rolling(.seconds(60), buckets: 60)),
    ])
  func breaker(configuration: Configuration) {
    let breaker = CircuitBreaker("users", configuration: configuration)
    let settings = configuration.description
    #expect(
      breaker.layers == [PolicyLayer(role: .circuitBreaker, name: "users", settings: settings)])
  }

  @Test("PL-2: a circuit breaker says what decides: settings that change nothing are left out")
  func decidingSettings() {
    let breaker = CircuitBreaker(
      "users", tripping: .any(.when { _ in false }, .failureRate(0.5, minimumCalls: 20)),
      over: .calls(10), recovery: .init(openFor: .seconds(1), probes: 2, successesToClose: 2))
    #expect(
      breaker.layers.map(\.settings) == [
        "trips at failure rate 0.5 of at least 10 calls or a predicate, over the last 10 calls; "
          + "open for 1.0 seconds, probes 2, reopening on the first failure, probation 2.0 seconds"
      ])
  }
}
