import Resilience
import ResilienceTesting
import Testing

@Suite("X-4: cancellation gives everything back, wherever it strikes", .timeLimit(.minutes(20)))
struct CancellationTests {
  struct Mishap: Error {}

  /// How an operation takes being cancelled.
  enum Manner: CaseIterable {
    case obeys, complains, ignores
  }

  static let suspensions = 4

  /// An operation that suspends for a second, so many times.
  static func operate(_ manner: Manner, _ clock: VirtualClock) async throws {
    for _ in 0..<suspensions {
      do {
        try await clock.sleep(for: .seconds(1))
      } catch {
        switch manner {
        case .obeys: throw error
        case .complains: throw Mishap()
        case .ignores: continue
        }
      }
    }
  }

  /// Runs `call`, and cancels it during its suspension of that number; 0 is before it begins.
  static func cancel(
    _ call: @escaping @Sendable () async throws -> Void, at suspension: Int, _ clock: VirtualClock
  ) async {
    await withTaskGroup(of: Void.self) { group in
      if suspension == 0 { group.cancelAll() }
      group.addTask { try? await call() }
      await clock.advance(by: .milliseconds(1000 * suspension - 500))
      group.cancelAll()
      await group.waitForAll()
    }
  }

  static func breaker(
    _ clock: VirtualClock, halfOpen: Bool = false, _ observer: (any ResilienceObserver)? = nil
  ) -> CircuitBreaker {
    let breaker = CircuitBreaker(
      "breaker", tripping: .consecutiveFailures(1), over: .sinceTransition,
      recovery: .init(openFor: .seconds(60), probation: .zero), clock: clock,
      observers: observer.map { [$0] } ?? [])
    if halfOpen { breaker.trip(for: .zero) }
    return breaker
  }

  @Test("a cancelled call moves nothing", arguments: Manner.allCases, [false, true])
  func closed(_ manner: Manner, isObserved: Bool) async throws {
    for suspension in 0...Self.suspensions {
      try await withVirtualTime { clock in
        let recorder = EventRecorder()
        let breaker = Self.breaker(clock, isObserved ? recorder : nil)
        await Self.cancel(
          { try await breaker.run { try await Self.operate(manner, clock) } }, at: suspension,
          clock)
        let expected: CircuitBreaker.Counts =
          manner == .ignores ? .init(successes: 1, consecutiveSuccesses: 1) : .init(ignored: 1)
        #expect(breaker.snapshot().counts == expected)
        #expect(breaker.snapshot().running == 0)
        #expect(breaker.state == .closed)
        let last = recorder.events(of: CircuitBreaker.Event.self).map { "\($0.kind)" }.last
        let duration = Duration.milliseconds(max(0, 1000 * suspension - 500))
        let ending = manner == .ignores ? "succeeded after \(duration)" : "ignored"
        #expect(last == (isObserved ? ending : nil))
      }
    }
  }

  @Test("CB-5: a cancelled probe gives its slot back, and closes nothing (Polly W1)")
  func probe() async throws {
    for suspension in 0...Self.suspensions {
      for manner in [Manner.obeys, .complains] {
        try await withVirtualTime { clock in
          let breaker = Self.breaker(clock, halfOpen: true)
          for times in 1...3 {
            await Self.cancel(
              { try await breaker.run { try await Self.operate(manner, clock) } },
              at: suspension, clock)
            let counts = breaker.snapshot().counts
            #expect(counts == .init(ignored: times))
            #expect(breaker.state == .halfOpen)
            #expect(breaker.snapshot().running == 0)
          }
          try await breaker.run {}
          #expect(breaker.state == .closed)
        }
      }
    }
  }

  @Test("CB-5: an ignored probe is no success, whatever it threw (Polly W2)")
  func ignoredProbe() async throws {
    let clock = VirtualClock()
    let inner = Self.breaker(clock)
    inner.isolate()
    let breaker = CircuitBreaker(
      "breaker", recovery: .init(probes: 2, successesToClose: 1),
      classify: { $0 is Mishap ? .ignored : nil }, clock: clock)
    breaker.trip(for: .zero)
    for times in 1...3 {
      try? await breaker.run { try await inner.run {} }
      try? await breaker.run { throw Mishap() }
      try? await breaker.run { throw CancellationError() }
      #expect(breaker.state == .halfOpen)
      #expect(breaker.snapshot().counts == .init(ignored: 3 * times))
    }
  }

