import Resilience
import ResilienceTesting
import Testing

@Suite("Circuit breaker: calls that hang")
struct HungCallTests {
  private static let limit = Duration.milliseconds(800)

  @Test(
    "CB-16: two calls that hang open the circuit when the next call arrives",
    arguments: Counting.allCases)
  func opens(_ counting: Counting) async throws {
    let circuit = watching(counting)
    let hung = circuit.start(2)
    circuit.advance(by: Self.limit)
    #expect(circuit.counts == .init(inFlight: 2))
    circuit.ignore()
    circuit.expectEvents("admitted", "admitted", "admitted", "ignored")

    circuit.advance(by: .tick)
    let refusal = try await circuit.refusal()
    #expect(refusal.reason == .open)
    #expect(refusal.retryAfter == .seconds(30))
    #expect(refusal.counts == .init(ignored: 1, inFlight: 2, hung: 2))
    circuit.expectEvents("closed > open (hung calls)", "rejected (open)")
    #expect(circuit.totals == .init(ignored: 1, rejected: 1, trips: 1))

    hung[0].fail()
    hung[1].succeed()
    circuit.expectEvents("late", "late")
    #expect(circuit.counts == .init(rejected: 1, late: 2))
    #expect(circuit.running == 0)
  }

  @Test(
    "CB-3, CB-16: it reads open from the moment at which a call would be refused, and reading changes nothing",
    arguments: Counting.allCases)
  func readsOpen(_ counting: Counting) {
    let circuit = watching(counting)
    let hung = circuit.start(2)
    circuit.advance(by: Self.limit)
    #expect(circuit.state == .closed)
    circuit.recorder.clear()
    circuit.advance(by: .tick)
    for _ in 1...3 {
      #expect(circuit.state == .open)
      #expect(circuit.openFor == .seconds(30))
      #expect(circuit.breaker.snapshot().generation == 1)
      #expect(circuit.counts == .init())
      #expect(circuit.running == 2)
      circuit.advance(by: .seconds(40))
    }
    circuit.expectEvents()
    hung[0].ignore()
    #expect(circuit.state == .closed)
    #expect(circuit.counts == .init(ignored: 1, inFlight: 1, hung: 1))
    hung[1].ignore()
    #expect(circuit.totals == .init(ignored: 2))
  }

  @Test("CB-16: off, calls hang without consequence", arguments: Counting.allCases)
  func isOffByDefault(_ counting: Counting) {
    #expect(CircuitBreaker.Configuration().hungAfter == nil)
    #expect(CircuitBreaker.Configuration().hungCalls == 2)
    let circuit = Circuit(counting, tripping: .consecutiveFailures(1))
    let hung = circuit.start(50)
    circuit.advance(by: .seconds(86_400))
    circuit.ignore()
    #expect(circuit.counts == .init(ignored: 1, inFlight: 50))
    for call in hung { call.ignore() }
  }

  @Test("CB-16: as many as `hungCalls` says open it, one less does not", arguments: [1, 3])
  func opensAtCount(count: Int) {
    let circuit = watching(hungCalls: count)
    let hung = circuit.start(count - 1)
    circuit.advance(by: .seconds(1))
    let last = circuit.start()
    #expect(circuit.counts == .init(inFlight: count, hung: count - 1))
    circuit.advance(by: .seconds(1))
    circuit.expectRefused()
    for call in hung + last { call.ignore() }
  }

  @Test(
    "CB-16: only what started after the last success opens it, also at the same instant",
    arguments: Counting.allCases)
  func startedAfterSuccess(_ counting: Counting) {
    let circuit = watching(counting)
    let before = circuit.start(2)
    circuit.succeed()
    let after = circuit.start()
    circuit.advance(by: .seconds(1))
    circuit.ignore()
    #expect(
      circuit.counts
        == .init(successes: 1, ignored: 1, consecutiveSuccesses: 1, inFlight: 3, hung: 3))

