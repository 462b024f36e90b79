import Resilience
import ResilienceTesting
import Testing

@Suite("Circuit breaker: generations")
struct GenerationTests {
  @Test(
    "CB-6: a late result changes no count, streak or state of an open circuit, but is counted",
    arguments: Counting.allCases, [Outcome.success, .failure, .ignored])
  func lateInOpen(_ counting: Counting, _ outcome: Outcome) {
    let circuit = Circuit(counting)
    let call = circuit.start()
    circuit.fail(3)
    circuit.recorder.clear()
    call[0].end(outcome)
    #expect(circuit.state == .open)
    #expect(circuit.openFor == .seconds(30))
    #expect(circuit.counts == .init(late: 1))
    #expect(circuit.totals == .init(failures: 3, late: 1, trips: 1))
    circuit.expectEvents("late")
  }

  @Test(
    "CB-6: a late result never decides half-open (Polly W3)",
    arguments: Counting.allCases, [Outcome.success, .failure, .ignored])
  func lateInHalfOpen(_ counting: Counting, _ outcome: Outcome) {
    let circuit = Circuit(counting)
    let call = circuit.start()
    circuit.becomeHalfOpen()
    let probe = circuit.start()
    circuit.recorder.clear()
    call[0].end(outcome)
    #expect(circuit.state == .halfOpen)
    #expect(circuit.counts == .init(inFlight: 1, late: 1))
    circuit.expectRefused()
    circuit.expectEvents("late", "rejected (half-open, all probes taken)")
    probe[0].succeed()
    #expect(circuit.state == .closed)
    #expect(circuit.counts == .init(rejected: 1, late: 1))
  }

  @Test(
    "CB-6: a late result never decides the next closed generation",
    arguments: Counting.allCases, [Outcome.success, .failure, .ignored])
  func lateInClosed(_ counting: Counting, _ outcome: Outcome) {
    let circuit = Circuit(counting)
    let call = circuit.start()
    circuit.becomeHalfOpen()
    circuit.succeed()
    circuit.fail(2)
    #expect(circuit.counts == .init(failures: 2, consecutiveFailures: 2))
    call[0].end(outcome)
    #expect(circuit.counts == .init(failures: 2, consecutiveFailures: 2, late: 1))
    #expect(circuit.state == .closed)
    circuit.fail()
    #expect(circuit.state == .open)
    #expect(circuit.counts == .init(late: 1))
  }

  @Test(
    "CB-6: five calls of a closed circuit do not close it three states later (failsafe P04)",
    arguments: Counting.allCases)
  func oldSuccessesDoNotClose(_ counting: Counting) {
    let circuit = Circuit(
      counting, recovery: .init(openFor: .seconds(30), probes: 3, probation: .zero))
    let old = circuit.start(5)
    circuit.becomeHalfOpen()
    let probes = circuit.start()
    for call in old { call.succeed() }
    #expect(circuit.state == .halfOpen)
    #expect(circuit.counts == .init(inFlight: 1, late: 5))
    probes[0].succeed()
    #expect(circuit.counts == .init(successes: 1, consecutiveSuccesses: 1, late: 5))
    circuit.succeed(2)
    #expect(circuit.state == .closed)
  }

  @Test(
    "CB-6: late results give back no probe slots (failsafe P04b, resilience4j D4)",
    arguments: Counting.allCases)
  func oldResultsReturnNoSlots(_ counting: Counting) {
    let circuit = Circuit(
      counting, recovery: .init(openFor: .seconds(30), probes: 5, probation: .zero))
    let old = circuit.start(54)
    circuit.becomeHalfOpen()
    let probes = circuit.start(5)
    for call in old[..<4] { call.succeed() }
    circuit.expectRefused()
    for call in old[4...] { call.ignore() }
    circuit.expectRefused()
    #expect(circuit.counts == .init(inFlight: 5, rejected: 2, late: 54))
    for probe in probes { probe.succeed() }
    #expect(circuit.state == .closed)
  }

  @Test(
    "CB-6: when one probe has failed, what the others report is late", arguments: Counting.allCases)
  func otherProbesAreLate(_ counting: Counting) {
    let circuit = Circuit(
      counting, recovery: .init(openFor: .seconds(30), probes: 3, probation: .zero))
    circuit.becomeHalfOpen()
    let probes = circuit.start(3)
    circuit.recorder.clear()
    probes[0].fail()
    #expect(circuit.counts == .init())
    #expect(circuit.running == 2)
    probes[1].succeed()
    probes[2].fail()
    #expect(circuit.state == .open)
    #expect(circuit.counts == .init(late: 2))
    #expect(circuit.running == 0)
    #expect(circuit.totals == .init(failures: 1, late: 2, trips: 1, reopenings: 1))
    circuit.expectEvents(
      "failed after 0.0 seconds", "half-open > open (probe failed)", "late", "late")
  }

  @Test("CB-6: a result is late over and over, however often the state has changed since")
  func lateAfterManyChanges() {
    for changes in [1, 2, 3, 100] {
      let circuit = Circuit(.unobserved)
      let call = circuit.start()
      for number in 0..<changes { circuit.enter(number.isMultiple(of: 2) ? .isolated : .closed) }
      call[0].fail()
      #expect(circuit.counts == .init(late: 1))
    }
  }

