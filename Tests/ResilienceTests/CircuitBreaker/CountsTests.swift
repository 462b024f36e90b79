import Resilience
import ResilienceTesting
import Testing

@Suite("Circuit breaker: counts")
struct CountsTests {
  @Test("CB-10: a new circuit has counted nothing", arguments: Counting.allCases)
  func startsAtZero(_ counting: Counting) {
    let snapshot = Circuit(counting).breaker.snapshot()
    #expect(snapshot.name == "users")
    #expect(snapshot.state == .closed)
    #expect(snapshot.counts == .init())
    #expect(snapshot.totals == .init())
    #expect(snapshot.running == 0)
    #expect(snapshot.generation == 0)
    #expect(snapshot.openUntil == nil)
    #expect(snapshot.admittedShare == 1)
  }

  @Test("CB-10: every outcome is counted once, when it comes", arguments: Counting.allCases)
  func countsEachOutcome(_ counting: Counting) {
    let circuit = Circuit(
      counting, tripping: .slowCallRate(1, slowerThan: .seconds(1), minimumCalls: 100))
    let calls = circuit.start(6)
    #expect(circuit.counts == .init(inFlight: 6))
    calls[0].succeed()
    #expect(circuit.counts == .init(successes: 1, consecutiveSuccesses: 1, inFlight: 5))
    calls[1].succeed()
    #expect(circuit.counts == .init(successes: 2, consecutiveSuccesses: 2, inFlight: 4))
    calls[2].fail()
    #expect(circuit.counts == .init(successes: 2, failures: 1, consecutiveFailures: 1, inFlight: 3))
    calls[3].ignore()
    #expect(
      circuit.counts
        == .init(successes: 2, failures: 1, ignored: 1, consecutiveFailures: 1, inFlight: 2))
    circuit.advance(by: .seconds(2))
    calls[4].fail()
    #expect(
      circuit.counts
        == .init(
          successes: 2, failures: 2, ignored: 1, slow: 1, consecutiveFailures: 2, inFlight: 1))
    calls[5].succeed()
    #expect(
      circuit.counts
        == .init(successes: 3, failures: 2, ignored: 1, slow: 2, consecutiveSuccesses: 1))
    #expect(circuit.counts.calls == 6)
    #expect(circuit.totals == .init(successes: 3, failures: 2, ignored: 1, slow: 2))
  }

  @Test("CB-10: a slow call that is ignored is not counted as slow", arguments: Counting.allCases)
  func ignoredIsNotSlow(_ counting: Counting) {
    let circuit = Circuit(
      counting, tripping: .slowCallRate(1, slowerThan: .seconds(1), minimumCalls: 1))
    let call = circuit.start()
    circuit.advance(by: .seconds(5))
    call[0].ignore()
    #expect(circuit.counts == .init(ignored: 1))
    #expect(circuit.totals == .init(ignored: 1))
  }

  @Test("CB-10: calls are those that ended, and rates divide by those that succeeded or failed")
  func ratesDivideByCompleted() {
    let circuit = Circuit(
      tripping: .slowCallRate(1, slowerThan: .seconds(1), minimumCalls: 100))
    #expect(circuit.counts.failureRate == nil)
    #expect(circuit.counts.slowCallRate == nil)
    circuit.ignore(2)
    let running = circuit.start(3)
    #expect(circuit.counts.failureRate == nil)
    circuit.fail()
    circuit.succeed(2)
    circuit.succeed(taking: .seconds(2))
    #expect(
      circuit.counts
        == .init(
          successes: 3, failures: 1, ignored: 2, slow: 1, consecutiveSuccesses: 3, inFlight: 3))
    #expect(circuit.counts.calls == 6)
    #expect(circuit.counts.failureRate == 0.25)
    #expect(circuit.counts.slowCallRate == 0.25)
    for call in running { call.ignore() }
  }

  @Test("CB-10: refused and late calls are counted for life", arguments: Counting.allCases)
  func refusedAndLateAreForLife(_ counting: Counting) {
    let circuit = Circuit(counting)
    let old = circuit.start(2)
    circuit.breaker.trip()
    circuit.expectRefused()
    old[0].succeed()
    #expect(circuit.counts == .init(rejected: 1, late: 1))
    circuit.becomeHalfOpen()
    #expect(circuit.counts == .init(rejected: 1, late: 1))
    circuit.succeed()
    #expect(circuit.counts == .init(rejected: 1, late: 1))
    circuit.breaker.reset()
    old[1].fail()
    #expect(circuit.counts == .init(rejected: 1, late: 2))
  }

  @Test(
    "CB-14: a change of state clears the counts, and carries those that led to it",
    arguments: Counting.allCases)
  func changeClearsAndCarries(_ counting: Counting) async throws {
    let circuit = Circuit(counting)
    circuit.succeed(4)
    circuit.ignore()
    let running = circuit.start(2)
    circuit.fail(3)
    let atTrip = CircuitBreaker.Counts(
      successes: 4, failures: 3, ignored: 1, consecutiveFailures: 3, inFlight: 2)
    #expect(circuit.counts == .init())
    #expect(try await circuit.refusal().counts == atTrip)
    running[0].succeed()
    circuit.advance(by: .seconds(30))
    let probe = circuit.start()
    #expect(circuit.counts == .init(inFlight: 1, rejected: 1, late: 1))
    #expect(try await circuit.refusal().counts == atTrip)
    probe[0].fail()
    #expect(circuit.counts == .init(rejected: 2, late: 1))
    let atReopening = CircuitBreaker.Counts(
      failures: 1, consecutiveFailures: 1, rejected: 2, late: 1)
    #expect(try await circuit.refusal().counts == atReopening)
    circuit.advance(by: .seconds(30))
    circuit.succeed()
    #expect(circuit.counts == .init(rejected: 3, late: 1))
    running[1].ignore()
    guard counting == .observed else { return }
    #expect(
      circuit.changes.map(\.counts) == [
        atTrip, .init(rejected: 1, late: 1), atReopening, .init(rejected: 3, late: 1),
        .init(successes: 1, consecutiveSuccesses: 1, rejected: 3, late: 1),
      ])
  }

  @Test("CB-14: totals outlive every change of state", arguments: Counting.allCases)
  func totalsSurvive(_ counting: Counting) {
    let circuit = Circuit(
      counting,
      tripping: .any(
        .consecutiveFailures(3), .slowCallRate(1, slowerThan: .seconds(1), minimumCalls: 100)))
    circuit.succeed(2)
    circuit.succeed(taking: .seconds(2))
    circuit.ignore()
    #expect(circuit.totals == .init(successes: 3, ignored: 1, slow: 1))
    let old = circuit.start()
    circuit.fail(3)
    circuit.expectRefused()
    old[0].succeed()
    #expect(
      circuit.totals
        == .init(successes: 3, failures: 3, ignored: 1, slow: 1, rejected: 1, late: 1, trips: 1))
    circuit.advance(by: .seconds(30))
    circuit.fail()
    circuit.advance(by: .seconds(30))
    circuit.succeed()
    circuit.succeed(5)
    let after = CircuitBreaker.Totals(
      successes: 9, failures: 4, ignored: 1, slow: 1, rejected: 1, late: 1, trips: 1, reopenings: 1)
    #expect(circuit.totals == after)
    circuit.breaker.reset()
    circuit.breaker.isolate()
    #expect(circuit.totals == after)
  }

  @Test("CB-14: totals outlive the window", arguments: Counting.allCases)
  func totalsOutliveWindows(_ counting: Counting) {
    for window in [
      CircuitBreaker.Window.interval(.seconds(1)), .rolling(.seconds(1)), .calls(1),
    ] {
      let circuit = Circuit(counting, over: window)
      for _ in 0..<5 {
        circuit.succeed(3)
        circuit.fail(2)
        circuit.advance(by: .seconds(2))
      }
      #expect(circuit.totals == .init(successes: 15, failures: 10))
    }
  }

  @Test(
    "CB-7: no result is dropped, however long its call took (gobreaker B2)",
    arguments: [1, 9, 49, 50, 89, 90, 99, 100, 101, 250],
    [CircuitBreaker.Window.interval(.seconds(10)), .rolling(.seconds(10))])
  func noResultIsDropped(_ tenths: Int, _ window: CircuitBreaker.Window) {
    let circuit = Circuit(.unobserved, tripping: .never, over: window)
    var calls: [Call] = []
    for tick in 0..<500 {
      calls += circuit.start()
      if tick >= tenths {
        let before = circuit.counts
        calls[tick - tenths].fail()
        #expect(circuit.counts.failures == before.failures + 1)
        #expect(circuit.counts.consecutiveFailures == before.consecutiveFailures + 1)
      }
      circuit.advance(by: .milliseconds(100))
    }
    for call in calls { call.ignore() }
    #expect(circuit.totals == .init(failures: 500 - tenths, ignored: tenths))
  }

  @Test("CB-11: windows apply to observing", arguments: Counting.allCases)
  func observingHasWindows(_ counting: Counting) {
    for window in [CircuitBreaker.Window.interval(.seconds(1)), .rolling(.seconds(1)), .calls(1)] {
      let circuit = Circuit(counting, tripping: .never, over: window)
      circuit.breaker.observe()
      circuit.fail(5)
      circuit.advance(by: .seconds(2))
      circuit.succeed()
      #expect(circuit.counts == .init(successes: 1, consecutiveSuccesses: 1))
    }
  }

  @Test(
    "CB-10: observed or not, a breaker counts and decides the same",
    arguments: [
      CircuitBreaker.Window.sinceTransition, .interval(.seconds(5)),
      .rolling(.seconds(5), buckets: 5), .calls(7),
    ])
  func bothWaysAgree(_ window: CircuitBreaker.Window) {
    let tripping = CircuitBreaker.TripCondition.any(
      .consecutiveFailures(4, lasting: .seconds(1)), .failureRate(0.7, minimumCalls: 6),
      .slowCallRate(0.6, slowerThan: .seconds(3), minimumCalls: 5))
    let recovery = CircuitBreaker.Recovery(
      openFor: .constant(.seconds(2), jitter: 0.5), probes: 2, probeLease: .seconds(4))
    let circuits = Counting.allCases.map { counting in
      Circuit(counting, tripping: tripping, over: window, recovery: recovery, seed: 6)
    }
    var calls: [[Call]] = []
    var dice = Dice(seed: 4)
    for step in 0..<1500 {
      switch Int.random(in: 0..<5, using: &dice) {
      case 0, 1: calls.append(circuits.map { Call($0.breaker) })
      case 2 where step.isMultiple(of: 40): for circuit in circuits { circuit.breaker.reset() }
      case 2: advance(circuits, by: .milliseconds(Int.random(in: 0..<1500, using: &dice)))
      default:
        guard let index = calls.indices.randomElement(using: &dice) else { continue }
        let outcomes: [Outcome] = [.success, .success, .success, .failure, .failure, .ignored]
        let outcome = outcomes.randomElement(using: &dice) ?? .success
        for call in calls.remove(at: index) { call.end(outcome) }
      }
      // Not at each step: reading brings both ways together.
      guard step.isMultiple(of: 7) else { continue }
      let snapshots = circuits.map { $0.breaker.snapshot() }
      #expect(snapshots[0].state == snapshots[1].state)
      #expect(snapshots[0].counts == snapshots[1].counts)
      #expect(snapshots[0].totals == snapshots[1].totals)
      #expect(snapshots[0].running == snapshots[1].running)
      #expect(snapshots[0].generation == snapshots[1].generation)
      #expect(snapshots[0].admittedShare == snapshots[1].admittedShare)
    }
    #expect(circuits[0].totals.trips > 5)
    for call in calls.joined() { call.ignore() }
  }

  private func advance(_ circuits: [Circuit], by duration: Duration) {
    for circuit in circuits { circuit.advance(by: duration) }
  }

  @Test("CB-10: a snapshot is a value: what happens later does not change it")
  func snapshotIsAValue() {
    let circuit = Circuit(.unobserved)
    circuit.succeed()
    let before = circuit.breaker.snapshot()
    circuit.fail(3)
    #expect(before.counts == .init(successes: 1, consecutiveSuccesses: 1))
    #expect(before.state == .closed)
    #expect(before.totals == .init(successes: 1))
  }

  @Test("CB-10: reading between two calls changes no count", arguments: Counting.allCases)
  func readingChangesNothing(_ counting: Counting) {
    let read = Circuit(counting, over: .rolling(.seconds(10)))
    let unread = Circuit(counting, over: .rolling(.seconds(10)))
    var dice = Dice(seed: 3)
    for _ in 0..<200 {
      let outcome = [Outcome.success, .failure, .ignored].randomElement(using: &dice) ?? .success
      let step = Duration.milliseconds(Int.random(in: 0..<3000, using: &dice))
      for circuit in [read, unread] {
        Call(circuit.breaker).end(outcome)
        circuit.advance(by: step)
      }
      _ = (read.state, read.counts, read.totals)
    }
    #expect(read.counts == unread.counts)
    #expect(read.totals == unread.totals)
    #expect(read.state == unread.state)
  }
}