  @Test("a probe whose classifier meddles with its breaker ends all the same (Polly W5)")
  func meddlingClassifier() async throws {
    let interventions: [@Sendable (CircuitBreaker) -> Void] = [
      { $0.reset() }, { $0.trip(for: .zero) }, { $0.isolate() },
    ]
    for intervene in interventions {
      let content = Lock<CircuitBreaker?>(nil)
      let breaker = CircuitBreaker(
        "breaker",
        classify: { _ in
          if let breaker = content.withLock({ $0.take() }) { intervene(breaker) }
          return nil
        }, clock: VirtualClock())
      content.withLock { $0 = breaker }
      breaker.trip(for: .zero)
      try? await breaker.run { throw Mishap() }
      #expect(breaker.snapshot().running == 0)
      #expect(breaker.snapshot().counts.inFlight == 0)
      #expect(breaker.snapshot().counts.late == 1)
      breaker.trip(for: .zero)
      try await breaker.run {}
      #expect(breaker.state == .closed)
    }
  }

  @Test("a permit that a cancelled task drops is given back", arguments: [false, true])
  func permit(halfOpen: Bool) async throws {
    for suspension in 0...Self.suspensions {
      try await withVirtualTime { clock in
        let breaker = Self.breaker(clock, halfOpen: halfOpen)
        await Self.cancel(
          {
            guard let permit = breaker.tryAcquire() else { throw Mishap() }
            try await Self.operate(.obeys, clock)
            permit.succeed()
          }, at: suspension, clock)
        #expect(breaker.snapshot().counts == .init(ignored: 1))
        #expect(breaker.snapshot().running == 0)
        #expect(breaker.state == (halfOpen ? .halfOpen : .closed))
        try await breaker.run {}
        #expect(breaker.state == .closed)
      }
    }
  }

  @Test("two breakers around one cancelled call both let go")
  func nested() async throws {
    for suspension in 0...Self.suspensions {
      try await withVirtualTime { clock in
        let (outer, inner) = (Self.breaker(clock), Self.breaker(clock, halfOpen: true))
        await Self.cancel(
          {
            try await outer.run {
              try await inner.run { try await Self.operate(.complains, clock) }
              Issue.record("not cancelled")
            }
          }, at: suspension, clock)
        for breaker in [outer, inner] {
          #expect(breaker.snapshot().counts == .init(ignored: 1))
          #expect(breaker.snapshot().running == 0)
        }
      }
    }
  }

  @Test("callers that cancel their own calls do not open the circuit (failsafe P05)")
  func manyCallers() async throws {
    try await withVirtualTime { clock in
      let breaker = CircuitBreaker("breaker", tripping: .consecutiveFailures(3), clock: clock)
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<30 {
          group.addTask { try? await breaker.run { try await Self.operate(.complains, clock) } }
        }
        await clock.advance(by: .seconds(2))
        #expect(breaker.snapshot().counts == .init(inFlight: 30))
        group.cancelAll()
      }
      #expect(breaker.state == .closed)
      #expect(breaker.snapshot().counts == .init(ignored: 30))
    }
  }

  @Test("a call that the deadline cancelled is a failure: a hung probe does not close the circuit")
  func deadline() async throws {
    for halfOpen in [false, true] {
      try await withVirtualTime { clock in
        let breaker = Self.breaker(clock, halfOpen: halfOpen)
        let call: @Sendable () async throws -> Void = {
          try await Deadline(in: .milliseconds(1500), clock: clock).run {
            try await breaker.run { try await Self.operate(.obeys, clock) }
          }
        }
        await Self.cancel(call, at: 1, clock)
        #expect(breaker.state == (halfOpen ? .halfOpen : .closed))
        await Self.cancel(call, at: 2, clock)
        #expect(breaker.state == .open)
        #expect(breaker.snapshot().running == 0)
        #expect(breaker.snapshot().totals.failures == 1)
      }
    }
  }

  @Test("under threads, every call that was admitted ends, and is counted once")
  func threads() async throws {
    let breaker = CircuitBreaker(
      "breaker", tripping: .consecutiveFailures(.max), over: .sinceTransition)
    let (rounds, calls) = (50, 20)
    for round in 0..<rounds {
      await withTaskGroup(of: Void.self) { group in
        for call in 0..<calls {
          group.addTask {
            try? await breaker.run {
              for _ in 0..<(call % 5) {
                await Task.yield()
                try Task.checkCancellation()
              }
              if call % 7 == 0 { throw Mishap() }
            }
          }
        }
        for _ in 0..<(round % 10) { await Task.yield() }
        group.cancelAll()
      }
      #expect(breaker.snapshot().running == 0)
    }
    let counts = breaker.snapshot().counts
    #expect(counts.inFlight == 0)
    #expect(counts.calls == rounds * calls)
  }
}
