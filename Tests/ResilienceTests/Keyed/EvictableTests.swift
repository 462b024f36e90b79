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

  @Test(
    "CB-20: a rate limiter stays while it owes tokens, and with another rate than it was made with")
  func rateLimiter() {
    let limiter = RateLimiter(.perSecond(1), burst: 2, clock: clock)
    #expect(limiter.isEvictable)
    #expect(limiter.tryAcquire())
    #expect(!limiter.isEvictable)
    clock.advance(by: .seconds(1))
    #expect(limiter.isEvictable)
    limiter.setRate(.perSecond(100))
    clock.advance(by: .seconds(10))
    #expect(!limiter.isEvictable)
    limiter.setRate(.perSecond(1))
    clock.advance(by: .seconds(10))
    #expect(limiter.isEvictable)
  }

  @Test("CB-20: an adaptive limiter stays while its limit is below that of a new one")
  func adaptiveLimiter() {
    let limiter = AdaptiveLimiter(algorithm: .aimd(initial: 2), clock: clock)
    let permit = limiter.tryAcquire()
    #expect(!limiter.isEvictable)
    permit?.drop()
    #expect(limiter.snapshot().limit == 1 && !limiter.isEvictable)
    while limiter.snapshot().limit < 2 { limiter.tryAcquire()?.succeed() }
    #expect(limiter.isEvictable)
  }

  @Test("CB-20: a hedge stays while its budget owes tokens")
  func hedge() throws {
    let budget = RetryBudget(clock: clock)
    let hedge = Hedge(budget: budget, clock: clock)
    #expect(hedge.isEvictable)
    #expect(budget.withdraw())
    #expect(!hedge.isEvictable)
    budget.giveBack()
    #expect(hedge.isEvictable)
  }

  @Test(
    "CB-20: bulkhead, throttle and fault injection stay while calls are in flight or changed by hand"
  )
  func others() {
    let (bulkhead, throttle) = (Bulkhead(limit: 2, clock: clock), Throttle(clock: clock))
    let place = bulkhead.tryAcquire()
    let call = throttle.tryAcquire()
    #expect(!bulkhead.isEvictable && !throttle.isEvictable)
    place?.release()
    call?.succeed()
    #expect(bulkhead.isEvictable && throttle.isEvictable)
    bulkhead.limit = 3
    #expect(!bulkhead.isEvictable)
    let faults = FaultInjection([.hang(rate: 0)])
    #expect(faults.isEvictable)
    faults.isEnabled = false
    #expect(!faults.isEvictable)
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
