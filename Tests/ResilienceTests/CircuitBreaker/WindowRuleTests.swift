import Resilience
import ResilienceTesting
import Testing

@Suite("Circuit breaker: windows")
struct WindowRuleTests {
  @Test("CB-11: since the last transition nothing is forgotten", arguments: Counting.allCases)
  func sinceTransitionForgetsNothing(_ counting: Counting) {
    let circuit = Circuit(counting, tripping: .never, over: .sinceTransition)
    circuit.succeed()
    circuit.fail()
    circuit.advance(by: .seconds(365 * 86_400))
    circuit.fail()
    #expect(circuit.counts == .init(successes: 1, failures: 2, consecutiveFailures: 2))
  }

  @Test(
    "CB-11: an interval clears everything, streaks too, exactly at its end",
    arguments: Counting.allCases)
  func intervalClearsAtItsEnd(_ counting: Counting) {
    let circuit = Circuit(counting, tripping: .never, over: .interval(.seconds(10)))
    circuit.succeed()
    circuit.ignore()
    circuit.fail(2)
    let running = circuit.start()
    circuit.advance(by: .seconds(10) - .tick)
    circuit.fail()
    #expect(
      circuit.counts
        == .init(successes: 1, failures: 3, ignored: 1, consecutiveFailures: 3, inFlight: 1))
    circuit.advance(by: .tick)
    circuit.fail()
    #expect(circuit.counts == .init(failures: 1, consecutiveFailures: 1, inFlight: 1))
    running[0].succeed()
    #expect(circuit.counts == .init(successes: 1, failures: 1, consecutiveSuccesses: 1))
  }

  @Test(
    "CB-11: an interval starts with the first touch after the last, and reading is none",
    arguments: Counting.allCases, [Outcome.success, .failure, .ignored, nil])
  func intervalStartsAtTheTouch(_ counting: Counting, _ result: Outcome?) {
    for state in [CircuitBreaker.State.closed, .observing] {
      let circuit = Circuit(counting, tripping: .never, over: .interval(.seconds(10)))
      circuit.enter(state)
      let running = circuit.start()
      circuit.succeed()
      circuit.advance(by: .seconds(14))
      for _ in 0..<3 { #expect(circuit.counts == .init(inFlight: 1)) }

      // The touch is the result of the running call, or else the admission of another.
      if let result { running[0].end(result) }
      let other = circuit.start()
      circuit.advance(by: .seconds(10) - .tick)
      #expect(circuit.counts.calls == (result == nil ? 0 : 1))
      other[0].fail()
      #expect(circuit.counts.calls == (result == nil ? 1 : 2))
      circuit.advance(by: .tick)
      #expect(circuit.counts == .init(inFlight: result == nil ? 1 : 0))
      running[0].succeed()
    }
  }

  @Test(
    "CB-11: a rolling window holds between n − 1 and n buckets of history",
    arguments: Counting.allCases)
  func rollingHoldsItsBuckets(_ counting: Counting) {
    let circuit = Circuit(counting, tripping: .never, over: .rolling(.seconds(10), buckets: 10))
    circuit.fail()
    circuit.advance(by: .seconds(1) - .tick)
    circuit.fail()
    circuit.advance(by: .tick)
    circuit.succeed()
    #expect(circuit.counts == .init(successes: 1, failures: 2, consecutiveSuccesses: 1))
    circuit.advance(by: .seconds(9) - .tick)
    #expect(circuit.counts == .init(successes: 1, failures: 2, consecutiveSuccesses: 1))
    circuit.advance(by: .tick)
    #expect(circuit.counts == .init(successes: 1, consecutiveSuccesses: 1))
    circuit.advance(by: .seconds(1) - .tick)
    #expect(circuit.counts == .init(successes: 1, consecutiveSuccesses: 1))
    circuit.advance(by: .tick)
    #expect(circuit.counts == .init(consecutiveSuccesses: 1))
  }

  @Test(
    "CB-11: all kinds of outcomes leave a rolling window with their bucket",
    arguments: Counting.allCases)
  func rollingForgetsAllKinds(_ counting: Counting) {
    let circuit = Circuit(
      counting, tripping: .slowCallRate(1, slowerThan: .seconds(1), minimumCalls: 100),
      over: .rolling(.seconds(10), buckets: 2))
    let slow = circuit.start()
    circuit.advance(by: .seconds(5))
    slow[0].succeed()
    circuit.succeed()
    circuit.fail()
    circuit.ignore()
    let all = CircuitBreaker.Counts(
      successes: 2, failures: 1, ignored: 1, slow: 1, consecutiveFailures: 1)
    #expect(circuit.counts == all)
    circuit.advance(by: .seconds(10) - .tick)
    #expect(circuit.counts == all)
    circuit.advance(by: .tick)
    #expect(circuit.counts == .init(consecutiveFailures: 1))
    for _ in 0..<4 {
      circuit.ignore()
      circuit.advance(by: .seconds(5))
      #expect(circuit.counts == .init(ignored: 1, consecutiveFailures: 1))
    }
  }

  @Test("CB-11: bucket k begins at ⌈k · d / n⌉ after the last transition, exactly")
  func bucketsAreExact() {
    // 10 s in 3 buckets: the second begins at 3 333 333 334 ns, the third at 6 666 666 667 ns.
    for (instant, end) in [
      (0, 10_000_000_000), (3_333_333_333, 10_000_000_000), (3_333_333_334, 13_333_333_334),
      (6_666_666_666, 13_333_333_334), (6_666_666_667, 16_666_666_667),
      (9_999_999_999, 16_666_666_667), (10_000_000_000, 20_000_000_000),
    ] {
      let circuit = Circuit(
        .unobserved, tripping: .never, over: .rolling(.seconds(10), buckets: 3))
      circuit.advance(by: .milliseconds(1234))
      circuit.becomeHalfOpen()
      circuit.succeed()
      circuit.advance(by: .nanoseconds(instant))
      circuit.fail()
      circuit.ignore()
      circuit.advance(by: .nanoseconds(end - instant) - .tick)
      #expect(circuit.counts == .init(failures: 1, ignored: 1, consecutiveFailures: 1))
      circuit.advance(by: .tick)
      #expect(circuit.counts == .init(consecutiveFailures: 1))
    }
  }

  @Test(
    "CB-11: the last n results count, and ignored calls take no place", arguments: Counting.allCases
  )
  func lastCallsCount(_ counting: Counting) {
    let circuit = Circuit(
      counting, tripping: .slowCallRate(1, slowerThan: .seconds(1), minimumCalls: 4),
      over: .calls(4))
    circuit.fail(taking: .seconds(2))
    circuit.succeed(2)
    circuit.ignore(50)
    circuit.advance(by: .seconds(365 * 86_400))
    circuit.fail()
    #expect(circuit.counts == .init(successes: 2, failures: 2, slow: 1, consecutiveFailures: 1))
    circuit.succeed()
    #expect(circuit.counts == .init(successes: 3, failures: 1, consecutiveSuccesses: 1))
    circuit.succeed(taking: .seconds(2))
    #expect(circuit.counts == .init(successes: 3, failures: 1, slow: 1, consecutiveSuccesses: 2))
    circuit.succeed(2)
    #expect(circuit.counts == .init(successes: 4, slow: 1, consecutiveSuccesses: 4))
    circuit.fail(6)
    #expect(circuit.counts == .init(failures: 4, consecutiveFailures: 6))
  }

  @Test(
    "CB-12: only the opposite outcome or a transition ends a streak; the window does not",
    arguments: Counting.allCases, [CircuitBreaker.Window.rolling(.seconds(10)), .calls(2)])
  func streaksOutliveWindows(_ counting: Counting, _ window: CircuitBreaker.Window) {
    let circuit = Circuit(counting, tripping: .consecutiveFailures(5), over: window)
    for count in 1...4 {
      circuit.fail()
      #expect(circuit.counts.consecutiveFailures == count)
      circuit.advance(by: .seconds(86_400))
      circuit.ignore()
      #expect(circuit.counts.consecutiveFailures == count)
    }
    circuit.succeed()
    #expect(circuit.counts.consecutiveFailures == 0)
    #expect(circuit.counts.consecutiveSuccesses == 1)
    circuit.advance(by: .seconds(86_400))
    #expect(circuit.counts.consecutiveSuccesses == 1)
    circuit.fail(4)
    #expect(circuit.state == .closed)
    circuit.fail()
    #expect(circuit.state == .open)
    #expect(circuit.counts == .init())
  }

  @Test(
    "CB-12: a rare failure opens at the sixth in a row, however rare it is (gobreaker B3)",
    arguments: [1, 3, 4, 6, 10, 29, 31, 3600])
  func rareFailuresOpen(_ distance: Int) {
    for counting in Counting.allCases {
      let circuit = Circuit(
        counting, tripping: .consecutiveFailures(6), over: .rolling(.seconds(30)))
      for _ in 0..<5 {
        circuit.fail()
        circuit.advance(by: .seconds(distance))
      }
      #expect(circuit.counts.consecutiveFailures == 5)
      #expect(circuit.state == .closed)
      circuit.fail()
      #expect(circuit.state == .open)
    }
  }

  @Test(
    "CB-12: streaks follow the order in which calls end, not begin (gobreaker B4)",
    arguments: Counting.allCases)
  func streaksFollowCompletion(_ counting: Counting) {
    let circuit = Circuit(
      counting, tripping: .never, over: .rolling(.seconds(3), buckets: 3))
    let slow = circuit.start()
    circuit.advance(by: .seconds(1))
    circuit.fail()
    circuit.advance(by: .seconds(1))
    slow[0].succeed()
    #expect(circuit.counts == .init(successes: 1, failures: 1, consecutiveSuccesses: 1))
    circuit.advance(by: .seconds(2))
    #expect(circuit.counts == .init(successes: 1, consecutiveSuccesses: 1))
    circuit.fail()
    circuit.advance(by: .seconds(1))
    #expect(circuit.counts == .init(failures: 1, consecutiveFailures: 1))
  }

  @Test(
    "CB-7: 100 calls/s that fail after 11 s open a window of 10 s (gobreaker B1)",
    arguments: Counting.allCases,
    [CircuitBreaker.Window.interval(.seconds(10)), .rolling(.seconds(10)), .calls(100)])
  func callsSlowerThanTheWindowOpen(_ counting: Counting, _ window: CircuitBreaker.Window) {
    let circuit = Circuit(
      counting, tripping: .failureRate(0.5, minimumCalls: 20), over: window)
    var calls: [Call] = []
    for _ in 0..<1100 {
      calls += circuit.start()
      circuit.advance(by: .milliseconds(10))
    }
    for count in 1..<20 {
      calls[count - 1].fail()
      calls += circuit.start()
      #expect(
        circuit.counts == .init(failures: count, consecutiveFailures: count, inFlight: 1100))
      circuit.advance(by: .milliseconds(10))
    }
    calls[19].fail()
    #expect(circuit.state == .open)
    #expect(circuit.clock.now.offset == .milliseconds(11_190))
    for call in calls[20...] { call.fail() }
    #expect(circuit.totals == .init(failures: 20, late: 1099, trips: 1))
  }

  @Test(
    "CB-13: after idling, what is over is over, without a touch (gobreaker B11, failsafe P11b)",
    arguments: Counting.allCases,
    [CircuitBreaker.Window.rolling(.milliseconds(100)), .interval(.milliseconds(100))])
  func idleWindowsAreEmpty(_ counting: Counting, _ window: CircuitBreaker.Window) {
    let circuit = Circuit(counting, tripping: .failureRate(0.5, minimumCalls: 11), over: window)
    circuit.fail(10)
    circuit.advance(by: .milliseconds(500))
    #expect(circuit.counts.failures == 0)
    #expect(circuit.counts.failureRate == nil)
    circuit.fail()
    #expect(circuit.counts.failures == 1)
    #expect(circuit.state == .closed)
  }

  @Test(
    "CB-13: 60 000 buckets are caught up with fast, after a year and just under a window (gobreaker B10)",
    arguments: [Duration.seconds(365 * 86_400), .seconds(59_999)])
  func catchingUpIsFast(_ idle: Duration) {
    // Debug builds and sanitizers take longer, but not the 17 s that it took elsewhere.
    #if DEBUG
      let (rounds, limit) = (1, Duration.seconds(1))
    #else
      let (rounds, limit) = (9, Duration.milliseconds(1))
    #endif
    let circuit = Circuit(
      .unobserved, tripping: .never, over: .rolling(.seconds(60_000), buckets: 60_000))
    var best = Duration.seconds(60)
    for _ in 0..<rounds {
      circuit.fail(3)
      circuit.advance(by: idle)
      best = min(best, ContinuousClock().measure { circuit.fail() })
      #expect(circuit.counts.failures == (idle > .seconds(60_000) ? 1 : 4))
      circuit.advance(by: .seconds(120_000))
    }
    #expect(best < limit)
    #expect(circuit.totals == .init(failures: 4 * rounds))
  }

  @Test(
    "CB-11: a bucket cannot be longer than its window, nor the window differ from what was asked (gobreaker B12)"
  )
  func bucketsFitTheirWindow() {
    for buckets in [1, 0, -3] {
      let configuration = CircuitBreaker.Configuration(
        over: .rolling(.seconds(10), buckets: buckets))
      let error = #expect(throws: ConfigurationError.self) { try configuration.validate() }
      #expect(error?.description == "rolling(buckets:) is \(buckets); allowed: 2...100000")
    }
  }
}
