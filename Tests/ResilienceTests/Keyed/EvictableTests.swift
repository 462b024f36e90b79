import ResilienceTesting
import Testing

@testable import Resilience

@Suite("CB-20: what may leave")
struct EvictableTests {
  private let clock = VirtualClock()

  private func breaker() -> CircuitBreaker {
    CircuitBreaker(
      "a", tripping: .consecutiveFailures(1), recovery: .init(openFor: .constant(.seconds(5))),
      clock: clock)
  }

  @Test("CB-20: a circuit breaker with a call in flight stays")
  func inFlight() {
    let breaker = breaker()
    #expect(breaker.isEvictable)
    let permit = breaker.tryAcquire()
    #expect(!breaker.isEvictable)
    permit?.succeed()
    #expect(breaker.isEvictable)
  }

  @Test("CB-20: an open circuit stays until a probe could pass; then a new one would let as much")
  func open() {
    let breaker = breaker()
    breaker.tryAcquire()?.fail()
    #expect(!breaker.isEvictable)
    clock.advance(by: .seconds(5))
    #expect(breaker.isEvictable)
  }

  @Test("CB-20: what a person has set stays", arguments: [0, 1, 2])
  func manual(control: Int) {
    let breaker = breaker()
    switch control {
    case 0: breaker.isolate()
    case 1: breaker.disable()
    default: breaker.observe()
    }
    #expect(!breaker.isEvictable)
    breaker.reset()
    #expect(breaker.isEvictable)
  }

  @Test("CB-20: an open circuit survives a flood of other keys, and goes when it may")
  func openBreakerInCollection() {
    let clock = clock
    let breakers = Keyed<Int, CircuitBreaker>(capacity: 3) { key in
      CircuitBreaker(
        "\(key)", tripping: .consecutiveFailures(1),
        recovery: .init(openFor: .constant(.seconds(5))), clock: clock)
    }
    breakers[0].tryAcquire()?.fail()
    for key in 1...50 { _ = breakers[key] }
    #expect(breakers.existing(0)?.state == .open)
    clock.advance(by: .seconds(5))
    for key in 51...60 { _ = breakers[key] }
    #expect(breakers.existing(0) == nil)
  }

  @Test("CB-20: a budget that owes tokens stays")
  func budget() {
    let budget = RetryBudget(clock: clock)
    #expect(budget.isEvictable)
    #expect(budget.withdraw())
    #expect(!budget.isEvictable)
    budget.giveBack()
    #expect(budget.isEvictable)
  }

  @Test("CB-20: a timeout stays while an abandoned operation goes on")
  func abandoned() async throws {
    try await withVirtualTime { clock in
      let timeout = AbandoningTimeout(.seconds(1), clock: clock)
      let waiter = Waiter<Int>()
      await #expect(throws: TimeoutError.self) { try await timeout.run { await waiter.word() } }
      #expect(!timeout.isEvictable)
      waiter.tell(1)
      await clock.advance(by: .seconds(1))
      #expect(timeout.isEvictable)
    }
  }
}
