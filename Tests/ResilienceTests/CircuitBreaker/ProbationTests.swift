import Resilience
import ResilienceTesting
import Testing

@Suite("Circuit breaker: probation")
struct ProbationTests {
  @Test("CB-17: probation is 2 s unless told otherwise, and zero is none")
  func defaults() {
    #expect(CircuitBreaker.Recovery().probation == .seconds(2))
    let circuit = onProbation(.observed, for: .zero)
    circuit.fail(10)
    #expect(circuit.share == 1)
  }

  @Test("CB-17: after closing all calls pass at once", arguments: Counting.allCases)
  func startsWhole(_ counting: Counting) {
    let circuit = onProbation(counting)
    #expect(circuit.share == 1)
    let calls = circuit.start(1000)
    #expect(circuit.counts == .init(inFlight: 1000))
    for call in calls { call.ignore() }
  }

  @Test(
    "CB-17: a failure halves the share, not below 1/8; a success multiplies it by 4, not above 1",
    arguments: Counting.allCases)
  func shareFollowsOutcomes(_ counting: Counting) {
    let circuit = onProbation(counting)
    let calls = circuit.start(14)
    let script: [(Outcome, Double)] = [
      (.success, 1), (.failure, 0.5), (.failure, 0.25), (.failure, 0.125), (.failure, 0.125),
      (.ignored, 0.125), (.success, 0.5), (.failure, 0.25), (.success, 1), (.failure, 0.5),
      (.success, 1), (.success, 1), (.ignored, 1), (.failure, 0.5),
    ]
    for (call, (outcome, share)) in zip(calls, script) {
      call.end(outcome)
      #expect(circuit.share == share)
    }
    #expect(
      circuit.counts
        == .init(successes: 5, failures: 7, ignored: 2, consecutiveFailures: 1))
    #expect(circuit.state == .closed)
  }

  @Test(
    "CB-17: calls are admitted evenly at the share, and the credit begins at zero",
    arguments: Counting.allCases,
    [(1, "-x-x-x-x-x-x-x-x"), (2, "---x---x---x---x"), (3, "-------x-------x")])
  func admitsEvenly(_ counting: Counting, _ expected: (failures: Int, pattern: String)) {
    let circuit = onProbation(counting)
    for call in circuit.start(expected.failures) { call.fail() }
    let calls = expected.pattern.map { _ in Call(circuit.breaker) }
    #expect(calls.map { $0.isAdmitted ? "x" : "-" }.joined() == expected.pattern)
    let admitted = calls.count { $0.isAdmitted }
    #expect(
      circuit.counts
        == .init(
          failures: expected.failures, consecutiveFailures: expected.failures, inFlight: admitted,
          rejected: calls.count - admitted))
    for call in calls { call.ignore() }
  }

  @Test("CB-17: a refusal says that the circuit is on probation", arguments: Counting.allCases)
  func refusalsSaySo(_ counting: Counting) async throws {
    let circuit = onProbation(counting)
    circuit.fail()
    let refusal = try await circuit.refusal()
    #expect(refusal.reason == .probation)
    #expect(refusal.retryAfter == nil)
    #expect(refusal.description == #"circuit breaker "users" refused the call: on probation"#)
    #expect(circuit.counts == .init(failures: 1, consecutiveFailures: 1, rejected: 1))
    circuit.expectEvents("admitted", "failed after 0.0 seconds", "rejected (on probation)")
  }

  @Test(
    "CB-17: it ends with the first success that finds the time over", arguments: Counting.allCases)
  func endsWithSuccessAfterTime(_ counting: Counting) {
    let early = onProbation(counting)
    early.succeed(5)
    early.advance(by: .seconds(2) - .tick)
    early.succeed()
    #expect(early.isOnProbation())

    let onTime = onProbation(counting)
    onTime.succeed()
    onTime.advance(by: .seconds(2))
    onTime.succeed()
    #expect(!onTime.isOnProbation())
  }

  @Test("CB-17: time alone does not end it, nor a single success", arguments: Counting.allCases)
  func timeAloneDoesNotEnd(_ counting: Counting) {
    let idle = onProbation(counting)
    idle.advance(by: .seconds(20) - .tick)
    #expect(idle.isOnProbation())

    let single = onProbation(counting)
    single.advance(by: .seconds(3))
    single.ignore()
    single.succeed()
    #expect(single.isOnProbation())
  }

  @Test(
    "CB-17: the two successes come after the share is whole again", arguments: Counting.allCases)
  func successesComeAtWholeShare(_ counting: Counting) {
    for (successes, isOver) in [(0, false), (1, false), (2, true)] {
      let circuit = onProbation(counting)
      let calls = circuit.start(3)
      calls[2].succeed()
      calls[0].fail()
      circuit.advance(by: .seconds(5))
      calls[1].succeed()
      #expect(circuit.share == 1)
      circuit.succeed(successes)
      #expect(circuit.isOnProbation() == !isOver)
    }
  }

  @Test(
    "CB-17: three failures in a row restart its time, and nothing else",
    arguments: Counting.allCases)
  func threeFailuresRestart(_ counting: Counting) {
    for (wait, isOver) in [(Duration.seconds(2) - .tick, false), (.seconds(2), true)] {
      let circuit = onProbation(counting)
      let calls = circuit.start(8)
      circuit.advance(by: .milliseconds(500))
      calls[0].fail()
      calls[1].fail()
      calls[2].ignore()
      calls[3].fail()
      #expect(circuit.share == 0.125)
      // Each further failure in the row does as well.
      circuit.advance(by: .milliseconds(500))
      calls[4].fail()
      calls[5].succeed()
      calls[6].succeed()
      #expect(circuit.share == 1)
      circuit.advance(by: wait)
      calls[7].succeed()
      circuit.succeed()
      #expect(circuit.isOnProbation() == !isOver)
    }
  }

  @Test(
    "CB-17: two failures in a row, or three with a success between, restart nothing",
    arguments: Counting.allCases)
  func fewerFailuresDoNotRestart(_ counting: Counting) {
    let circuit = onProbation(counting)
    let calls = circuit.start(6)
    circuit.advance(by: .seconds(1))
    for outcome in [Outcome.failure, .failure, .success, .failure, .success] {
      calls[circuit.counts.calls].end(outcome)
    }
    #expect(circuit.share == 1)
    circuit.advance(by: .seconds(1))
    calls[5].succeed()
    circuit.succeed()
    #expect(!circuit.isOnProbation())
  }

  @Test(
    "CB-17: it ends 20 s after closing at the latest, or after twice its length",
    arguments: Counting.allCases,
    [
      (Duration.seconds(2), Duration.seconds(20)), (.seconds(10), .seconds(20)),
      (.seconds(15), .seconds(30)),
    ])
  func endsAtTheLatest(_ counting: Counting, _ lengths: (probation: Duration, limit: Duration)) {
    let circuit = onProbation(counting, for: lengths.probation)
    let calls = circuit.start(10)
    circuit.advance(by: lengths.limit - .seconds(1))
    for call in calls[..<9] { call.fail() }
    circuit.advance(by: .seconds(1) - .tick)
    #expect(circuit.share == 0.125)
    circuit.expectRefused()
    circuit.advance(by: .tick)
    #expect(circuit.share == 1)
    let after = circuit.start(20)
    #expect(
      circuit.counts == .init(failures: 9, consecutiveFailures: 9, inFlight: 21, rejected: 1))
    calls[9].fail()
    #expect(circuit.share == 1)
    for call in after { call.ignore() }
  }

  @Test("CB-17: the ordinary condition opens the circuit again", arguments: Counting.allCases)
  func ordinaryConditionReopens(_ counting: Counting) {
    let circuit = onProbation(counting, tripping: .consecutiveFailures(3))
    let calls = circuit.start(3)
    for call in calls { call.fail() }
    #expect(circuit.state == .open)
    #expect(circuit.share == 1)
    #expect(circuit.totals == .init(successes: 1, failures: 3, trips: 2))
    circuit.expectEvents(
      "admitted", "admitted", "admitted", "failed after 0.0 seconds", "failed after 0.0 seconds",
      "failed after 0.0 seconds", "closed > open (consecutive failures)")
  }

  @Test("CB-17: only closing from half-open begins it", arguments: Counting.allCases)
  func onlyHalfOpenBegins(_ counting: Counting) {
    let recovery = CircuitBreaker.Recovery(openFor: .seconds(30))
    #expect(!Circuit(counting, tripping: .never, recovery: recovery).isOnProbation())
    for state in CircuitBreaker.State.allCases {
      let circuit = Circuit(counting, tripping: .never, recovery: recovery)
      circuit.enter(state)
      circuit.breaker.reset()
      #expect(!circuit.isOnProbation())
    }
    let circuit = onProbation(counting)
    circuit.fail()
    #expect(circuit.share == 0.5)
    circuit.breaker.reset()
    #expect(circuit.share == 1)
    #expect(!circuit.isOnProbation())
  }

  @Test("CB-17: a late result changes no share", arguments: Counting.allCases)
  func lateChangesNothing(_ counting: Counting) {
    let circuit = Circuit(counting, tripping: .never, recovery: .init(openFor: .seconds(30)))
    let old = circuit.start()
    circuit.becomeHalfOpen()
    circuit.succeed()
    old[0].fail()
    #expect(circuit.share == 1)
    #expect(circuit.counts == .init(late: 1))
  }

  private func onProbation(
    _ counting: Counting, for probation: Duration = .seconds(2),
    tripping: CircuitBreaker.TripCondition = .never
  ) -> Circuit {
    let circuit = Circuit(
      counting, tripping: tripping, recovery: .init(openFor: .seconds(30), probation: probation))
    circuit.becomeHalfOpen()
    circuit.succeed()
    circuit.recorder.clear()
    return circuit
  }
}

extension Circuit {
  fileprivate var share: Double { breaker.snapshot().admittedShare }

  /// Whether a failure halves the share: it shows only so. For a circuit whose share is whole.
  fileprivate func isOnProbation() -> Bool {
    fail()
    return share < 1
  }
}