    // Those from before the success take nothing with them.
    for call in before { call.ignore() }
    let another = circuit.start()
    circuit.advance(by: .seconds(1))
    circuit.expectRefused()
    #expect(circuit.changes.map(\.cause) == (counting == .observed ? [.hungCalls] : []))
    for call in after + another { call.ignore() }
  }

  @Test(
    "CB-16: a call that ends is evidence by its result, and hangs no more",
    arguments: [Outcome.success, .failure, .ignored])
  func resultTakesItsPlace(_ outcome: Outcome) {
    let circuit = watching(tripping: .consecutiveFailures(3), hungCalls: 9)
    let hung = circuit.start(2)
    circuit.advance(by: .seconds(1))
    #expect(circuit.counts == .init(inFlight: 2, hung: 2))
    // One result and one that hangs: never three.
    hung[0].end(outcome)
    circuit.ignore()
    #expect(circuit.state == .closed)
    #expect(circuit.counts.hung == 1)
    #expect(circuit.counts.failures == (outcome == .failure ? 1 : 0))
    #expect(circuit.counts.consecutiveFailures == circuit.counts.failures)
    hung[1].end(outcome)
    #expect(circuit.counts.hung == 0)
    #expect(circuit.state == .closed)
  }

  @Test("CB-16: a caller that gives up takes its call out", arguments: Counting.allCases)
  func cancellationTakesItOut(_ counting: Counting) async throws {
    try await withVirtualTime { clock in
      let circuit = watching(counting, on: clock)
      await withThrowingTaskGroup { group in
        for _ in 1...2 {
          group.addTask {
            try await circuit.breaker.run { try await clock.sleep(for: .seconds(9)) }
          }
        }
        await clock.advance(by: .seconds(1))
        #expect(circuit.state == .open)
        group.cancelAll()
        while (try? await group.next()) != nil {}
      }
      #expect(circuit.state == .closed)
      #expect(circuit.counts == .init(ignored: 2))
    }
  }

  @Test("CB-6, CB-16: calls of an older generation hang without consequence")
  func olderGenerations() {
    let circuit = watching()
    let older = circuit.start(5)
    circuit.advance(by: .seconds(1))
    circuit.expectRefused()
    circuit.advance(by: .seconds(30))
    circuit.succeed()
    #expect(circuit.state == .closed)
    circuit.advance(by: .seconds(60))
    circuit.ignore()
    #expect(circuit.counts == .init(ignored: 1, rejected: 1))
    #expect(circuit.running == 5)
    for call in older { call.fail() }
    #expect(circuit.counts == .init(ignored: 1, rejected: 1, late: 5))
  }

  @Test("CB-16: a probe that hangs is a failed probe, at the end of the shorter time")
  func probes() {
    for (lease, expected) in [(30_000, 800), (801, 800), (300, 300)] {
      let circuit = watching(probeLease: .milliseconds(lease))
      circuit.becomeHalfOpen()
      let probe = circuit.start()
      circuit.advance(by: .milliseconds(expected) - .tick)
      #expect(circuit.state == .halfOpen)
      circuit.advance(by: .tick)
      #expect(circuit.state == .open)
      #expect(circuit.openFor == .seconds(30))
      #expect(circuit.totals == .init(failures: 1, trips: 1, reopenings: 1))
      circuit.expectRefused()
      #expect(circuit.changes.map(\.cause) == [.openPeriodEnded, .probeLeaseExpired])
      probe[0].succeed()
      #expect(circuit.counts == .init(rejected: 1, late: 1))
    }
  }

  @Test("CB-17, CB-16: they open a circuit on probation")
  func onProbation() {
    let circuit = watching(probation: .seconds(20))
    circuit.becomeHalfOpen()
    circuit.succeed()
    let hung = circuit.start(2)
    circuit.advance(by: .seconds(1))
    circuit.expectRefused()
    #expect(circuit.changes.map(\.cause) == [.openPeriodEnded, .probesSucceeded, .hungCalls])
    for call in hung { call.ignore() }
  }

  @Test("CB-11, CB-19: neither the end of an interval nor a reset ends a call, so it still hangs")
  func outlastIntervalsAndResets() {
    let circuit = watching(over: .interval(.seconds(10)), hungCalls: 3)
    let hung = circuit.start(2)
    circuit.fail()
    circuit.advance(by: .seconds(10))
    #expect(circuit.counts == .init(inFlight: 2, hung: 2))
    circuit.breaker.reset()
    let last = circuit.start()
    #expect(circuit.counts == .init(inFlight: 3, hung: 2))
    circuit.advance(by: .seconds(1))
    circuit.expectRefused()
    for call in hung + last { call.ignore() }
  }

  @Test("CB-1, CB-16: observing tells that they would open it; disabled looks at nothing")
  func manualStates() {
    let circuit = watching()
    circuit.breaker.observe()
    let hung = circuit.start(2)
    circuit.advance(by: .seconds(1))
    circuit.recorder.clear()
    circuit.ignore(2)
    #expect(circuit.counts == .init(ignored: 2, inFlight: 2, hung: 2))
    circuit.expectEvents(
      "would have opened (hung calls)", "admitted", "ignored", "admitted", "ignored")
    circuit.breaker.disable()
    let untracked = circuit.start(2)
    circuit.advance(by: .seconds(1))
    circuit.ignore()
    #expect(circuit.counts == .init())
    for call in hung + untracked { call.ignore() }
    #expect(circuit.running == 0)
  }

  @Test("CB-16: a clock that steps back makes no call younger, and none hang before its time")
  func clockSteps() {
    let clock = SteppedClock()
    let breaker = CircuitBreaker("users", hungAfter: Self.limit, hungCalls: 3, clock: clock)
    clock.advance(by: .seconds(100))
    let first = [Call(breaker), Call(breaker)]
    clock.advance(by: Self.limit + .tick)
    Call(breaker).ignore()
    #expect(breaker.snapshot().counts == .init(ignored: 1, inFlight: 2, hung: 2))
    clock.set(to: 0)
    let last = Call(breaker)
    clock.advance(by: Self.limit)
    #expect(breaker.snapshot().counts == .init(ignored: 1, inFlight: 3, hung: 2))
    #expect(breaker.state == .closed)
    clock.advance(by: .tick)
    #expect(breaker.state == .open)
    for call in first + [last] { call.ignore() }
  }
}

extension HungCallTests {
  fileprivate func watching(
    _ counting: Counting = .observed,
    tripping: CircuitBreaker.TripCondition = .never,
    over window: CircuitBreaker.Window = .sinceTransition,
    hungCalls: Int = 2,
    probation: Duration = .zero,
    probeLease: Duration = .seconds(60),
    on clock: VirtualClock = VirtualClock()
  ) -> Circuit {
    Circuit(
      counting, tripping: tripping, over: window, hungAfter: Self.limit, hungCalls: hungCalls,
      recovery: .init(openFor: .seconds(30), probation: probation, probeLease: probeLease),
      on: clock)
  }
}
