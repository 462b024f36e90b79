import ResilienceTesting
import Testing

@testable import Resilience

@Suite("HG-3: losers are cancelled, and neutral to every policy inside", .timeLimit(.minutes(20)))
struct HedgeLoserTests {
  /// A hedge around a breaker, whose first attempts hang.
  static func pipeline(
    _ trial: HedgeTrial, _ circuit: Circuit
  ) -> Pipeline<PolicyStack<Hedge, CircuitBreaker>> {
    Pipeline {
      trial.hedge
      circuit.breaker
    }
  }

  @Test("HG-3, failsafe P06: a breaker inside stays closed when the hedge answers, all 20 of 20")
  func breaker() async throws {
    try await withVirtualTime { clock in
      let circuit = Circuit(tripping: .failureRate(0.5, minimumCalls: 5), on: clock)
      let trial = HedgeTrial(tokens: 100, on: clock)
      let pipeline = Self.pipeline(trial, circuit)
      for call in 1...20 {
        let value = try await pipeline.run { execution in
          if execution.hedge == 0 { try await clock.sleep(for: .seconds(60)) }
          return call
        }
        #expect(value == call)
      }
      await clock.advance(by: .seconds(60))
      #expect(circuit.state == .closed)
      #expect(
        circuit.counts == .init(successes: 20, ignored: 20, consecutiveSuccesses: 20))
      #expect(trial.totals == .init(calls: 20, hedges: 20, wins: 20))
      #expect(circuit.running == 0)
    }
  }

  @Test("HG-3: whatever a loser throws when it is cancelled, the breaker inside ignores it")
  func throwing() async throws {
    for manner in [Body.Manner.obeys, .complains] {
      try await withVirtualTime { clock in
        let circuit = Circuit(tripping: .consecutiveFailures(1), on: clock)
        let trial = HedgeTrial(on: clock)
        let value = try await Self.pipeline(trial, circuit).run { execution in
          if execution.hedge == 1 { return 7 }
          return try await Body(manner: manner, clock: clock)()
        }
        #expect(value == 7)
        await clock.advance(by: .seconds(10))
        #expect(circuit.counts == .init(successes: 1, ignored: 1, consecutiveSuccesses: 1))
      }
    }
  }

  @Test("HG-3: a loser that ignores cancellation and succeeds is an answer of the dependency")
  func lateSuccess() async throws {
    try await withVirtualTime { clock in
      let circuit = Circuit(on: clock)
      let trial = HedgeTrial(on: clock)
      let value = try await Self.pipeline(trial, circuit).run { execution in
        if execution.hedge == 1 { return 7 }
        return try await Body(manner: .deaf, clock: clock)()
      }
      #expect(value == 7)
      #expect(circuit.running == 1)
      await clock.advance(by: .seconds(10))
      #expect(circuit.counts == .init(successes: 2, consecutiveSuccesses: 2))
      #expect(circuit.running == 0)
      #expect(trial.totals == .init(calls: 1, hedges: 1, wins: 1))
    }
  }

  @Test("HG-3: a breaker outside sees one call, whatever becomes of its attempts")
  func breakerOutside() async throws {
    try await withVirtualTime { clock in
      let circuit = Circuit(on: clock)
      let trial = HedgeTrial(on: clock)
      let pipeline = Pipeline {
        circuit.breaker
        trial.hedge
      }
      let scripts: [[Script<Int>.Step]] = [
        [.hang, .succeed(1)], [.fail(Unavailable()), .succeed(1)],
        [.fail(Unavailable()), .fail(Unavailable())],
      ]
      for steps in scripts {
        let script = Script(steps, clock: clock)
        _ = try? await pipeline.run { try await script() }
        #expect(script.calls == 2)
      }
      #expect(circuit.counts.successes == 2)
      #expect(circuit.counts.failures == 1)
      #expect(circuit.counts.ignored == 0)
    }
  }

  @Test("HG-3: losers are cancelled: both the first attempt and a hedge")
  func cancelled() async throws {
    try await withVirtualTime { clock in
      let trial = HedgeTrial(maxHedges: 2, on: clock)
      for winner in 0...2 {
        let cancelled = Shared<Set<Int>>([])
        let value = try await trial.hedge.run { execution in
          do {
            try await clock.sleep(for: execution.hedge == winner ? .ms(250) : .seconds(60))
          } catch {
            cancelled.value.insert(execution.hedge)
            throw error
          }
          return execution.hedge
        }
        #expect(value == winner)
        await clock.advance(by: .zero)
        #expect(cancelled.value == Set(0...2).subtracting([winner]))
      }
      #expect(clock.sleeperCount == 0)
    }
  }

  @Test("X-1: attempts that the deadline cancels are failures of the dependency")
  func deadline() async throws {
    try await withVirtualTime { clock in
      let circuit = Circuit(on: clock)
      let trial = HedgeTrial(on: clock)
      let timeout = AbandoningTimeout(.ms(500), clock: clock)
      let pipeline = Pipeline {
        timeout
        trial.hedge
        circuit.breaker
      }
      let ending = await Ending.of {
        try await pipeline.run { try await Body(manner: .obeys, clock: clock)() }
      }
      #expect(ending == .timedOut(.ms(500), underlying: "nothing"))
      await clock.advance(by: .seconds(10))
      #expect(circuit.counts == .init(failures: 2, consecutiveFailures: 2))
      // The call has failed, and its hedge is spent.
      #expect(trial.totals == .init(calls: 1, hedges: 1))
      #expect(trial.spent == 1)
      #expect(clock.sleeperCount == 0)
    }
  }
}
