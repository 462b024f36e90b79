import Resilience
import ResilienceTesting
import Testing

@Suite("Circuit breaker: calls that hang, in the trip condition")
struct HungCallTrippingTests {
  @Test("CB-16: they extend the streak, for the decision only", arguments: Counting.allCases)
  func extendStreak(_ counting: Counting) async throws {
    let circuit = watching(counting, .consecutiveFailures(4))
    circuit.fail(2)
    let hung = circuit.start(2)
    circuit.advance(by: .seconds(1))
    #expect(
      try await circuit.refusal().counts
        == .init(failures: 2, consecutiveFailures: 2, inFlight: 2, hung: 2))
    #expect(circuit.totals == .init(failures: 2, rejected: 1, trips: 1))
    #expect(circuit.causes == (counting == .observed ? [.consecutiveFailures] : []))
    for call in hung { call.ignore() }
  }

  @Test("CB-16: a call that fails finds those that hang as well", arguments: Counting.allCases)
  func judgedAtFailure(_ counting: Counting) {
    let circuit = watching(counting, .consecutiveFailures(3))
    let calls = circuit.start(3)
    circuit.advance(by: .seconds(1))
    calls[0].fail()
    #expect(circuit.state == .open)
    #expect(circuit.counts == .init())
    #expect(circuit.totals == .init(failures: 1, trips: 1))
    for call in calls.dropFirst() { call.ignore() }
  }

  @Test("CB-16: one that hung and failed counts once in the streak")
  func countsOnce() {
    let circuit = watching(.observed, .consecutiveFailures(3))
    let calls = circuit.start(2)
    circuit.advance(by: .seconds(1))
    for call in calls { call.fail() }
    circuit.ignore()
    #expect(circuit.state == .closed)
    #expect(circuit.counts == .init(failures: 2, ignored: 1, consecutiveFailures: 2))
  }

  @Test("CB-16: in a rate they count on both sides, and in its minimum")
  func failureRate() {
    let circuit = watching(.observed, .failureRate(0.75, minimumCalls: 8))
    let calls = circuit.start(3)
    circuit.fail()
    circuit.succeed()
    calls[0].succeed()
    // Two hang, and started before the last success: that matters to streaks only.
    circuit.advance(by: .seconds(1))
    circuit.ignore()
    #expect(circuit.counts.hung == 2)
    // 3 of 5 so far.
    circuit.fail(3)
    #expect(circuit.state == .open)
    #expect(circuit.causes == [.failureRate])
    #expect(circuit.changes.last?.counts.failures == 4)
    for call in calls.dropFirst() { call.ignore() }
  }

  @Test("CB-16: a rate below its minimum of calls holds as soon as enough hang")
  func minimumCalls() {
    let circuit = watching(.observed, .failureRate(0.5, minimumCalls: 4))
    circuit.succeed(2)
    let first = circuit.start()
    circuit.advance(by: .seconds(1))
    circuit.ignore()
    let second = circuit.start()
    circuit.advance(by: .seconds(1))
    circuit.expectRefused()
    #expect(circuit.causes == [.failureRate])
    #expect(circuit.changes.last?.counts.hung == 2)
    for call in first + second { call.ignore() }
  }

  @Test("CB-16: under the last n calls, the minimum is n at most and what hangs comes on top")
  func lastCalls() {
    let circuit = watching(.observed, .failureRate(0.5, minimumCalls: 100), over: .calls(2))
    circuit.succeed(2)
    let hung = circuit.start(2)
    circuit.advance(by: .seconds(1))
    circuit.expectRefused()
    #expect(circuit.causes == [.failureRate])
    for call in hung { call.ignore() }
  }

  @Test("CB-16: what hangs counts in the rate of slow calls")
  func slowCallRate() {
    let circuit = watching(
      .observed, .slowCallRate(0.75, slowerThan: .milliseconds(100), minimumCalls: 4))
    circuit.succeed(taking: .milliseconds(101))
    circuit.succeed()
    let hung = circuit.start(2)
    circuit.advance(by: .seconds(1))
    circuit.expectRefused()
    #expect(circuit.causes == [.slowCallRate])
    for call in hung { call.ignore() }
  }

  @Test("CB-15, CB-16: with calls that hang in it, a lasting streak lasts until now, to the tick")
  func lasting() {
    let circuit = watching(.observed, .consecutiveFailures(2, lasting: .seconds(3)))
    let hung = circuit.start(2)
    circuit.advance(by: .seconds(3) - .tick)
    circuit.ignore()
    #expect(circuit.state == .closed)
    circuit.advance(by: .tick)
    #expect(circuit.state == .open)
    circuit.expectRefused()
    #expect(circuit.causes == [.consecutiveFailures])
    for call in hung { call.ignore() }
  }

  @Test("CB-15, CB-16: a lasting streak runs from the first of those that failed and hang")
  func lastingFromFailure() {
    let circuit = watching(.observed, .consecutiveFailures(2, lasting: .seconds(3)))
    circuit.fail()
    circuit.advance(by: .milliseconds(1_200))
    let hung = circuit.start()
    circuit.advance(by: .milliseconds(1_800) - .tick)
    circuit.ignore()
    #expect(circuit.state == .closed)
    circuit.advance(by: .tick)
    circuit.expectRefused()
    #expect(circuit.causes == [.consecutiveFailures])
    hung[0].ignore()
  }

  @Test("CB-15, CB-16: the oldest of them ends, and the streak lasts from the next")
  func lastingFromNextOldest() {
    let circuit = watching(.observed, .consecutiveFailures(2, lasting: .seconds(3)))
    let first = circuit.start()
    circuit.advance(by: .seconds(2))
    let others = circuit.start(2)
    circuit.advance(by: .seconds(1) - .tick)
    first[0].ignore()
    circuit.advance(by: .seconds(2))
    circuit.ignore()
    #expect(circuit.counts.hung == 2)
    circuit.advance(by: .tick)
    circuit.expectRefused()
    for call in others { call.ignore() }
  }

  @Test("CB-15, CB-16: a streak without one that hangs is not measured up to now")
  func silenceIsNoEvidence() {
    let circuit = watching(.observed, .consecutiveFailures(2, lasting: .seconds(3)))
    let hung = circuit.start()
    circuit.succeed()
    circuit.fail(2)
    circuit.advance(by: .seconds(60))
    circuit.ignore()
    #expect(circuit.state == .closed)
    #expect(circuit.counts.hung == 1)
    hung[0].ignore()
  }

  @Test(
    "CB-16: a predicate is asked when a call arrives while others hang, outside the lock",
    arguments: Counting.allCases)
  func predicate(_ counting: Counting) async throws {
    let asked = Shared<[CircuitBreaker.Counts]>([])
    let box = Shared<CircuitBreaker?>(nil)
    let circuit = watching(
      counting,
      .when { counts in
        asked.change { $0.append(counts) }
        // May call back.
        return counts.hung + (box.value?.snapshot().counts.hung ?? 0) >= 4
      })
    box.value = circuit.breaker
    let first = circuit.start()
    circuit.advance(by: .seconds(1))
    circuit.ignore()
    #expect(asked.value == [.init(inFlight: 1, hung: 1)])
    let second = circuit.start()
    circuit.advance(by: .seconds(1))
    // Reading asks nobody.
    #expect(circuit.state == .closed)
    #expect(try await circuit.refusal().counts == .init(ignored: 1, inFlight: 2, hung: 2))
    #expect(asked.value.count == 3)
    #expect(circuit.causes == (counting == .observed ? [.predicate] : []))
    for call in first + second { call.ignore() }
    box.value = nil
  }

  @Test("CB-16: no predicate is asked when a call arrives and nothing hangs")
  func predicateAsksNobody() {
    let asked = Shared(0)
    let circuit = watching(
      .observed,
      .when { _ in
        asked.change { $0 += 1 }; return false
      })
    let calls = circuit.start(3)
    circuit.advance(by: .milliseconds(800))
    circuit.ignore()
    #expect(asked.value == 0)
    for call in calls { call.ignore() }
  }
}

extension HungCallTrippingTests {
  /// So many may hang that only the condition opens it.
  fileprivate func watching(
    _ counting: Counting, _ tripping: CircuitBreaker.TripCondition,
    over window: CircuitBreaker.Window = .sinceTransition
  ) -> Circuit {
    Circuit(
      counting, tripping: tripping, over: window, hungAfter: .milliseconds(800), hungCalls: 1_000)
  }
}

extension Circuit {
  fileprivate var causes: [CircuitBreaker.Cause] { changes.map(\.cause) }
}
