import Resilience
import ResilienceTesting
import Testing

extension Documentation {
  @Suite("Documentation: trip conditions")
  struct ConditionSnippets {
    struct Call {
      var fails = false
      var duration = Duration.zero
    }

    /// Why the circuit opened over these calls, if it did.
    func cause(
      of calls: [Call], _ tripping: CircuitBreaker.TripCondition
    ) async -> CircuitBreaker.Cause? {
      let clock = VirtualClock()
      let events = EventRecorder()
      let breaker = CircuitBreaker(
        "user-service", tripping: tripping, over: .calls(20), clock: clock, observers: [events])
      for call in calls {
        try? await breaker.run {
          await clock.advance(by: call.duration)
          if call.fails { throw Unavailable() }
        }
      }
      let changes = events.events(of: CircuitBreaker.Event.self).compactMap { event in
        if case .stateChanged(let change) = event.kind { change } else { nil }
      }
      return changes.first?.cause
    }

    @Test("any of several conditions opens the circuit")
    func conditions() async {
      // snippet
      let tripping: CircuitBreaker.TripCondition = .any(
        .consecutiveFailures(5),
        .failureRate(0.5, minimumCalls: 20),
        .slowCallRate(0.5, slowerThan: .seconds(2), minimumCalls: 20)
      )
      // end snippet
      let failures = Array(repeating: Call(fails: true), count: 5)
      let everyOther = (1...20).map { Call(fails: $0.isMultiple(of: 2)) }
      let slow = Array(repeating: Call(duration: .seconds(3)), count: 20)
      let quick = Array(repeating: Call(duration: .seconds(2)), count: 100)
      #expect(await cause(of: failures, tripping) == .consecutiveFailures)
      #expect(await cause(of: everyOther, tripping) == .failureRate)
      #expect(await cause(of: slow, tripping) == .slowCallRate)
      #expect(await cause(of: quick, tripping) == nil)
    }

    @Test("a predicate over the counts opens the circuit")
    func predicate() async {
      // snippet
      let tripping: CircuitBreaker.TripCondition = .when { counts in
        counts.failures >= 10 && counts.failures > 2 * counts.successes
      }
      // end snippet
      let failures = Array(repeating: Call(fails: true), count: 10)
      let successes = Array(repeating: Call(), count: 5)
      #expect(await cause(of: failures.dropLast(), tripping) == nil)
      #expect(await cause(of: failures, tripping) == .predicate)
      #expect(await cause(of: successes + failures, tripping) == nil)
    }

    @Test("the classic settings open at five failures and close after three probes")
    func classic() async throws {
      // snippet
      let classic = CircuitBreaker.Configuration(
        tripping: .consecutiveFailures(5),
        over: .interval(.seconds(10)),
        recovery: .init(openFor: .seconds(30), probes: 3)
      )
      // end snippet
      let clock = VirtualClock()
      let breaker = CircuitBreaker("user-service", configuration: classic, clock: clock)
      for _ in 1...5 {
        #expect(breaker.state == .closed)
        try? await breaker.run { throw Unavailable() }
      }
      #expect(breaker.state == .open)
      await clock.advance(by: .seconds(30))
      for _ in 1...3 {
        #expect(breaker.state == .halfOpen)
        try await breaker.run {}
      }
      #expect(breaker.state == .closed)
    }
  }
}
