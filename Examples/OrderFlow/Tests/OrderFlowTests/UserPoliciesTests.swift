import Foundation
import OrderFlow
import Resilience
import Testing

@Suite("What the user service is called through")
struct UserPoliciesTests {
  private static let neverTripping = CircuitBreaker(
    "user-service", tripping: .consecutiveFailures(1_000))

  @Test("is in an order in which no mistake is known")
  func order() {
    let policies = UserPolicies(retry: .brief(), breaker: .classic(openFor: .seconds(30)))
    #expect(policies.pipeline.validate() == [])
    #expect(
      policies.pipeline.layers.map { "\($0.role) \($0.name)" } == [
        "timeout total", "retry user-service", "circuit breaker user-service", "timeout attempt",
      ])
  }

  @Test("ends with the faults, if there are any")
  func faults() throws {
    let faults = try #require(FaultInjection.chaos(rate: 0.2, seed: 1))
    let policies = UserPolicies(
      retry: .brief(), breaker: .classic(openFor: .seconds(30)), faults: faults)
    #expect(policies.pipeline.validate() == [])
    #expect(
      policies.pipeline.layers.map { "\($0.role) \($0.name)" } == [
        "timeout total", "retry user-service", "circuit breaker user-service", "timeout attempt",
        "fault injection chaos",
      ])
  }

  @Test("a flaky service is healed by retries, which cost no budget")
  func flaky() async throws {
    try await TestShop.open { test in
      try await test.shop.userService.become(.flaky)
      for _ in 0..<6 {
        #expect(try await test.customer.order(by: 1).body.hasPrefix(#"{"degraded":false"#))
      }
      #expect(test.shop.userClient.calls == 8)
      let counts = test.breaker.snapshot().counts
      #expect(counts == .init(successes: 6, failures: 2, consecutiveSuccesses: 2))
      let retry = test.retry.snapshot()
      #expect(retry.totals.retries == 2)
      #expect(retry.totals.recovered == 2)
      #expect(retry.budget?.tokens == 1)
    }
  }

  @Test("a service that is down gets one more request, and not one more for each order")
  func amplification() async throws {
    let known = [User(id: 1, name: "Ada")]
    try await TestShop.open(knowing: known, through: Self.neverTripping) { test in
      try await test.shop.userService.become(.refusing)
      for _ in 0..<20 {
        #expect(try await test.customer.order(by: 1).body.hasPrefix(#"{"degraded":true"#))
      }
      #expect(test.shop.userClient.calls == 21)
      let retry = test.retry.snapshot()
      #expect(retry.totals.retries == 1)
      #expect(retry.totals.budgetRefused == 20)
      #expect(retry.budget?.refused == 20)
    }
  }

  @Test("an attempt that hangs is ended by its own timeout, and the circuit breaker counts it")
  func attemptTimeout() async throws {
    try await TestShop.open(
      attempt: .milliseconds(100), knowing: [User(id: 1, name: "Ada")]
    ) { test in
      try await test.shop.userService.become(.slow)
      #expect(try await test.customer.order(by: 1).status == 201)
      #expect(test.shop.policies.attempt.snapshot().timedOut == 2)
      #expect(test.shop.policies.total.snapshot().timedOut == 0)
      #expect(test.breaker.snapshot().counts == .init(failures: 2, consecutiveFailures: 2))
    }
  }

  @Test("all attempts together are ended by the total timeout, and the circuit breaker counts that")
  func totalTimeout() async throws {
    try await TestShop.open(
      total: .milliseconds(700), knowing: [User(id: 1, name: "Ada")]
    ) { test in
      try await test.shop.userService.become(.slow)
      let answer = try await test.customer.order(by: 1)
      #expect(answer.body.contains("user-service did not answer within 0."))
      #expect(test.shop.userClient.calls == 1)
      #expect(test.breaker.snapshot().counts == .init(failures: 1, consecutiveFailures: 1))
      #expect(test.retry.snapshot().totals.deadlineReached == 1)
    }
  }

  @Test("that there is no such user is an answer: it is not retried")
  func unknownUser() async throws {
    try await TestShop.open { test in
      let answer = try await test.customer.order(by: 99)
      #expect(answer.status == 422)
      #expect(test.shop.userClient.calls == 1)
      let retry = test.retry.snapshot()
      #expect(retry.totals == .init())
      #expect(retry.budget?.successes == 1)
    }
  }
}

@Suite("A caller who gives up")
struct CancelledCheckTests {
  private func withSlowService(
    _ test: (UserService, UserClient) async throws -> Void
  ) async throws {
    let service = UserService(slowness: .seconds(3_600))
    let client = UserClient(base: try await service.start())
    do { try await test(service, client) } catch {
      await service.stop()
      throw error
    }
    client.close()
    await service.stop()
  }

  private let known: LastKnownGood<Int, User> = {
    let known = LastKnownGood<Int, User>()
    known.remember(User(id: 1, name: "Ada"), for: 1)
    return known
  }()

  @Test("ends the request under way, is not answered from memory, and says nothing of the service")
  func duringAttempt() async throws {
    try await withSlowService { service, client in
      try await service.become(.slow)
      let policies = UserPolicies(
        retry: .brief(), breaker: .classic(openFor: .seconds(30)), total: .seconds(600),
        attempt: .seconds(300))
      let check = UserCheck(client, through: policies, known: known)
      let call = Task { try await check.check(1) }
      while await service.requests == 0 { try await Task.sleep(for: .milliseconds(1)) }
      call.cancel()
      await #expect(throws: CancellationError.self) { try await call.value }
      #expect(client.calls == 1)
      #expect(policies.breaker.snapshot().counts == .init(ignored: 1))
      #expect(policies.retry.snapshot().totals.cancelled == 1)
    }
  }

  @Test("while a retry waits ends the wait, and gets no further attempt")
  func duringBackoff() async throws {
    try await withSlowService { service, client in
      try await service.become(.errors)
      let retry = Retry(
        "patient", backoff: .constant(.seconds(300), jitter: .none), budget: RetryBudget())
      let policies = UserPolicies(
        retry: retry, breaker: .classic(openFor: .seconds(30)), total: .seconds(600),
        attempt: .seconds(300))
      let check = UserCheck(client, through: policies, known: known)
      let call = Task { try await check.check(1) }
      while retry.snapshot().totals.retries == 0 { try await Task.sleep(for: .milliseconds(1)) }
      call.cancel()
      await #expect(throws: CancellationError.self) { try await call.value }
      #expect(client.calls == 1)
      // What was never attempted costs nothing.
      #expect(retry.budget?.snapshot().tokens == 1)
    }
  }
}
