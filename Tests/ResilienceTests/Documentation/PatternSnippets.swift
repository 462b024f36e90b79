import Resilience
import ResilienceTesting
import Testing

extension Documentation {
  @Suite("Documentation: patterns")
  struct PatternSnippets {
    @Test("a worker waits as long as the circuit is open")
    func worker() async throws {
      let delivered = try await withVirtualTime { clock in
        let users = UserService(clock: clock)
        let breaker = CircuitBreaker("user-service", clock: clock)
        var queue = Array(1...3)
        breaker.trip(for: .seconds(5))
        // snippet
        while let id = queue.first {
          do {
            _ = try await breaker.run { try await users.find(id) }
            queue.removeFirst()
          } catch let refusal as CircuitOpenError {
            try await clock.sleep(for: refusal.retryAfter ?? .seconds(1))
          }
        }
        // end snippet
        #expect(clock.now == .init(offset: .seconds(5)))
        return users.calls
      }
      #expect(delivered == 3)
    }

    @Test("settings are tried out before they refuse anybody")
    func tryingOut() async throws {
      let log = Log()
      // snippet
      struct Rehearsal: ResilienceObserver {
        let log: Log

        func observe(_ event: any ResilienceEvent) {
          guard let event = event as? CircuitBreaker.Event else { return }
          if case .wouldHaveOpened = event.kind { log.notice("\(event)") }
        }
      }

      let breaker = CircuitBreaker(
        "user-service",
        tripping: .failureRate(0.3),
        observers: [Rehearsal(log: log)]
      )
      breaker.observe()
      // end snippet
      for _ in 1...100 { try? await breaker.run { throw Unavailable() } }
      #expect(
        log.lines == [#"circuit breaker "user-service": would have opened (failure rate)"#])
      #expect(breaker.state == .observing)
    }
  }
}