  @Test(
    "CB-6: every change of state makes the calls in flight late, a person's too",
    arguments: Counting.allCases,
    [CircuitBreaker.State.open, .halfOpen, .isolated, .disabled, .observing])
  func changesMakeLate(_ counting: Counting, _ state: CircuitBreaker.State) {
    let circuit = Circuit(counting)
    let old = circuit.start(3)
    circuit.enter(state)
    let before = circuit.counts
    #expect(before == .init(ignored: state == .halfOpen ? 1 : 0))
    #expect(circuit.running == 3)
    circuit.recorder.clear()
    old[0].succeed()
    old[1].fail()
    old[2].ignore()
    var after = before
    after.late = 3
    #expect(circuit.counts == after)
    #expect(circuit.running == 0)
    #expect(circuit.state == state)
    circuit.expectEvents("late", "late", "late")
  }

  @Test(
    "CB-6: a probe in flight is late after a person has taken over", arguments: Counting.allCases,
    [CircuitBreaker.State.closed, .open, .isolated, .disabled, .observing])
  func controlMakesProbesLate(_ counting: Counting, _ state: CircuitBreaker.State) {
    let circuit = Circuit(
      counting, recovery: .init(openFor: .seconds(30), probes: 3, probation: .zero))
    circuit.becomeHalfOpen()
    let probes = circuit.start(3)
    circuit.enter(state)
    #expect(circuit.counts == .init())
    #expect(circuit.running == 3)
    circuit.recorder.clear()
    // Nor does a lease end that belongs to a past generation.
    circuit.advance(by: .seconds(29))
    probes[0].succeed()
    probes[1].fail()
    probes[2].ignore()
    #expect(circuit.state == state)
    #expect(circuit.counts == .init(late: 3))
    #expect(circuit.running == 0)
    circuit.expectEvents("late", "late", "late")
    circuit.advance(by: .seconds(3600))
    #expect(circuit.state == (state == .open ? .halfOpen : state))
  }

  @Test(
    "CB-6: resetting a closed circuit is no transition, and calls in flight still count",
    arguments: Counting.allCases)
  func resetKeepsCalls(_ counting: Counting) {
    let circuit = Circuit(counting)
    let call = circuit.start()
    circuit.fail(2)
    circuit.breaker.reset()
    #expect(circuit.counts == .init(inFlight: 1))
    call[0].fail()
    #expect(circuit.counts == .init(failures: 1, consecutiveFailures: 1))
    circuit.fail()
    #expect(circuit.state == .closed)
  }

  @Test(
    "CB-10: in flight is of this generation, running of all", arguments: Counting.allCases)
  func runningIsOfAll(_ counting: Counting) {
    let circuit = Circuit(counting)
    let old = circuit.start(4)
    #expect(circuit.counts == .init(inFlight: 4))
    #expect(circuit.running == 4)
    circuit.becomeHalfOpen()
    let probe = circuit.start()
    #expect(circuit.counts == .init(inFlight: 1))
    #expect(circuit.running == 5)
    old[0].succeed()
    #expect(circuit.counts == .init(inFlight: 1, late: 1))
    #expect(circuit.running == 4)
    probe[0].succeed()
    let new = circuit.start(2)
    #expect(circuit.counts == .init(inFlight: 2, late: 1))
    #expect(circuit.running == 5)
    for call in old[1...] { call.fail() }
    #expect(circuit.counts == .init(inFlight: 2, late: 4))
    #expect(circuit.running == 2)
    for call in new { call.succeed() }
    #expect(circuit.counts == .init(successes: 2, consecutiveSuccesses: 2, late: 4))
    #expect(circuit.running == 0)
  }

  @Test(
    "CB-6: what a predicate says about an older generation decides nothing",
    arguments: Counting.allCases)
  func predicateOfOlderGeneration(_ counting: Counting) {
    let asking = Shared<CircuitBreaker?>(nil)
    let circuit = Circuit(
      counting,
      tripping: .when { _ in
        // A predicate may call back; here it starts a new closed generation.
        asking.value?.isolate()
        asking.value?.reset()
        asking.value = nil
        return true
      })
    asking.value = circuit.breaker
    circuit.fail()
    #expect(circuit.state == .closed)
    circuit.expectEvents(
      "admitted", "failed after 0.0 seconds", "closed > isolated (manual)",
      "isolated > closed (manual)")
    circuit.fail()
    #expect(circuit.state == .open)
    circuit.expectEvents("admitted", "failed after 0.0 seconds", "closed > open (predicate)")
  }

  @Test("CB-6: what an operation that outlives its generation returns or throws reaches its caller")
  func slowOperationIsLate() async throws {
    try await withVirtualTime { clock in
      let circuit = Circuit(.unobserved, on: clock)
      async let answer = circuit.breaker.run { () -> String in
        try await clock.sleep(for: .seconds(31))
        return "late"
      }
      async let isPassedThrough = circuit.breaker.run { () -> Bool in
        try await clock.sleep(for: .seconds(31))
        throw Unavailable()
      } fallback: { error in
        error is Unavailable
      }
      await clock.advance(by: .zero)
      circuit.breaker.trip()
      await clock.advance(by: .seconds(30))
      let probe = circuit.start()
      await clock.advance(by: .seconds(1))
      let value = try await answer
      #expect(value == "late")
      let isFailure = try await isPassedThrough
      #expect(isFailure)
      #expect(circuit.counts == .init(inFlight: 1, late: 2))
      probe[0].succeed()
      #expect(circuit.state == .closed)
    }
  }
}
