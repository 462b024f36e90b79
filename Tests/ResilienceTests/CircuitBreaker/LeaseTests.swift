import Resilience
import ResilienceTesting
import Testing

@Suite("Circuit breaker: the lease of a probe")
struct LeaseTests {
  @Test("CB-9: a lease is 30 s unless told otherwise")
  func defaultIsHalfAMinute() {
    #expect(CircuitBreaker.Recovery().probeLease == .seconds(30))
  }

  @Test(
    "CB-9: a probe that does not report fails exactly when its lease ends",
    arguments: Counting.allCases)
  func failsWhenLeaseEnds(_ counting: Counting) async throws {
    let circuit = halfOpen(counting, openFor: .seconds(10))
    let probe = circuit.start()
    circuit.advance(by: .seconds(30) - .tick)
    #expect(circuit.state == .halfOpen)
    #expect(try await circuit.refusal().reason == .halfOpenFull)
    #expect(circuit.counts == .init(inFlight: 1, rejected: 1))

    circuit.advance(by: .tick)
    #expect(circuit.state == .open)
    #expect(circuit.openFor == .seconds(10))
    #expect(circuit.counts == .init(rejected: 1))
    #expect(circuit.totals == .init(failures: 1, rejected: 1, trips: 1, reopenings: 1))
    circuit.expectEvents(
      "open > half-open (open period ended)", "admitted", "rejected (half-open, all probes taken)")

    let refusal = try await circuit.refusal()
    #expect(refusal.reason == .open)
    #expect(refusal.retryAfter == .seconds(10))
    #expect(refusal.counts == .init(failures: 1, consecutiveFailures: 1, rejected: 1))
    circuit.expectEvents("half-open > open (probe lease expired)", "rejected (open)")
    probe[0].ignore()
  }

  @Test("CB-9: a report one nanosecond before the end counts, one at the end is late")
  func boundaryIsExact() {
    let early = halfOpen(.observed, openFor: .seconds(10))
    early.succeed(taking: .seconds(30) - .tick)
    #expect(early.state == .closed)
    #expect(early.totals == .init(successes: 1, trips: 1))

    let late = halfOpen(.observed, openFor: .seconds(10))
    late.succeed(taking: .seconds(30))
    #expect(late.state == .open)
    #expect(late.totals == .init(failures: 1, late: 1, trips: 1, reopenings: 1))
    late.expectEvents(
      "open > half-open (open period ended)", "admitted", "half-open > open (probe lease expired)",
      "late")
  }

  @Test(
    "CB-9: open runs from the end of the lease, whoever notices when", arguments: Counting.allCases)
  func openRunsFromTheLeasesEnd(_ counting: Counting) async throws {
    let noticed = halfOpen(counting, openFor: .seconds(10))
    let probe = noticed.start()
    noticed.advance(by: .seconds(34))
    #expect(noticed.openFor == .seconds(6))
    #expect(try await noticed.refusal().retryAfter == .seconds(6))
    noticed.advance(by: .seconds(6) - .tick)
    noticed.expectRefused()
    noticed.advance(by: .tick)
    noticed.succeed()
    #expect(noticed.state == .closed)

    let unnoticed = halfOpen(counting, openFor: .seconds(10))
    let other = unnoticed.start()
    unnoticed.recorder.clear()
    unnoticed.advance(by: .seconds(40) - .tick)
    #expect(unnoticed.state == .open)
    unnoticed.advance(by: .tick)
    #expect(unnoticed.state == .halfOpen)
    unnoticed.expectEvents()
    unnoticed.succeed()
    #expect(unnoticed.state == .closed)
    unnoticed.expectEvents(
      "half-open > open (probe lease expired)", "open > half-open (open period ended)", "admitted",
      "succeeded after 0.0 seconds", "half-open > closed (probes succeeded)")
    probe[0].ignore()
    other[0].ignore()
  }

