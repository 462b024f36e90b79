import Resilience
import ResilienceTesting
import Testing

@Suite("Circuit breaker: trip conditions")
struct TripConditionTests {
  @Test(
    "CB-15: n failures in a row open, n − 1 do not, and ignored calls are in no row",
    arguments: Counting.allCases)
  func failuresInARow(_ counting: Counting) {
    let circuit = Circuit(counting, tripping: .consecutiveFailures(4))
    circuit.fail(3)
    #expect(circuit.counts == .init(failures: 3, consecutiveFailures: 3))
    circuit.succeed()
    #expect(circuit.counts == .init(successes: 1, failures: 3, consecutiveSuccesses: 1))
    circuit.fail(3)
    circuit.ignore(5)
    #expect(
      circuit.counts == .init(successes: 1, failures: 6, ignored: 5, consecutiveFailures: 3))
    #expect(circuit.state == .closed)
    circuit.fail()
    #expect(circuit.state == .open)
  }

  @Test(
    "CB-15: a lasting streak runs from the start of its first call to the end of its last",
    arguments: Counting.allCases)
  func lastingIsExact(_ counting: Counting) {
    let circuit = Circuit(counting, tripping: .consecutiveFailures(3, lasting: .seconds(3)))
    circuit.fail(taking: .seconds(1))
    circuit.fail(5)
    circuit.fail(taking: .seconds(2) - .tick)
    #expect(circuit.counts == .init(failures: 7, consecutiveFailures: 7))
    #expect(circuit.state == .closed)
    circuit.advance(by: .tick)
    circuit.fail()
    #expect(circuit.state == .open)
    #expect(circuit.clock.now.offset == .seconds(3))
  }

  @Test(
    "CB-15: a lasting streak needs its failures as well as its time", arguments: Counting.allCases)
  func lastingNeedsBoth(_ counting: Counting) {
    let circuit = Circuit(counting, tripping: .consecutiveFailures(3, lasting: .seconds(3)))
    circuit.fail(2, taking: .seconds(60))
    #expect(circuit.state == .closed)
    circuit.fail()
    #expect(circuit.state == .open)
  }

  @Test(
    "CB-15: the first of a lasting streak is the failure that completed first",
    arguments: Counting.allCases)
  func lastingStartsWithFirstCompleted(_ counting: Counting) {
    let circuit = Circuit(counting, tripping: .consecutiveFailures(2, lasting: .seconds(3)))
    let older = circuit.start()
    circuit.advance(by: .seconds(1))
    let younger = circuit.start()
    circuit.advance(by: .seconds(1))
    younger[0].fail()
    circuit.advance(by: .seconds(2) - .tick)
    older[0].fail()
    #expect(circuit.state == .closed)
    circuit.advance(by: .tick)
    circuit.fail()
    #expect(circuit.state == .open)
  }

  @Test(
    "CB-15: a streak followed by silence is no evidence; the next failure is",
    arguments: Counting.allCases)
  func silenceIsNoEvidence(_ counting: Counting) {
    let circuit = Circuit(counting, tripping: .consecutiveFailures(3, lasting: .seconds(3)))
    circuit.fail(10)
    circuit.advance(by: .seconds(3600))
    #expect(circuit.state == .closed)
    circuit.ignore()
    let running = circuit.start()
    #expect(circuit.state == .closed)
    running[0].fail()
    #expect(circuit.state == .open)
  }

  @Test(
    "CB-15: a success ends a lasting streak, and the next starts later",
    arguments: Counting.allCases)
  func successEndsLastingStreak(_ counting: Counting) {
    let circuit = Circuit(counting, tripping: .consecutiveFailures(2, lasting: .seconds(3)))
    circuit.fail()
    circuit.advance(by: .seconds(2))
    circuit.succeed()
    circuit.fail()
    circuit.advance(by: .seconds(2))
    circuit.fail()
    #expect(
      circuit.counts == .init(successes: 1, failures: 3, consecutiveFailures: 2))
    circuit.advance(by: .seconds(1))
    circuit.fail()
    #expect(circuit.state == .open)
  }

  @Test("CB-11, CB-15: the trap of intervals: a failure every 3 s is never five in a row in 10 s")
  func intervalTrap() {
    let circuit = Circuit(tripping: .consecutiveFailures(5), over: .interval(.seconds(10)))
    for _ in 0..<100 {
      circuit.fail()
      circuit.advance(by: .seconds(3))
    }
    #expect(circuit.totals == .init(failures: 100))
  }

  @Test("CB-15: rates are exact: k of 100 reach k %, k − 1 do not")
  func ratesAreExact() {
    for failures in 1...100 {
      for (actual, state) in [
        (failures, CircuitBreaker.State.open), (failures - 1, .closed),
      ] {
        let circuit = Circuit(
          .unobserved, tripping: .failureRate(Double(failures) / 100, minimumCalls: 100))
        circuit.succeed(100 - actual)
        circuit.fail(actual)
        #expect(circuit.state == state)
      }
    }
    // 0.1 + 0.2 is a little more than 0.3.
    let circuit = Circuit(tripping: .failureRate(0.1 + 0.2, minimumCalls: 10))
    circuit.succeed(7)
    circuit.fail(3)
    #expect(circuit.state == .closed)
    circuit.fail()
    #expect(circuit.state == .open)
  }

  @Test(
    "CB-15: a threshold of a half opens at a half, not at 0.4955 (failsafe P15)",
    arguments: Counting.allCases)
  func halfIsAHalf(_ counting: Counting) {
    let circuit = Circuit(counting, tripping: .failureRate(0.5))
    circuit.succeed(500)
    circuit.fail(499)
    #expect(
      circuit.counts == .init(successes: 500, failures: 499, consecutiveFailures: 499))
    #expect(circuit.state == .closed)
    circuit.fail()
    #expect(circuit.state == .open)
  }

  @Test(
    "CB-15: small thresholds are not rounded away (failsafe P15b)", arguments: Counting.allCases)
  func smallRatesTrip(_ counting: Counting) {
    let circuit = Circuit(counting, tripping: .failureRate(0.002, minimumCalls: 1000))
    circuit.fail()
    circuit.succeed(999)
    circuit.fail()
    #expect(circuit.state == .closed)
    #expect(
      circuit.counts == .init(successes: 999, failures: 2, consecutiveFailures: 1))
    circuit.succeed(498)
    circuit.fail()
    #expect(circuit.state == .open)
    #expect(circuit.totals == .init(successes: 1497, failures: 3, trips: 1))
  }

  @Test("CB-15: a call is slow only if it took strictly longer", arguments: Counting.allCases)
  func slowIsStrictlyLonger(_ counting: Counting) {
    let circuit = Circuit(
      counting, tripping: .slowCallRate(0.5, slowerThan: .seconds(1), minimumCalls: 4))
    circuit.succeed(3, taking: .seconds(1))
    circuit.fail(taking: .seconds(1))
    #expect(circuit.counts == .init(successes: 3, failures: 1, consecutiveFailures: 1))
    circuit.succeed(taking: .seconds(1) + .tick)
    circuit.fail(2, taking: .seconds(1) + .tick)
    #expect(
      circuit.counts == .init(successes: 4, failures: 3, slow: 3, consecutiveFailures: 2))
    #expect(circuit.state == .closed)
    circuit.succeed(taking: .seconds(1) + .tick)
    #expect(circuit.state == .open)
  }

  @Test(
    "CB-15: the minimum counts calls that succeeded or failed, no others",
    arguments: Counting.allCases)
  func minimumCountsCompleted(_ counting: Counting) {
    let circuit = Circuit(counting, tripping: .failureRate(0.1, minimumCalls: 4))
    circuit.ignore(10)
    let running = circuit.start(10)
    circuit.succeed()
    circuit.fail(2)
    #expect(
      circuit.counts
        == .init(successes: 1, failures: 2, ignored: 10, consecutiveFailures: 2, inFlight: 10))
    circuit.fail()
    #expect(circuit.state == .open)
    for call in running { call.ignore() }

    let standard = Circuit(counting, tripping: .failureRate(0.1))
    standard.fail(19)
    #expect(standard.state == .closed)
    standard.fail()
    #expect(standard.state == .open)
  }

  @Test("CB-15: over the last n calls a minimum above n means n", arguments: Counting.allCases)
  func minimumIsClamped(_ counting: Counting) {
    let rate = CircuitBreaker.TripCondition.failureRate(0.5, minimumCalls: 100)
    let slow = CircuitBreaker.TripCondition.slowCallRate(
      0.5, slowerThan: .seconds(1), minimumCalls: 100)
    for tripping in [rate, slow] {
      let circuit = Circuit(counting, tripping: tripping, over: .calls(10))
      circuit.fail(9, taking: .seconds(2))
      #expect(circuit.state == .closed)
      circuit.fail(taking: .seconds(2))
      #expect(circuit.state == .open)
    }
  }

  @Test(
    "CB-2: a predicate is asked after failures and slow calls, over a copy of the counts",
    arguments: Counting.allCases)
  func predicateIsAsked(_ counting: Counting) {
    let asked = Shared<[CircuitBreaker.Counts]>([])
    let slow = CircuitBreaker.TripCondition.slowCallRate(
      1, slowerThan: .seconds(1), minimumCalls: 100)
    let circuit = Circuit(
      counting,
      tripping: .any(
        .when {
          asked.value.append($0); return $0.failures == 2
        }, slow))
    circuit.succeed()
    circuit.ignore()
    #expect(asked.value == [])
    circuit.fail()
    circuit.succeed(taking: .seconds(2))
    let running = circuit.start()
    circuit.fail()
    #expect(circuit.state == .open)
    running[0].fail()
    #expect(
      asked.value == [
        .init(successes: 1, failures: 1, ignored: 1, consecutiveFailures: 1),
        .init(successes: 2, failures: 1, ignored: 1, slow: 1, consecutiveSuccesses: 1),
        .init(successes: 2, failures: 2, ignored: 1, slow: 1, consecutiveFailures: 1, inFlight: 1),
      ])
    guard counting == .observed else { return }
    #expect(circuit.changes.map(\.cause) == [.predicate])
    #expect(circuit.changes.map(\.counts) == [asked.value[2]])
  }

  @Test("CB-2: of several conditions the first that holds is the cause, predicates last")
  func firstConditionIsTheCause() {
    let asked = Shared<[CircuitBreaker.Counts]>([])
    let circuit = Circuit(
      tripping: .any(
        .when {
          asked.value.append($0); return true
        }, .failureRate(0.5, minimumCalls: 1),
        .consecutiveFailures(1)))
    circuit.fail()
    #expect(circuit.changes.map(\.cause) == [.failureRate])
    #expect(asked.value == [])
  }

  @Test("CB-15: the default opens at 6 in a row lasting 3 s", arguments: Counting.allCases)
  func defaultStreak(_ counting: Counting) {
    let circuit = Circuit(
      counting, tripping: CircuitBreaker.Configuration().tripping,
      over: CircuitBreaker.Configuration().window)
    circuit.fail(taking: .seconds(1))
    circuit.fail(4)
    circuit.advance(by: .seconds(2) - .tick)
    circuit.fail()
    #expect(circuit.counts == .init(failures: 6, consecutiveFailures: 6))
    #expect(circuit.state == .closed)
    circuit.advance(by: .tick)
    circuit.fail()
    #expect(circuit.state == .open)
  }

  @Test(
    "CB-15: the default opens at 80 % of 40 calls in the last 10 s", arguments: Counting.allCases)
  func defaultRate(_ counting: Counting) {
    let circuit = Circuit(
      counting, tripping: CircuitBreaker.Configuration().tripping,
      over: CircuitBreaker.Configuration().window)
    #expect(CircuitBreaker.Configuration().window == .rolling(.seconds(10), buckets: 10))
    circuit.fail(39)
    circuit.advance(by: .seconds(10))
    circuit.succeed(8)
    circuit.fail(31)
    #expect(circuit.counts == .init(successes: 8, failures: 31, consecutiveFailures: 31))
    #expect(circuit.state == .closed)
    circuit.fail()
    #expect(circuit.state == .open)
  }
}
