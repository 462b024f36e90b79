import Resilience
import ResilienceTesting
import Testing

@Suite("Circuit breaker: control by a person")
struct ControlTests {
  enum Control: CaseIterable {
    case isolate, disable, observe, reset, trip

    var state: CircuitBreaker.State {
      switch self {
      case .isolate: .isolated
      case .disable: .disabled
      case .observe: .observing
      case .reset: .closed
      case .trip: .open
      }
    }

    func use(on breaker: CircuitBreaker) {
      switch self {
      case .isolate: breaker.isolate()
      case .disable: breaker.disable()
      case .observe: breaker.observe()
      case .reset: breaker.reset()
      case .trip: breaker.trip(for: .seconds(30))
      }
    }
  }

  @Test(
    "CB-19: every control is legal in every state, takes effect once and says so once",
    arguments: CircuitBreaker.State.allCases, Control.allCases)
  func legalFromEveryState(_ state: CircuitBreaker.State, _ control: Control) {
    let circuit = Circuit()
    circuit.enter(state)
    #expect(circuit.state == state)
    let generation = circuit.breaker.snapshot().generation
    let isChange = state != control.state
    circuit.recorder.clear()
    for _ in 0..<3 {
      control.use(on: circuit.breaker)
      #expect(circuit.state == control.state)
      #expect(circuit.breaker.snapshot().generation == generation + (isChange ? 1 : 0))
      #expect(circuit.counts == .init())
    }
    #expect(
      circuit.changes.map(\.description)
        == (isChange ? ["\(state) > \(control.state) (manual)"] : []))
    #expect(circuit.recorder.events.count == (isChange ? 1 : 0))
  }

  @Test(
    "CB-19: isolated refuses every call, without saying when to come back",
    arguments: Counting.allCases)
  func isolatedRefuses(_ counting: Counting) async throws {
    let circuit = Circuit(counting)
    circuit.succeed(2)
    circuit.fail()
    let running = circuit.start()
    circuit.breaker.isolate()
    for _ in 0..<3 {
      let refusal = try await circuit.refusal()
      #expect(refusal.policy == "users")
      #expect(refusal.reason == .isolated)
      #expect(refusal.retryAfter == nil)
      #expect(
        refusal.counts == .init(successes: 2, failures: 1, consecutiveFailures: 1, inFlight: 1))
      circuit.advance(by: .seconds(3600))
    }
    #expect(circuit.counts == .init(rejected: 3))
    running[0].ignore()
    circuit.breaker.reset()
    circuit.succeed()
    #expect(circuit.counts == .init(successes: 1, consecutiveSuccesses: 1, rejected: 3, late: 1))
  }

  @Test(
    "CB-19: disabled admits every call, counts none, and tells of none but late ones",
    arguments: Counting.allCases)
  func disabledCountsNothing(_ counting: Counting) {
    let circuit = Circuit(counting)
    let old = circuit.start()
    circuit.breaker.disable()
    circuit.recorder.clear()
    let running = circuit.start(2)
    #expect(circuit.counts == .init())
    #expect(circuit.running == 1)
    circuit.fail(10)
    circuit.succeed()
    circuit.ignore()
    #expect(circuit.counts == .init())
    #expect(circuit.totals == .init())
    running[0].fail()
    old[0].fail()
    #expect(circuit.counts == .init(late: 1))
    #expect(circuit.running == 0)
    #expect(circuit.state == .disabled)
    if counting == .observed {
      #expect(circuit.recorder.descriptions.filter { !$0.hasSuffix("admitted") }.count == 1)
      #expect(circuit.recorder.descriptions.last?.hasSuffix("late") == true)
    }

    circuit.breaker.reset()
    #expect(circuit.counts == .init(late: 1))
    running[1].fail()
    #expect(circuit.counts == .init(late: 2))
    #expect(circuit.running == 0)
  }

  @Test(
    "CB-1: observing admits and records every call, and would have opened",
    arguments: Counting.allCases)
  func observingRecords(_ counting: Counting) {
    let circuit = Circuit(counting)
    circuit.fail(2)
    circuit.breaker.observe()
    circuit.recorder.clear()
    circuit.fail(2)
    circuit.expectEvents(
      "admitted", "failed after 0.0 seconds", "admitted", "failed after 0.0 seconds")
    circuit.fail()
    #expect(circuit.counts == .init(failures: 3, consecutiveFailures: 3))
    #expect(circuit.wouldHaveOpened == (counting == .observed ? [circuit.counts] : []))
    circuit.expectEvents(
      "admitted", "failed after 0.0 seconds", "would have opened (consecutive failures)")
    let running = circuit.start(100)
    #expect(circuit.counts == .init(failures: 3, consecutiveFailures: 3, inFlight: 100))
    for call in running { call.succeed() }
    #expect(circuit.counts == .init(successes: 100, failures: 3, consecutiveSuccesses: 100))
    #expect(circuit.state == .observing)
    #expect(circuit.totals == .init(successes: 100, failures: 5))
  }

  @Test("CB-19: observing tells once, then is silent for the first open period of the series")
  func observingIsSilentAfterwards() {
    let circuit = Circuit(
      recovery: .init(
        openFor: .exponential(from: .seconds(10), factor: 2, cap: .seconds(60), jitter: 0.5)))
    circuit.breaker.observe()
    circuit.fail(3)
    #expect(circuit.wouldHaveOpened.count == 1)
    for told in 2...4 {
      circuit.fail(5)
      circuit.advance(by: .seconds(10) - .tick)
      circuit.fail(5)
      #expect(circuit.wouldHaveOpened.count == told - 1)
      circuit.advance(by: .tick)
      circuit.fail()
      #expect(circuit.wouldHaveOpened.count == told)
      #expect(circuit.wouldHaveOpened.last == circuit.counts)
    }
    #expect(circuit.counts == .init(failures: 36, consecutiveFailures: 36))
    circuit.breaker.reset()
    circuit.breaker.observe()
    circuit.fail(3)
    #expect(circuit.wouldHaveOpened.count == 5)
  }

  @Test(
    "CB-19: reset forgets the counts, the series and the last open period",
    arguments: Counting.allCases)
  func resetForgets(_ counting: Counting) {
    let circuit = Circuit(
      counting,
      recovery: .init(
        openFor: .exponential(from: .seconds(1), factor: 2, cap: .seconds(60), jitter: 0),
        probation: .zero))
    circuit.fail(3)
    circuit.advance(by: .seconds(1))
    circuit.fail()
    #expect(circuit.openFor == .seconds(2))
    circuit.breaker.reset()
    circuit.fail(3)
    #expect(circuit.openFor == .seconds(1))
    circuit.advance(by: .seconds(1))
    circuit.succeed()
    circuit.fail(2)
    circuit.recorder.clear()
    circuit.breaker.reset()
    circuit.expectEvents()
    #expect(circuit.counts == .init())
    circuit.fail(3)
    #expect(circuit.openFor == .seconds(1))
    circuit.breaker.reset()
    circuit.breaker.disable()
    circuit.breaker.trip()
    #expect(circuit.openFor == .seconds(1))
  }

  @Test(
    "CB-19: tripped by hand, a circuit recovers as after any opening", arguments: Counting.allCases)
  func tripEndsLikeAny(_ counting: Counting) async throws {
    for state in CircuitBreaker.State.allCases where state != .open {
      let circuit = Circuit(counting)
      circuit.enter(state)
      let (trips, reopenings) = (circuit.totals.trips, circuit.totals.reopenings)
      circuit.recorder.clear()
      circuit.breaker.trip(for: .seconds(5))
      #expect(circuit.totals.trips == trips + (state == .closed ? 1 : 0))
      #expect(circuit.totals.reopenings == reopenings + (state == .halfOpen ? 1 : 0))
      #expect(try await circuit.refusal().retryAfter == .seconds(5))
      circuit.advance(by: .seconds(5) - .tick)
      #expect(circuit.state == .open)
      circuit.advance(by: .tick)
      circuit.succeed()
      #expect(circuit.state == .closed)
      circuit.expectEvents(
        "\(state) > open (manual)", "rejected (open)", "open > half-open (open period ended)",
        "admitted", "succeeded after 0.0 seconds", "half-open > closed (probes succeeded)")
    }
  }

  @Test(
    "CB-19: tripping an open circuit moves its deadline and its error, nothing else",
    arguments: Counting.allCases)
  func tripMovesDeadline(_ counting: Counting) async throws {
    let circuit = Circuit(counting)
    circuit.fail(3)
    let first = try await circuit.refusal()
    circuit.recorder.clear()
    for length in [Duration.seconds(50), .seconds(5)] {
      circuit.breaker.trip(for: length)
      let refusal = try await circuit.refusal()
      #expect(refusal.retryAfter == length)
      #expect(refusal.counts == first.counts)
      #expect(circuit.openFor == length)
    }
    #expect(first.retryAfter == .seconds(30))
    #expect(circuit.breaker.snapshot().generation == 1)
    #expect(circuit.totals == .init(failures: 3, rejected: 3, trips: 1))
    circuit.expectEvents("rejected (open)", "rejected (open)")
    circuit.advance(by: .seconds(6))
    #expect(circuit.state == .halfOpen)
    circuit.breaker.trip(for: .seconds(2))
    #expect(circuit.openFor == .seconds(2))
    circuit.expectEvents()
  }

  @Test(
    "CB-19: no way of tripping wedges the circuit (resilience4j D3)", arguments: Counting.allCases,
    [
      CircuitBreaker.OpenDuration.seconds(1), .milliseconds(0.000_001), .seconds(1e300),
      .constant(.seconds(60), jitter: 0.999), .constant(Duration(attoseconds: .max)),
      .exponential(from: .seconds(1), factor: 1e300, cap: .seconds(Int64.max)),
      .exponential(from: .nanoseconds(1), factor: 1, cap: .nanoseconds(1), jitter: 0.999),
    ])
  func tripNeverWedges(_ counting: Counting, _ openFor: CircuitBreaker.OpenDuration) {
    let lengths = [
      nil, .seconds(1), .zero, .seconds(-1), .seconds(Int64.max), Duration(attoseconds: .max),
      Duration(attoseconds: .min), Duration(attoseconds: 1),
    ]
    for length in lengths {
      let circuit = Circuit(counting, recovery: .init(openFor: openFor, probation: .zero))
      circuit.breaker.trip(for: length)
      #expect(circuit.state == (length ?? .seconds(1) > .zero ? .open : .halfOpen))
      circuit.breaker.trip(for: .seconds(1))
      circuit.expectRefused()
      circuit.advance(by: .seconds(1))
      circuit.fail()
      #expect(circuit.state == .open)
      circuit.breaker.trip(for: .zero)
      circuit.succeed()
      circuit.fail(3)
      #expect(circuit.state == .open)
    }
  }

  @Test("CB-19: a change made in a callback is told after the callback, from the state last told")
  func changesInCallbacks() {
    let reaction = Reaction()
    let recorder = EventRecorder()
    let breaker = CircuitBreaker(
      "users", tripping: .consecutiveFailures(1), clock: VirtualClock(),
      observers: [reaction, recorder])
    reaction.breaker.value = breaker
    breaker.tryAcquire()?.fail()
    #expect(breaker.state == .isolated)
    #expect(
      recorder.events(of: CircuitBreaker.Event.self).map { $0.kind.description } == [
        "admitted", "failed after 0.0 seconds", "closed > open (consecutive failures)",
        "open > isolated (manual)",
      ])
    reaction.breaker.value = nil
  }
}

/// Isolates its breaker as soon as it hears that it has opened.
private final class Reaction: ResilienceObserver {
  let breaker = Shared<CircuitBreaker?>(nil)

  func observe(_ event: any ResilienceEvent) {
    guard let event = event as? CircuitBreaker.Event, case .stateChanged(let change) = event.kind,
      change.to == .open
    else { return }
    breaker.value?.isolate()
  }
}