  @Test(
    "CB-9: a lost lease frees its slot, and the late report returns none",
    arguments: Counting.allCases)
  func slotIsReturnedOnce(_ counting: Counting) {
    let circuit = halfOpen(counting, openFor: .seconds(10), reopening: .atFailureRate(0.5, over: 4))
    let lost = circuit.start()
    circuit.advance(by: .seconds(30))
    #expect(circuit.state == .halfOpen)
    #expect(circuit.counts == .init(failures: 1, consecutiveFailures: 1))
    #expect(circuit.running == 1)

    let second = circuit.start()
    circuit.expectRefused()
    lost[0].succeed()
    #expect(
      circuit.counts
        == .init(failures: 1, consecutiveFailures: 1, inFlight: 1, rejected: 1, late: 1))
    #expect(circuit.running == 1)
    circuit.expectRefused()
    second[0].succeed()
    #expect(
      circuit.counts
        == .init(successes: 1, failures: 1, consecutiveSuccesses: 1, rejected: 2, late: 1))
    #expect(circuit.running == 0)
    circuit.succeed(2)
    #expect(circuit.state == .closed)
  }

  @Test("CB-9: leases end one by one, each after its own probe's admission")
  func leasesEndOneByOne() {
    let circuit = halfOpen(
      .observed, openFor: .seconds(10), probes: 3, reopening: .atFailureRate(0.75, over: 4))
    let first = circuit.start()
    circuit.advance(by: .seconds(1))
    let second = circuit.start()
    circuit.advance(by: .seconds(1))
    let third = circuit.start()
    circuit.advance(by: .seconds(28))
    #expect(circuit.counts == .init(failures: 1, consecutiveFailures: 1, inFlight: 2))
    circuit.advance(by: .seconds(1) - .tick)
    #expect(circuit.counts == .init(failures: 1, consecutiveFailures: 1, inFlight: 2))
    circuit.advance(by: .tick)
    #expect(circuit.counts == .init(failures: 2, consecutiveFailures: 2, inFlight: 1))
    circuit.advance(by: .seconds(5))
    #expect(circuit.state == .open)
    #expect(circuit.openFor == .seconds(6))
    for call in first + second + third { call.succeed() }
    #expect(circuit.totals == .init(failures: 3, late: 3, trips: 1, reopenings: 1))
    #expect(circuit.running == 0)
  }

  @Test(
    "CB-9: a probe that lost its lease does not decide the next half-open",
    arguments: Counting.allCases, [Outcome.success, .failure, .ignored])
  func lostProbeDecidesNothing(_ counting: Counting, _ outcome: Outcome) {
    let circuit = halfOpen(counting, openFor: .seconds(10))
    let lost = circuit.start()
    circuit.advance(by: .seconds(40))
    let probe = circuit.start()
    lost[0].end(outcome)
    #expect(circuit.state == .halfOpen)
    #expect(circuit.counts == .init(inFlight: 1, late: 1))
    circuit.expectRefused()
    probe[0].succeed()
    #expect(circuit.state == .closed)
    #expect(circuit.running == 0)
  }

  @Test(
    "CB-9: no probe holds half-open for ever, and no refusal asks for a negative wait (gobreaker B5, Polly W4)",
    arguments: Counting.allCases)
  func nothingHoldsHalfOpen(_ counting: Counting) async throws {
    let circuit = halfOpen(counting, openFor: .seconds(5), lease: .seconds(2))
    var hung: [Call] = []
    for _ in 0..<20 {
      hung += circuit.start()
      for _ in 0..<6 {
        circuit.advance(by: .seconds(1))
        let refusal = try await circuit.refusal()
        #expect(refusal.retryAfter ?? .zero >= .zero)
      }
      circuit.advance(by: .seconds(1))
    }
    #expect(circuit.totals == .init(failures: 20, rejected: 120, trips: 1, reopenings: 20))
    #expect(circuit.running == 20)
    circuit.succeed()
    #expect(circuit.state == .closed)
    for call in hung { call.succeed() }
    #expect(circuit.counts == .init(rejected: 120, late: 20))
    #expect(circuit.running == 0)
  }

  @Test("CB-9, CB-19: a lost lease is announced before what a person does about it")
  func lostLeaseIsAnnouncedFirst() {
    let isolated = halfOpen(.observed, openFor: .seconds(10))
    let first = isolated.start()
    isolated.recorder.clear()
    isolated.advance(by: .seconds(31))
    isolated.breaker.isolate()
    isolated.expectEvents("half-open > open (probe lease expired)", "open > isolated (manual)")

    let tripped = halfOpen(.observed, openFor: .seconds(10))
    let second = tripped.start()
    tripped.recorder.clear()
    tripped.advance(by: .seconds(31))
    tripped.breaker.trip(for: .seconds(60))
    #expect(tripped.openFor == .seconds(60))
    #expect(tripped.changes.map(\.openUntil?.remaining) == [.seconds(9)])
    tripped.expectEvents("half-open > open (probe lease expired)")
    for call in first + second { call.ignore() }
  }

  @Test("CB-9: an operation that hangs loses its lease, and its late value reaches its caller")
  func hungOperationIsLate() async throws {
    try await withVirtualTime { clock in
      let circuit = Circuit(recovery: .init(openFor: .seconds(10), probation: .zero), on: clock)
      circuit.becomeHalfOpen()
      async let answer = circuit.breaker.run { () -> String in
        try await clock.sleep(for: .seconds(35))
        return "at last"
      }
      await clock.advance(by: .seconds(30))
      #expect(circuit.state == .open)
      await clock.advance(by: .seconds(5))
      let value = try await answer
      #expect(value == "at last")
      #expect(circuit.counts == .init(late: 1))
      #expect(circuit.openFor == .seconds(5))
      circuit.expectEvents(
        "open > half-open (open period ended)", "admitted",
        "half-open > open (probe lease expired)", "late")
    }
  }

  private func halfOpen(
    _ counting: Counting, openFor: CircuitBreaker.OpenDuration, probes: Int = 1,
    reopening: CircuitBreaker.Reopening = .onFirstFailure, lease: Duration = .seconds(30)
  ) -> Circuit {
    let circuit = Circuit(
      counting,
      recovery: .init(
        openFor: openFor, probes: probes, reopening: reopening, probation: .zero, probeLease: lease)
    )
    circuit.becomeHalfOpen()
    return circuit
  }
}
