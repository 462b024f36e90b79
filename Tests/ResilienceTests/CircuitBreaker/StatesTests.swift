import Resilience
import ResilienceTesting
import Testing

@Suite("Circuit breaker: states")
struct StatesTests {
  @Test(
    "CB-1: a circuit is closed, open or half-open; a person makes it isolated, disabled, observing")
  func statesAreSix() {
    let circuit = Circuit()
    #expect(
      CircuitBreaker.State.allCases == [
        .closed, .open, .halfOpen, .isolated, .disabled, .observing,
      ])
    #expect(circuit.state == .closed)
    circuit.fail(3)
    #expect(circuit.state == .open)
    circuit.advance(by: .seconds(30))
    #expect(circuit.state == .halfOpen)
    circuit.breaker.isolate()
    #expect(circuit.state == .isolated)
    circuit.breaker.disable()
    #expect(circuit.state == .disabled)
    circuit.breaker.observe()
    #expect(circuit.state == .observing)
    #expect(circuit.breaker.snapshot().state == .observing)
  }

  @Test(
    "CB-1: a state that a person set never ends by itself", arguments: Counting.allCases,
    [CircuitBreaker.State.isolated, .disabled, .observing])
  func personsStatesStay(_ counting: Counting, _ state: CircuitBreaker.State) {
    let circuit = Circuit(counting, recovery: .init(openFor: .seconds(1), probation: .zero))
    circuit.fail(3)
    circuit.enter(state)
    for _ in 0..<3 {
      for outcome in [Outcome.failure, .failure, .failure, .success] {
        let call = Call(circuit.breaker)
        #expect(call.isAdmitted == (state != .isolated))
        call.end(outcome)
        #expect(circuit.state == state)
      }
      circuit.advance(by: .seconds(365 * 86_400))
      #expect(circuit.state == state)
    }
    #expect(circuit.breaker.snapshot().generation == 2)
  }

  @Test(
    "CB-2: a closed circuit opens at the failure with which its condition comes to hold",
    arguments: Counting.allCases)
  func opensAtTheFailure(_ counting: Counting) async throws {
    let circuit = Circuit(counting)
    #expect(circuit.counts == .init())
    circuit.succeed()
    #expect(circuit.counts == .init(successes: 1, consecutiveSuccesses: 1))
    circuit.fail()
    #expect(circuit.counts == .init(successes: 1, failures: 1, consecutiveFailures: 1))
    circuit.fail()
    #expect(circuit.counts == .init(successes: 1, failures: 2, consecutiveFailures: 2))
    #expect(circuit.state == .closed)
    circuit.fail()
    #expect(circuit.state == .open)
    #expect(circuit.counts == .init())
    #expect(try await circuit.refusal().reason == .open)
    #expect(circuit.counts == .init(rejected: 1))
    circuit.expectEvents(
      "admitted", "succeeded after 0.0 seconds", "admitted", "failed after 0.0 seconds",
      "admitted", "failed after 0.0 seconds", "admitted", "failed after 0.0 seconds",
      "closed > open (consecutive failures)", "rejected (open)")
  }

  @Test(
    "CB-2: a slow call opens a closed circuit although it succeeded", arguments: Counting.allCases)
  func opensAtSlowCall(_ counting: Counting) {
    let circuit = Circuit(
      counting, tripping: .slowCallRate(0.5, slowerThan: .seconds(1), minimumCalls: 2))
    circuit.succeed()
    #expect(circuit.counts == .init(successes: 1, consecutiveSuccesses: 1))
    circuit.succeed(taking: .seconds(2))
    #expect(circuit.state == .open)
    circuit.expectEvents(
      "admitted", "succeeded after 0.0 seconds", "admitted", "succeeded after 2.0 seconds",
      "closed > open (slow-call rate)")
  }

  @Test(
    "CB-2: a success never opens a circuit, not even the one that completes the minimum of calls",
    arguments: Counting.allCases)
  func successNeverOpens(_ counting: Counting) {
    let circuit = Circuit(counting, tripping: .failureRate(0.5, minimumCalls: 4))
    circuit.fail(3)
    circuit.succeed()
    #expect(
      circuit.counts == .init(successes: 1, failures: 3, consecutiveSuccesses: 1))
    circuit.ignore()
    #expect(
      circuit.counts == .init(successes: 1, failures: 3, ignored: 1, consecutiveSuccesses: 1))
    #expect(circuit.state == .closed)
    circuit.fail()
    #expect(circuit.state == .open)
  }

  @Test(
    "CB-2: half-open closes after successesToClose successful probes", arguments: Counting.allCases)
  func closesAfterSuccesses(_ counting: Counting) {
    let circuit = Circuit(
      counting, recovery: .init(openFor: .seconds(30), successesToClose: 2, probation: .zero))
    circuit.becomeHalfOpen()
    circuit.succeed()
    #expect(circuit.state == .halfOpen)
    #expect(circuit.counts == .init(successes: 1, consecutiveSuccesses: 1))
    circuit.succeed()
    #expect(circuit.state == .closed)
    #expect(circuit.counts == .init())
    circuit.expectEvents(
      "open > half-open (open period ended)", "admitted", "succeeded after 0.0 seconds",
      "admitted", "succeeded after 0.0 seconds", "half-open > closed (probes succeeded)")
  }

  @Test("CB-2: half-open opens again on the first failed probe", arguments: Counting.allCases)
  func reopensOnFirstFailure(_ counting: Counting) {
    let circuit = Circuit(
      counting, recovery: .init(openFor: .seconds(30), successesToClose: 3, probation: .zero))
    circuit.becomeHalfOpen()
    circuit.succeed(2)
    circuit.fail()
    #expect(circuit.state == .open)
    #expect(circuit.openFor == .seconds(30))
    #expect(circuit.counts == .init())
    circuit.expectEvents(
      "open > half-open (open period ended)", "admitted", "succeeded after 0.0 seconds",
      "admitted", "succeeded after 0.0 seconds", "admitted", "failed after 0.0 seconds",
      "half-open > open (probe failed)")
  }

  @Test("CB-2: four changes of state come by themselves, and none is to the same state")
  func onlyFourChanges() {
    let circuit = Circuit(
      tripping: .any(.consecutiveFailures(2), .failureRate(0.5, minimumCalls: 4)),
      over: .rolling(.seconds(10)),
      recovery: .init(openFor: .seconds(2), probes: 2, probeLease: .seconds(3)))
    var dice = Dice(seed: 1)
    var calls: [Call] = []
    for _ in 0..<4000 {
      switch Int.random(in: 0..<4, using: &dice) {
      case 0: circuit.advance(by: .milliseconds(Int.random(in: 0..<2000, using: &dice)))
      case 1: calls.append(Call(circuit.breaker))
      default:
        guard let index = calls.indices.randomElement(using: &dice) else { continue }
        let outcomes: [Outcome] = [.success, .success, .failure, .ignored]
        calls.remove(at: index).end(outcomes.randomElement(using: &dice) ?? .success)
      }
    }
    for call in calls { call.ignore() }
    let changes = circuit.changes.map { "\($0.from) > \($0.to)" }
    #expect(
      Set(changes) == [
        "closed > open", "open > half-open", "half-open > closed", "half-open > open",
      ])
    #expect(circuit.changes.first?.from == .closed)
    #expect(circuit.changes.dropFirst().map(\.from) == circuit.changes.dropLast().map(\.to))
    #expect(circuit.changes.map(\.generation) == (1...UInt64(changes.count)).map { $0 })
  }

  @Test(
    "CB-2, CB-3: without a touch nothing changes, and no timer waits", arguments: Counting.allCases)
  func nothingChangesUntouched(_ counting: Counting) {
    let circuit = Circuit(counting)
    circuit.fail(2)
    let running = circuit.start()
    circuit.recorder.clear()
    circuit.advance(by: .seconds(365 * 86_400))
    #expect(circuit.counts == .init(failures: 2, consecutiveFailures: 2, inFlight: 1))
    circuit.expectEvents()

    running[0].fail()
    circuit.recorder.clear()
    circuit.advance(by: .seconds(365 * 86_400))
    circuit.expectEvents()
    #expect(circuit.breaker.snapshot().generation == 1)
    #expect(circuit.clock.sleeperCount == 0)
  }

  @Test(
    "CB-3: open refuses until its deadline, and admits a probe at it", arguments: Counting.allCases)
  func opensUntilDeadline(_ counting: Counting) async throws {
    let circuit = Circuit(counting)
    circuit.fail(3)
    circuit.recorder.clear()
    circuit.advance(by: .seconds(30) - .tick)
    #expect(circuit.state == .open)
    #expect(circuit.openFor == .tick)
    #expect(try await circuit.refusal().retryAfter == .tick)
    circuit.expectEvents("rejected (open)")

    circuit.advance(by: .tick)
    let probe = circuit.start()
    #expect(circuit.state == .halfOpen)
    #expect(circuit.counts == .init(inFlight: 1, rejected: 1))
    circuit.expectEvents("open > half-open (open period ended)", "admitted")
    probe[0].succeed()
    #expect(circuit.state == .closed)
  }

  @Test(
    "CB-3: a call long after the deadline is a probe like any other", arguments: Counting.allCases)
  func probesLongAfterDeadline(_ counting: Counting) {
    let circuit = Circuit(counting)
    circuit.fail(3)
    circuit.advance(by: .seconds(365 * 86_400))
    let probe = circuit.start()
    circuit.expectRefused()
    #expect(circuit.counts == .init(inFlight: 1, rejected: 1))
    probe[0].fail()
    #expect(circuit.openFor == .seconds(30))
  }

  @Test(
    "CB-3: reading is passive and may be ahead of the last event", arguments: Counting.allCases)
  func readingIsPassive(_ counting: Counting) {
    let circuit = Circuit(counting)
    circuit.fail(3)
    circuit.recorder.clear()
    circuit.advance(by: .seconds(30))
    for _ in 0..<3 {
      #expect(circuit.state == .halfOpen)
      #expect(circuit.breaker.snapshot().state == .halfOpen)
      #expect(circuit.breaker.snapshot().openUntil == nil)
      #expect(circuit.breaker.snapshot().generation == 1)
    }
    circuit.expectEvents()
    circuit.succeed()
    circuit.expectEvents(
      "open > half-open (open period ended)", "admitted", "succeeded after 0.0 seconds",
      "half-open > closed (probes succeeded)")
  }

  @Test(
    "CB-3: open runs from the touch that opened, not from the start of the call",
    arguments: Counting.allCases)
  func openRunsFromTheTouch(_ counting: Counting) async throws {
    let circuit = Circuit(counting)
    circuit.fail(2)
    circuit.fail(taking: .seconds(7))
    #expect(circuit.state == .open)
    #expect(circuit.openFor == .seconds(30))
    if counting == .observed { #expect(circuit.changes[0].openUntil?.remaining == .seconds(30)) }
    circuit.advance(by: .seconds(30) - .tick)
    #expect(circuit.state == .open)
    try await circuit.refusal()
    circuit.advance(by: .tick)
    #expect(circuit.state == .halfOpen)
  }
}
