import Resilience
import ResilienceTesting
import Testing

extension Documentation {
  @Suite("Documentation: control, observation, settings")
  struct ControlSnippets {
    let log = Log()

    @Test("a person isolates, disables, observes, trips and resets")
    func manual() async throws {
      let events = EventRecorder()
      let breaker = CircuitBreaker("user-service", observers: [events])
      // snippet
      breaker.isolate()  // refuse everything, during a migration
      breaker.disable()  // let everything pass and record nothing
      breaker.observe()  // let everything pass, record, and tell when it would have opened
      breaker.trip(for: .seconds(60))  // open now; recover as always
      breaker.reset()  // closed, as if new
      // end snippet
      #expect(
        events.descriptions == [
          #"circuit breaker "user-service": closed > isolated (manual)"#,
          #"circuit breaker "user-service": isolated > disabled (manual)"#,
          #"circuit breaker "user-service": disabled > observing (manual)"#,
          #"circuit breaker "user-service": observing > open (manual)"#,
          #"circuit breaker "user-service": open > closed (manual)"#,
        ])
    }

    @Test("the changes of state are a sequence that ends with the breaker")
    func stateChanges() async throws {
      let log = log
      func watch() -> Task<Void, Never> {
        let breaker = CircuitBreaker("user-service")
        // snippet
        let changes = breaker.stateChanges
        let watcher = Task {
          for await change in changes {
            log.notice("\(change) after \(change.counts.failures) failures")
          }
        }
        // end snippet
        breaker.trip()
        breaker.reset()
        return watcher
      }
      await watch().value
      #expect(
        log.lines == [
          "closed > open (manual) after 0 failures", "open > closed (manual) after 0 failures",
        ])
    }

    @Test("an observer is told everything")
    func observer() async throws {
      let log = log
      // snippet
      struct FailureLog: ResilienceObserver {
        let log: Log

        func observe(_ event: any ResilienceEvent) {
          guard let event = event as? CircuitBreaker.Event else { return }
          if case .failed = event.kind { log.notice("\(event)") }
        }
      }

      let breaker = CircuitBreaker("user-service", observers: [FailureLog(log: log)])
      // end snippet
      try await breaker.run {}
      try? await breaker.run { throw Unavailable() }
      #expect(log.lines.count == 1)
      #expect(log.lines.first?.hasPrefix(#"circuit breaker "user-service": failed after"#) == true)
    }

    @Test("a snapshot says what a call would meet")
    func snapshot() async throws {
      let breaker = CircuitBreaker("user-service")
      try? await breaker.run { throw Unavailable() }
      breaker.trip(for: .seconds(60))
      try? await breaker.run {}
      // snippet
      let snapshot = breaker.snapshot()
      log.notice("\(snapshot.name) is \(snapshot.state), \(snapshot.running) calls are running")
      log.notice("refused \(snapshot.totals.rejected), failed \(snapshot.totals.failures) so far")
      // end snippet
      #expect(
        log.lines == ["user-service is open, 0 calls are running", "refused 1, failed 1 so far"])
    }

    @Test("settings that arrive at run time are checked before")
    func configuration() async throws {
      func open(failureRate: Double) throws -> CircuitBreaker {
        // snippet
        let configuration = CircuitBreaker.Configuration(
          tripping: .failureRate(failureRate, minimumCalls: 10),
          over: .rolling(.seconds(30))
        )
        try configuration.validate()
        let breaker = CircuitBreaker("user-service", configuration: configuration)
        // end snippet
        return breaker
      }
      let breaker = try open(failureRate: 0.5)
      #expect(breaker.state == .closed)

      let error = #expect(throws: ConfigurationError.self) { try open(failureRate: 50) }
      let shown = try blocks(inMarkdown: guide).map(\.code)
      #expect(shown.contains(["\(try #require(error))"]))
    }

    // snippet
    @Test func opensAfterFiveFailuresAndRecovers() async throws {
      let clock = VirtualClock()
      let events = EventRecorder()
      let breaker = CircuitBreaker(
        "user-service",
        tripping: .consecutiveFailures(5),
        recovery: .init(openFor: .seconds(30)),
        clock: clock,
        observers: [events]
      )

      for _ in 1...5 {
        try? await breaker.run { throw Unavailable() }
      }
      #expect(breaker.state == .open)

      await clock.advance(by: .seconds(30))
      #expect(breaker.state == .halfOpen)

      try await breaker.run {}
      #expect(breaker.state == .closed)
      #expect(events.descriptions.last?.hasSuffix("half-open > closed (probes succeeded)") == true)
    }
    // end snippet

    @Test("what a log of all events looks like")
    func events() async throws {
      let clock = VirtualClock()
      let events = EventRecorder()
      let breaker = CircuitBreaker(
        "user-service", tripping: .consecutiveFailures(1), recovery: .init(openFor: .seconds(1)),
        clock: clock, observers: [events])
      try? await breaker.run { throw Unavailable() }
      try? await breaker.run {}
      await clock.advance(by: .seconds(1))
      try await breaker.run {}
      let shown = try blocks(inMarkdown: guide).map(\.code)
      #expect(shown.contains(events.descriptions), "\(events.descriptions)")
    }
  }
}
