import ResilienceTesting
import Testing

@testable import Resilience

@Suite("HG-5: what attempts inherit, and where they run", .timeLimit(.minutes(20)))
struct HedgeInheritanceTests {
  @TaskLocal static var tag = "none"

  @Test("HG-5: task-locals, deadline, priority and executor are the caller's")
  func inherits() async throws {
    try await withVirtualTime { clock in
      let trial = HedgeTrial(maxHedges: 2, on: clock)
      let seen = Shared<[String]>([])
      let priority = Task.currentPriority
      try await Deadline(in: .seconds(5), clock: clock).run {
        try await Self.$tag.withValue("caller") {
          try await trial.hedge.run { execution in
            #expect(Self.tag == "caller")
            #expect(Task.currentPriority >= priority)
            #expect(Deadline.current?.remaining == .ms(5000 - 100 * execution.hedge))
            seen.value.append("\(execution.attempt).\(execution.hedge)")
            if execution.hedge < 2 { try await clock.sleep(for: .seconds(60)) }
          }
        }
      }
      #expect(seen.value == ["1.0", "1.1", "1.2"])
      #expect(clock.foreignEnqueues == 0)
    }
  }

  @Test("HG-5: a hedge after a failure inherits them as well")
  func inheritsAfterFailure() async throws {
    try await withVirtualTime { clock in
      let trial = HedgeTrial(on: clock)
      let tag = try await Self.$tag.withValue("caller") {
        try await trial.hedge.run { execution in
          if execution.hedge == 0 { throw Unavailable() }
          return Self.tag
        }
      }
      #expect(tag == "caller")
      #expect(clock.foreignEnqueues == 0)
    }
  }

  @Test("the number of the attempt comes from outside, that of the hedge from here")
  func numbers() async throws {
    try await withVirtualTime { clock in
      let seen = Shared<[Execution]>([])
      let retry = Retry(backoff: .none, budget: nil, clock: clock)
      for delay in [Hedge.Delay.fixed(.ms(100)), .percentile()] {
        let trial = HedgeTrial(delay: delay, on: clock)
        let pipeline = Pipeline {
          retry
          trial.hedge
        }
        seen.value = []
        _ = try? await pipeline.run { execution in
          seen.value.append(execution)
          throw Unavailable()
        }
        let hedges = delay == .percentile() ? 0...0 : 0...1
        let expected = (1...3).flatMap { attempt in
          hedges.map { Execution(attempt: attempt, hedge: $0) }
        }
        #expect(seen.value == expected)
      }
    }
  }

  /// A place that is busy for as long as a test wants.
  actor Desk {
    func call(_ trial: HedgeTrial) async throws -> Int {
      preconditionIsolated()
      let me: any Actor = self
      let value = try await trial.hedge.run { execution in
        if execution.hedge == 0 { try await trial.clock.sleep(for: .seconds(60)) }
        return execution.hedge
      }
      me.preconditionIsolated()
      return value
    }

    func answer(_ policy: some ConcurrentPolicy) async throws -> Int {
      preconditionIsolated()
      let me: any Actor = self
      return try await policy.run { () -> Int in
        throw Unavailable()
      } fallback: { _ in
        me.preconditionIsolated()
        return 2
      }
    }
  }

  @Test("the caller comes back to its actor, and so does its fallback, hedged or not")
  func actor() async throws {
    try await withVirtualTime { clock in
      let trial = HedgeTrial(on: clock)
      let winner = try await Desk().call(trial)
      #expect(winner == 1)
      for hedge in [Hedge(clock: clock), trial.hedge] {
        let answer = try await Desk().answer(hedge)
        #expect(answer == 2)
      }
    }
  }

  @MainActor
  @Test("on the main actor, too; operations run off it, hedged or not")
  func mainActor() async throws {
    for hedge in [Hedge(), Hedge(delay: .fixed(.seconds(600)))] {
      let answer = try await hedge.run { () -> Int in
        #expect(#isolation == nil)
        throw Unavailable()
      } fallback: { _ in
        MainActor.preconditionIsolated()
        return 2
      }
      MainActor.preconditionIsolated()
      #expect(answer == 2)
    }
  }

  @Test("in a pipeline a hedge works with policies of the stronger kind on either side")
  func pipeline() async throws {
    try await withVirtualTime { clock in
      let trial = HedgeTrial(on: clock)
      let circuit = Circuit(on: clock)
      let pipeline = Pipeline {
        Retry(budget: nil, clock: clock)
        trial.hedge
        circuit.breaker
        Timeout(.seconds(1), clock: clock)
      }
      let value = try await pipeline.run { execution in
        if execution.hedge == 0 { try await clock.sleep(for: .seconds(60)) }
        return execution.hedge
      }
      #expect(value == 1)
      #expect(clock.now.offset == .ms(100))
      #expect(circuit.counts.successes == 1)
      #expect(
        pipeline.layers.map(\.role) == [
          .retry(maxAttempts: 3, nests: false), .hedge, .circuitBreaker, .timeout(.seconds(1)),
        ])
      #expect(pipeline.validate() == [])
    }
  }
}
