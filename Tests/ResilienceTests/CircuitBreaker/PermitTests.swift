import Resilience
import ResilienceTesting
import Synchronization
import Testing

@Suite("Circuit breaker: permits")
struct PermitTests {
  @Test("CB-8: a permit reports how its call ended", arguments: Counting.allCases)
  func reports(_ counting: Counting) throws {
    let circuit = Circuit(counting)
    let first = try circuit.permit()
    #expect(circuit.counts == .init(inFlight: 1))
    first.succeed()
    #expect(circuit.counts == .init(successes: 1, consecutiveSuccesses: 1))
    let second = try circuit.permit()
    circuit.advance(by: .seconds(2))
    second.fail(Unavailable())
    #expect(circuit.counts == .init(successes: 1, failures: 1, consecutiveFailures: 1))
    let third = try circuit.permit()
    third.ignore()
    #expect(
      circuit.counts == .init(successes: 1, failures: 1, ignored: 1, consecutiveFailures: 1))
    #expect(circuit.running == 0)
    circuit.expectEvents(
      "admitted", "succeeded after 0.0 seconds", "admitted",
      "failed after 2.0 seconds (Unavailable())", "admitted", "ignored")
  }

  @Test(
    "CB-8: a permit classifies what its call threw, as `run` does", arguments: Counting.allCases)
  func classifies(_ counting: Counting) async throws {
    let circuit = Circuit(counting)
    let inner = Circuit()
    inner.breaker.isolate()
    try circuit.permit().end(throwing: Unavailable())
    #expect(circuit.counts == .init(failures: 1, consecutiveFailures: 1))
    try circuit.permit().end(throwing: CancellationError())
    #expect(circuit.counts == .init(failures: 1, ignored: 1, consecutiveFailures: 1))
    let refusal = try await inner.refusal()
    try circuit.permit().end(throwing: refusal)
    #expect(circuit.counts == .init(failures: 1, ignored: 2, consecutiveFailures: 1))
    #expect(circuit.running == 0)
    circuit.expectEvents(
      "admitted", "failed after 0.0 seconds (Unavailable())", "admitted", "ignored", "admitted",
      "ignored")
  }

  @Test(
    "CB-8: an abandoned permit is ignored and gives its slot back", arguments: Counting.allCases)
  func abandonedIsIgnored(_ counting: Counting) {
    let circuit = Circuit(counting)
    func fetch() throws {
      #expect(circuit.counts.inFlight == 1)
      throw Unavailable()
    }
    func giveUp() throws {
      let permit = try circuit.permit()
      try fetch()
      permit.succeed()
    }
    #expect(throws: Unavailable.self) { try giveUp() }
    #expect(circuit.counts == .init(ignored: 1))
    circuit.becomeHalfOpen()
    #expect(throws: Unavailable.self) { try giveUp() }
    #expect(circuit.counts == .init(ignored: 1))
    #expect(circuit.state == .halfOpen)
    circuit.succeed()
    #expect(circuit.state == .closed)
    circuit.expectEvents(
      "open > half-open (open period ended)", "admitted", "ignored", "admitted",
      "succeeded after 0.0 seconds", "half-open > closed (probes succeeded)")
  }

  @Test("CB-8: a permit without a name is dropped at once")
  func unnamedIsDropped() {
    let circuit = Circuit()
    guard let _ = circuit.breaker.tryAcquire() else {
      Issue.record("the call was refused")
      return
    }
    #expect(circuit.counts == .init(ignored: 1))
  }

  @Test("CB-8: what a permit has reported, dropping it does not report again (gobreaker B8)")
  func reportsOnce() throws {
    let circuit = Circuit()
    do {
      let permit = try circuit.permit()
      permit.succeed()
    }
    do {
      let permit = try circuit.permit()
      permit.fail()
    }
    #expect(circuit.counts == .init(successes: 1, failures: 1, consecutiveFailures: 1))
    circuit.expectEvents(
      "admitted", "succeeded after 0.0 seconds", "admitted", "failed after 0.0 seconds")
  }

  @Test("CB-8: a result that counts nowhere shows as late (gobreaker B8)")
  func droppedResultsShow() throws {
    let circuit = Circuit(.unobserved)
    let permit = try circuit.permit()
    circuit.breaker.isolate()
    permit.fail()
    #expect(circuit.counts == .init(late: 1))
    #expect(circuit.totals == .init(late: 1))
  }

  @Test("CB-8: there is no permit where the circuit refuses")
  func noneIfRefused() {
    let circuit = Circuit()
    circuit.breaker.isolate()
    #expect(!Call(circuit.breaker).isAdmitted)
    #expect(circuit.counts == .init(rejected: 1))
  }

  @Test("CB-8: a permit keeps its breaker alive until it has reported")
  func keepsBreakerAlive() throws {
    let recorder = EventRecorder()
    var breaker: CircuitBreaker? = CircuitBreaker(
      "users", clock: VirtualClock(), observers: [recorder])
    var permit = breaker?.tryAcquire()
    weak let observed = breaker
    breaker = nil
    permit.take()?.succeed()
    #expect(recorder.descriptions.last?.hasSuffix("succeeded after 0.0 seconds") == true)
    #expect(observed == nil)
  }

  @Test("CB-8: a permit moves into another task inside a box")
  func movesInABox() async throws {
    try await withVirtualTime { clock in
      let circuit = Circuit(on: clock)
      let permit = try circuit.permit()
      let box = Mutex<CircuitBreaker.Permit?>(permit)
      let task = Task(executorPreference: clock.executor) {
        try? await clock.sleep(for: .seconds(1))
        box.withLock { $0.take() }?.succeed()
      }
      #expect(circuit.counts == .init(inFlight: 1))
      await task.value
      #expect(circuit.counts == .init(successes: 1, consecutiveSuccesses: 1))
      circuit.expectEvents("admitted", "succeeded after 1.0 seconds")
    }
  }

  @Test(
    "CB-8: `run` and permits tell the same story", arguments: Counting.allCases)
  func runAndPermitsAgree(_ counting: Counting) async throws {
    let tripping = CircuitBreaker.TripCondition.any(
      .consecutiveFailures(2, lasting: .seconds(1)),
      .slowCallRate(0.5, slowerThan: .seconds(2), minimumCalls: 8))
    let recovery = CircuitBreaker.Recovery(openFor: .seconds(3), probes: 2, probeLease: .seconds(4))
    let running = Circuit(
      counting, tripping: tripping, over: .rolling(.seconds(20)), recovery: recovery)
    let asking = Circuit(
      counting, tripping: tripping, over: .rolling(.seconds(20)), recovery: recovery)
    var dice = Dice(seed: 2)
    for _ in 0..<400 {
      let outcomes: [Outcome] = [.success, .success, .success, .failure, .failure, .ignored]
      let outcome = outcomes.randomElement(using: &dice) ?? .success
      let duration = Duration.milliseconds(Int.random(in: 0..<2500, using: &dice))
      asking.advance(by: .milliseconds(100))
      running.advance(by: .milliseconds(100))
      asking.makeCall(ending: outcome, after: duration)
      await running.runCall(ending: outcome, after: duration)
      #expect(running.counts == asking.counts)
      #expect(running.totals == asking.totals)
      #expect(running.state == asking.state)
    }
    #expect(running.totals.trips > 1)
    #expect(running.totals.reopenings > 1)
    #expect(running.recorder.descriptions == asking.recorder.descriptions)
  }

  @Test("CB-8: `run` reports values, errors and cancellations", arguments: Counting.allCases)
  func runReports(_ counting: Counting) async throws {
    let circuit = Circuit(counting)
    let value = try await circuit.breaker.run { 1 }
    #expect(value == 1)
    #expect(circuit.counts == .init(successes: 1, consecutiveSuccesses: 1))
    await #expect(throws: Unavailable.self) {
      try await circuit.breaker.run { throw Unavailable() }
    }
    #expect(circuit.counts == .init(successes: 1, failures: 1, consecutiveFailures: 1))
    let answer = try await circuit.breaker.run {
      503
    } failingWhen: {
      $0 >= 500
    }
    #expect(answer == 503)
    #expect(circuit.counts == .init(successes: 1, failures: 2, consecutiveFailures: 2))
    await #expect(throws: CancellationError.self) {
      try await circuit.breaker.run { throw CancellationError() }
    }
    #expect(
      circuit.counts == .init(successes: 1, failures: 2, ignored: 1, consecutiveFailures: 2))
    circuit.expectEvents(
      "admitted", "succeeded after 0.0 seconds", "admitted",
      "failed after 0.0 seconds (Unavailable())", "admitted", "failed after 0.0 seconds",
      "admitted",
      "ignored")
  }
}

extension Circuit {
  fileprivate func permit() throws -> CircuitBreaker.Permit {
    guard let permit = breaker.tryAcquire() else { throw Refused() }
    return permit
  }

  fileprivate func makeCall(ending outcome: Outcome, after duration: Duration) {
    guard let permit = breaker.tryAcquire() else { return }
    advance(by: duration)
    switch outcome {
    case .success: permit.succeed()
    case .failure: permit.end(throwing: Unavailable())
    case .ignored: permit.end(throwing: CancellationError())
    }
  }

  fileprivate func runCall(ending outcome: Outcome, after duration: Duration) async {
    try? await breaker.run {
      advance(by: duration)
      switch outcome {
      case .success: return
      case .failure: throw Unavailable()
      case .ignored: throw CancellationError()
      }
    }
  }
}

private struct Refused: Error {}
