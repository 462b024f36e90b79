import Resilience
import ResilienceTesting
import Testing

@Suite("CB-21: events", .timeLimit(.minutes(20)))
struct EventTests {
  struct Mishap: Error {}

  typealias Event = CircuitBreaker.Event

  let clock = VirtualClock()
  let recorder = EventRecorder()

  /// Causes a hundred events by one.
  let flood = Meddler { kind, breaker in
    guard case .stateChanged = kind else { return }
    for _ in 1...100 { breaker.tryAcquire()?.fail() }
  }

  private func breaker(
    tripping: CircuitBreaker.TripCondition = .consecutiveFailures(2),
    recovery: CircuitBreaker.Recovery = .init(
      openFor: .seconds(10), probation: .zero, probeLease: .seconds(5)),
    observers: [any ResilienceObserver] = []
  ) -> CircuitBreaker {
    CircuitBreaker(
      "users", tripping: tripping, over: .sinceTransition, recovery: recovery, clock: clock,
      observers: [recorder] + observers)
  }

  private func call(_ breaker: CircuitBreaker, lasting: Int = 0, _ error: (any Error)? = nil) async
  {
    try? await breaker.run {
      clock.advance(by: .seconds(lasting))
      if let error { throw error }
    }
  }

  /// What has been announced since it was last asked.
  private func news() -> [String] {
    let events = recorder.events(of: Event.self)
    recorder.clear()
    return events.map { "\($0.kind)" }
  }

  /// An observer that calls back into its breaker.
  final class Meddler: ResilienceObserver {
    private struct Content: Sendable {
      weak var breaker: CircuitBreaker?
    }
    private let content = Lock(Content())
    private let meddle: @Sendable (Event.Kind, CircuitBreaker) -> Void

    init(_ meddle: @escaping @Sendable (Event.Kind, CircuitBreaker) -> Void) {
      self.meddle = meddle
    }

    func watch(_ breaker: CircuitBreaker) { content.withLock { $0.breaker = breaker } }

    func observe(_ event: any ResilienceEvent) {
      guard let event = event as? Event, let breaker = content.withLock({ $0.breaker }) else {
        return
      }
      meddle(event.kind, breaker)
    }
  }
}

// MARK: - What is announced

extension EventTests {
  @Test(
    "an outage from beginning to end: a probe that throws opens the circuit again (failsafe P03)")
  func outage() async {
    let breaker = breaker()
    await call(breaker, lasting: 1)
    await call(breaker, lasting: 2, Mishap())
    await call(breaker, Mishap())
    await call(breaker)
    #expect(
      news() == [
        "admitted", "succeeded after 1.0 seconds",
        "admitted", "failed after 2.0 seconds (Mishap())",
        "admitted", "failed after 0.0 seconds (Mishap())",
        "closed > open (consecutive failures)",
        "rejected (open)",
      ])
    await clock.advance(by: .seconds(10))
    await call(breaker, Mishap())
    #expect(
      news() == [
        "open > half-open (open period ended)", "admitted",
        "failed after 0.0 seconds (Mishap())", "half-open > open (probe failed)",
      ])
    await clock.advance(by: .seconds(10))
    await call(breaker, CancellationError())
    await call(breaker, lasting: 3)
    await call(breaker)
    #expect(
      news() == [
        "open > half-open (open period ended)", "admitted", "ignored",
        "admitted", "succeeded after 3.0 seconds", "half-open > closed (probes succeeded)",
        "admitted", "succeeded after 0.0 seconds",
      ])
  }

  @Test("a lost lease is announced before what happens at the same touch; a late report is late")
  func lease() async {
    let breaker = breaker()
    breaker.trip(for: .zero)
    let probe = breaker.tryAcquire()
    await clock.advance(by: .seconds(5))
    #expect(breaker.state == .open)
    #expect(
      news() == ["closed > open (manual)", "open > half-open (open period ended)", "admitted"])
    await call(breaker)
    #expect(news() == ["half-open > open (probe lease expired)", "rejected (open)"])
    probe?.succeed()
    #expect(news() == ["late"])

    await clock.advance(by: .seconds(10))
    let second = breaker.tryAcquire()
    await clock.advance(by: .seconds(16))
    #expect(news() == ["open > half-open (open period ended)", "admitted"])
    await call(breaker)
    #expect(
      news() == [
        "half-open > open (probe lease expired)", "open > half-open (open period ended)",
        "admitted", "succeeded after 0.0 seconds", "half-open > closed (probes succeeded)",
      ])
    second?.fail()
    #expect(news() == ["late"])
  }

  @Test("a lost lease is announced before the report of the probe that lost it")
  func leaseAndReport() async {
    let breaker = breaker()
    breaker.trip(for: .zero)
    let probe = breaker.tryAcquire()
    await clock.advance(by: .seconds(5))
    recorder.clear()
    probe?.succeed()
    #expect(news() == ["half-open > open (probe lease expired)", "late"])
  }

  @Test("what a person does; and what changes nothing announces nothing")
  func controls() async {
    let breaker = breaker()
    for _ in 1...2 { breaker.isolate() }
    await call(breaker)
    for _ in 1...2 { breaker.disable() }
    await call(breaker, Mishap())
    for _ in 1...2 { breaker.observe() }
    await call(breaker)
    for _ in 1...3 { await call(breaker, Mishap()) }
    for _ in 1...2 { breaker.reset() }
    for _ in 1...2 { breaker.trip() }
    breaker.tryAcquire()?.ignore()
    #expect(
      news() == [
        "closed > isolated (manual)", "rejected (isolated)",
        "isolated > disabled (manual)", "admitted",
        "disabled > observing (manual)", "admitted", "succeeded after 0.0 seconds",
        "admitted", "failed after 0.0 seconds (Mishap())",
        "admitted", "failed after 0.0 seconds (Mishap())",
        "would have opened (consecutive failures)",
        "admitted", "failed after 0.0 seconds (Mishap())",
        "observing > closed (manual)", "closed > open (manual)", "rejected (open)",
      ])
  }

  @Test("results that fail, permits, slow calls, probation, predicates")
  func others() async throws {
    let breaker = breaker(
      tripping: .any(
        .slowCallRate(1, slowerThan: .seconds(1), minimumCalls: 2), .when { $0.failures == 3 }),
      recovery: .init(openFor: .seconds(10), probation: .seconds(60)))
    _ = try await breaker.run {
      1
    } failingWhen: {
      $0 == 1
    }
    breaker.tryAcquire()?.fail()
    breaker.tryAcquire()?.fail(Mishap())
    #expect(
      news() == [
        "admitted", "failed after 0.0 seconds", "admitted", "failed after 0.0 seconds",
        "admitted", "failed after 0.0 seconds (Mishap())", "closed > open (predicate)",
      ])
    await clock.advance(by: .seconds(10))
    await call(breaker)
    await call(breaker, Mishap())
    await call(breaker)
    breaker.reset()
    await call(breaker, lasting: 2)
    await call(breaker, lasting: 2)
    #expect(
      news() == [
        "open > half-open (open period ended)", "admitted", "succeeded after 0.0 seconds",
        "half-open > closed (probes succeeded)",
        "admitted", "failed after 0.0 seconds (Mishap())", "rejected (on probation)",
        "admitted", "succeeded after 2.0 seconds", "admitted", "succeeded after 2.0 seconds",
        "closed > open (slow-call rate)",
      ])
  }

  @Test("an event says whose it is, and keeps the values it was announced with (failsafe D2)")
  func values() async {
    let breaker = breaker()
    await call(breaker)
    await call(breaker, Mishap())
    await call(breaker, Mishap())
    let events = recorder.events(of: Event.self)
    let counts = CircuitBreaker.Counts(successes: 1, failures: 2, consecutiveFailures: 2)
    func check() {
      guard case .stateChanged(let change)? = events.last?.kind else {
        Issue.record("no change of state")
        return
      }
      #expect(
        events.last?.description
          == "circuit breaker \"users\": closed > open (consecutive failures)")
      #expect(change.counts == counts)
    }
    check()
    breaker.reset()
    for _ in 1...5 { await call(breaker) }
    check()
  }
}

