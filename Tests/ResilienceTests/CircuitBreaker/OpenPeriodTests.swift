import Resilience
import ResilienceTesting
import Testing

@Suite("Circuit breaker: open periods")
struct OpenPeriodTests {
  @Test("CB-18: open periods grow by the factor, up to the cap", arguments: Counting.allCases)
  func periodsGrow(_ counting: Counting) {
    let circuit = circuit(
      counting, .exponential(from: .seconds(1), factor: 3, cap: .seconds(20), jitter: 0))
    #expect(
      circuit.openPeriods(6)
        == [.seconds(1), .seconds(3), .seconds(9), .seconds(20), .seconds(20), .seconds(20)])
    #expect(circuit.totals == .init(failures: 8, trips: 1, reopenings: 5))
  }

  @Test("CB-18: by default from 0.5 s by a fifth up to 2 s, give or take a tenth")
  func defaultPeriods() {
    #expect(
      CircuitBreaker.Recovery().openFor
        == .exponential(
          from: .milliseconds(500), factor: 1.2, cap: .seconds(2), jitter: 0.1))
    let circuit = circuit(
      .unobserved,
      .exponential(from: .milliseconds(500), factor: 1.2, cap: .seconds(2), jitter: 0))
    #expect(
      circuit.openPeriods(10)
        == [
          500_000_000, 600_000_000, 720_000_000, 864_000_000, 1_036_800_000, 1_244_160_000,
          1_492_992_000, 1_791_590_400, 2_000_000_000, 2_000_000_000,
        ].map { .nanoseconds($0) })
  }

  @Test("CB-18: jitter spreads the periods within its share, after the cap")
  func jitterSpreads() throws {
    let circuit = Circuit(
      .unobserved,
      recovery: .init(
        openFor: .exponential(from: .seconds(1), factor: 10, cap: .seconds(10), jitter: 0.1),
        probation: .zero),
      seed: 5)
    circuit.fail(3)
    let periods = circuit.openPeriods(201)
    let (first, capped) = (try #require(periods.first), periods.dropFirst())
    #expect((Duration.milliseconds(900)...(.milliseconds(1100))).contains(first))
    #expect(capped.allSatisfy { (Duration.seconds(9)...(.seconds(11))).contains($0) })
    #expect(try #require(capped.min()) < .milliseconds(9050))
    #expect(try #require(capped.max()) > .milliseconds(10_950))
    let mean = capped.reduce(.zero, +) / capped.count
    #expect((Duration.milliseconds(9850)...(.milliseconds(10_150))).contains(mean))
  }

  @Test("CB-18: a seed repeats the jitter, another does not")
  func seedRepeatsJitter() {
    let periods = [7, 7, 8].map { (seed: UInt64) in
      let circuit = Circuit(
        recovery: .init(openFor: .constant(.seconds(10), jitter: 0.5)), seed: seed)
      circuit.fail(3)
      return circuit.openPeriods(10)
    }
    #expect(periods[0] == periods[1])
    #expect(periods[0] != periods[2])
    #expect(Set(periods[0]).count == 10)
  }

  @Test(
    "CB-18: the series restarts once the circuit was closed for as long as it was last open",
    arguments: Counting.allCases,
    [(Duration.seconds(4) - .tick, Duration.seconds(8)), (.seconds(4), .seconds(1))])
  func seriesRestarts(_ counting: Counting, _ lengths: (closed: Duration, next: Duration)) {
    let circuit = circuit(
      counting, .exponential(from: .seconds(1), factor: 2, cap: .seconds(60), jitter: 0))
    #expect(circuit.openPeriods(3) == [.seconds(1), .seconds(2), .seconds(4)])
    circuit.advance(by: .seconds(4))
    circuit.succeed()
    circuit.advance(by: lengths.closed)
    circuit.fail(3)
    #expect(circuit.openFor == lengths.next)
  }

  @Test("CB-18: time that passes in half-open does not restart the series")
  func halfOpenDoesNotRestart() {
    let circuit = circuit(
      .unobserved, .exponential(from: .seconds(1), factor: 2, cap: .seconds(60), jitter: 0))
    circuit.advance(by: .seconds(3600))
    circuit.fail(taking: .seconds(20))
    #expect(circuit.openFor == .seconds(2))
  }

  @Test(
    "CB-18: a failed probe reopens, which is counted apart from a trip",
    arguments: Counting.allCases)
  func reopeningsAreCountedApart(_ counting: Counting) {
    let circuit = circuit(counting, .seconds(10))
    #expect(circuit.totals == .init(failures: 3, trips: 1))
    circuit.advance(by: .seconds(10))
    circuit.fail()
    #expect(circuit.totals == .init(failures: 4, trips: 1, reopenings: 1))
    circuit.advance(by: .seconds(10))
    circuit.succeed()
    circuit.fail(3)
    #expect(circuit.totals == .init(successes: 1, failures: 7, trips: 2, reopenings: 1))
  }

  @Test(
    "CB-18: a server's retryAfter lengthens the period, within bounds, and never shortens it",
    arguments: Counting.allCases,
    [
      (nil, Duration.seconds(10)), (.seconds(25), .seconds(25)), (.seconds(3), .seconds(10)),
      (.seconds(31), .seconds(30)), (.zero, .seconds(10)), (.seconds(-5), .seconds(10)),
      (.seconds(Int64.max), .seconds(30)), (Duration(attoseconds: .max), .seconds(30)),
      (Duration(attoseconds: .min), .seconds(10)),
    ] as [(Duration?, Duration)])
  func retryAfterLengthens(_ counting: Counting, _ hint: (given: Duration?, taken: Duration)) {
    let circuit = Circuit(counting, recovery: .init(openFor: .seconds(10), probation: .zero))
    circuit.fail(2)
    circuit.fail(with: Overloaded(retryAfter: hint.given))
    #expect(circuit.openFor == hint.taken)
    circuit.advance(by: hint.taken - .tick)
    #expect(circuit.state == .open)
    circuit.advance(by: .tick)
    circuit.fail(with: Overloaded(retryAfter: hint.given))
    #expect(circuit.openFor == hint.taken)
  }

  @Test("CB-18: retryAfter counts only on the error that trips", arguments: Counting.allCases)
  func onlyTrippingErrorsHint(_ counting: Counting) {
    let circuit = Circuit(counting, recovery: .init(openFor: .seconds(10), probation: .zero))
    circuit.fail(2, with: Overloaded(retryAfter: .seconds(25)))
    circuit.fail()
    #expect(circuit.openFor == .seconds(10))
  }

  @Test(
    "CB-18: retryAfter may be bounded elsewhere, or not be heeded at all",
    arguments: Counting.allCases)
  func retryAfterIsBounded(_ counting: Counting) {
    for (bound, taken) in [(Duration.seconds(60), Duration.seconds(45)), (.zero, .seconds(10))] {
      let circuit = Circuit(
        counting, tripping: .when { $0.failures == 3 },
        recovery: .init(openFor: .seconds(10), probation: .zero, maxRetryAfter: bound))
      circuit.fail(3, with: Overloaded(retryAfter: .seconds(45)))
      #expect(circuit.openFor == taken)
    }
  }

  @Test("CB-18: an error that `run` passes through is heeded as well")
  func runHeedsRetryAfter() async throws {
    let circuit = Circuit(
      tripping: .consecutiveFailures(1), recovery: .init(openFor: .seconds(10)))
    await #expect(throws: Overloaded.self) {
      try await circuit.breaker.run { throw Overloaded(retryAfter: .seconds(20)) }
    }
    #expect(try await circuit.refusal().retryAfter == .seconds(20))
  }

  @Test("CB-18: a lengthened period is how long the circuit was last open")
  func lengthenedIsLastOpen() {
    for (closed, next) in [
      (Duration.seconds(5) - .tick, Duration.seconds(2)), (.seconds(5), .seconds(1)),
    ] {
      let circuit = Circuit(
        .unobserved,
        recovery: .init(
          openFor: .exponential(from: .seconds(1), factor: 2, cap: .seconds(60), jitter: 0),
          probation: .zero))
      circuit.fail(2)
      circuit.fail(with: Overloaded(retryAfter: .seconds(5)))
      circuit.advance(by: .seconds(5))
      circuit.succeed()
      circuit.advance(by: closed)
      circuit.fail(3)
      #expect(circuit.openFor == next)
    }
  }

  @Test(
    "CB-19: tripping by hand is the next opening of the series, with its own length",
    arguments: Counting.allCases)
  func manualTripTakesItsPlace(_ counting: Counting) {
    let circuit = Circuit(
      counting,
      recovery: .init(
        openFor: .exponential(from: .seconds(1), factor: 2, cap: .seconds(60), jitter: 0),
        probation: .zero))
    circuit.breaker.trip(for: .seconds(10))
    #expect(circuit.openFor == .seconds(10))
    circuit.advance(by: .seconds(10))
    circuit.fail()
    #expect(circuit.openFor == .seconds(2))
    circuit.breaker.trip()
    #expect(circuit.openFor == .seconds(4))
    circuit.breaker.trip(for: .seconds(7))
    #expect(circuit.openFor == .seconds(7))
    circuit.advance(by: .seconds(7))
    circuit.fail()
    #expect(circuit.openFor == .seconds(16))
    #expect(circuit.totals == .init(failures: 2, trips: 1, reopenings: 2))
  }

  private func circuit(
    _ counting: Counting, _ openFor: CircuitBreaker.OpenDuration
  ) -> Circuit {
    let circuit = Circuit(counting, recovery: .init(openFor: openFor, probation: .zero))
    circuit.fail(3)
    return circuit
  }
}

extension Circuit {
  /// The lengths of the present open period and of those that follow when every probe fails.
  fileprivate func openPeriods(_ count: Int) -> [Duration] {
    (0..<count).map { number in
      if number > 0 { fail() }
      let period = openFor ?? .zero
      if number < count - 1 { advance(by: period) }
      return period
    }
  }
}

private struct Overloaded: RetryAfterHint {
  let retryAfter: Duration?
}