// MARK: - How it is delivered

extension EventTests {
  @Test(
    "an observer may call back, which is told to all afterwards (gobreaker B6, B7, failsafe Q8)")
  func reentrant() async {
    let last = EventRecorder()
    let meddler = Meddler { kind, breaker in
      let before = last.events.count
      if case .stateChanged(let change) = kind, change.cause == .consecutiveFailures {
        breaker.tryAcquire()?.fail()
        breaker.reset()
        breaker.trip()
        breaker.disable()
        breaker.tryAcquire()?.succeed()
        breaker.reset()
        breaker.tryAcquire()?.fail()
        #expect(breaker.state == .closed)
        #expect(breaker.snapshot().generation == 5)
      }
      #expect(last.events.count == before)
    }
    let breaker = breaker(observers: [meddler, last])
    meddler.watch(breaker)
    for _ in 1...2 { await call(breaker, Mishap()) }
    #expect(last.descriptions == recorder.descriptions)
    #expect(
      news().suffix(9) == [
        "closed > open (consecutive failures)", "rejected (open)",
        "open > closed (manual)", "closed > open (manual)", "open > disabled (manual)", "admitted",
        "disabled > closed (manual)", "admitted", "failed after 0.0 seconds",
      ])
  }

  @Test("one caller delivers 64 events; the next touch delivers the rest, and a look does not")
  func turn() {
    let breaker = breaker(observers: [flood])
    flood.watch(breaker)
    breaker.isolate()
    #expect(breaker.snapshot().counts.rejected == 100)
    #expect(breaker.state == .isolated)
    #expect(recorder.events.count == 64)
    breaker.tryAcquire()?.fail()
    #expect(
      news() == ["closed > isolated (manual)"] + Array(repeating: "rejected (isolated)", count: 101)
    )
  }

  @Test("what the last turn has left is delivered when the breaker goes")
  func lastTurn() {
    do {
      let breaker = breaker(observers: [flood])
      flood.watch(breaker)
      breaker.isolate()
    }
    #expect(recorder.events.count == 101)
  }

  @Test("an observer that causes an event by every event does not hold its caller for ever")
  func endless() {
    let meddler = Meddler { _, breaker in breaker.tryAcquire()?.ignore() }
    let breaker = breaker(observers: [meddler])
    meddler.watch(breaker)
    for touch in 1...5 {
      breaker.tryAcquire()?.succeed()
      #expect(recorder.events.count == 2 * 64 * touch)
    }
  }
}
