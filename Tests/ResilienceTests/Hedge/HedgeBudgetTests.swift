import ResilienceTesting
import Testing

@testable import Resilience

@Suite("HG-4: what pays for hedges, and when they rest", .timeLimit(.minutes(20)))
struct HedgeBudgetTests {
  static func budget(_ hedge: Hedge) throws -> RetryBudget.Snapshot {
    try #require(hedge.snapshot().budget)
  }

  @Test("HG-4: by default a hedge makes its own: 1.25 % of the successes in 10 s, at least 5")
  func own() async throws {
    try await withVirtualTime { clock in
      let hedge = Hedge("users", delay: .fixed(.ms(100)), clock: clock)
      let budget = try Self.budget(hedge)
      #expect(
        budget
          == .init(
            name: "users", tokens: 5, capacity: 5, successes: 0, withdrawn: 0, refused: 0,
            givenBack: 0))
      for _ in 0..<500 { try await hedge.run {} }
      let capacity = try Self.budget(hedge).capacity
      #expect(capacity == 6.25)
      #expect(Hedge().budget !== Hedge().budget)
    }
  }

  @Test("HG-4: without a token the running attempts go on, and no other is asked for")
  func refused() async throws {
    try await withVirtualTime { clock in
      let trial = HedgeTrial(maxHedges: 3, tokens: 1, on: clock)
      let ended = await trial.call(.succeed(1, after: .seconds(1)), .hang)
      #expect(ended == Ended(ending: .value(1), after: .seconds(1), attempts: 2))
      #expect(trial.totals == .init(calls: 1, hedges: 1, budgetRefused: 1))
      #expect(trial.told == ["hedge 1 after 0.1 seconds", "the budget refused a hedge"])
      let failed = await trial.call(.fail(Unavailable(), after: .ms(1)), .succeed(2))
      #expect(failed == Ended(ending: .threw("Unavailable"), after: .ms(1)))
      #expect(trial.totals == .init(calls: 2, hedges: 1, budgetRefused: 2))
    }
  }

  @Test("HG-4: the token comes back if the hedge wins, and is spent if it loses or fails")
  func tokens() async throws {
    try await withVirtualTime { clock in
      let trial = HedgeTrial(on: clock)
      _ = await trial.call(.hang, .succeed(2))
      #expect(trial.spent == 0)
      _ = await trial.call(.succeed(1, after: .ms(200)), .hang)
      #expect(trial.spent == 1)
      _ = await trial.call(.succeed(1, after: .ms(200)), .fail(Unavailable()))
      #expect(trial.spent == 2)
      _ = await trial.call(.fail(Unavailable()), .fail(Unavailable()))
      #expect(trial.spent == 3)
      _ = await trial.call(.succeed(1, after: .ms(200)), .fail(CancellationError()))
      #expect(trial.spent == 3)
    }
  }

  @Test("HG-4: without a budget every call is hedged")
  func none() async throws {
    try await withVirtualTime { clock in
      let trial = HedgeTrial(tokens: nil, on: clock)
      for _ in 0..<100 {
        let ended = await trial.call(.succeed(1, after: .ms(150)), .hang)
        #expect(ended == Ended(ending: .value(1), after: .ms(150), attempts: 2))
      }
      #expect(trial.hedge.snapshot().budget == nil)
      #expect(trial.totals == .init(calls: 100, hedges: 100))
    }
  }

  @Test("HG-4: over any run, hedges that lose are at most an eightieth of the successes and 5")
  func bound() async throws {
    try await withVirtualTime { clock in
      let hedge = Hedge(delay: .fixed(.ms(10)), clock: clock)
      for call in 1...1_000 {
        try await hedge.run { try await clock.sleep(for: .ms(20)) }
        let totals = hedge.snapshot().totals
        #expect(Double(totals.hedges - totals.wins) <= 0.0125 * Double(call) + 5)
      }
      #expect(hedge.snapshot().totals.hedges > 10)
    }
  }

  @Test("HG-4: a budget in common pays for all, and a call's success is counted once")
  func shared() async throws {
    try await withVirtualTime { clock in
      let budget = RetryBudget(minimumCapacity: 2, clock: clock)
      let hedges = (0..<2).map { _ in
        Hedge(delay: .fixed(.ms(10)), budget: budget, clock: clock)
      }
      for hedge in hedges {
        let script = Script([.succeed(1, after: .ms(20)), .hang], clock: clock)
        _ = try await hedge.run { try await script() }
      }
      #expect(budget.snapshot().successes == 2)
      #expect(budget.spent == 2)
      let script = Script([.succeed(1, after: .ms(20)), .hang], clock: clock)
      _ = try await hedges[0].run { try await script() }
      #expect(script.calls == 1)
      #expect(hedges.map { $0.snapshot().totals.budgetRefused } == [1, 0])
    }
  }

  @Test("HG-4: inside a retry with the same budget a success is counted once, with another twice")
  func insideRetry() async throws {
    try await withVirtualTime { clock in
      let (common, other) = (RetryBudget(clock: clock), RetryBudget(clock: clock))
      for (budget, delay) in [(common, Hedge.Delay.fixed(.ms(10))), (other, .percentile())] {
        let retry = Retry(budget: common, clock: clock)
        let hedge = Hedge(delay: delay, budget: budget, clock: clock)
        let pipeline = Pipeline {
          retry
          hedge
        }
        _ = try await pipeline.run { 1 }
      }
      #expect(common.snapshot().successes == 2)
      #expect(other.snapshot().successes == 1)
    }
  }

  @Test("HG-4: under saturation hedging stops by itself, says so, and comes back")
  func guarded() async throws {
    try await withVirtualTime { clock in
      let trial = HedgeTrial(delay: .fixed(.ms(500)), on: clock)
      try await trial.succeed(100, taking: .ms(10))
      try await trial.succeed(30, taking: .ms(100))
      #expect(trial.hedge.snapshot().isPaused)
      let slow = await trial.call(.succeed(1, after: .seconds(1)), .succeed(2))
      #expect(slow == Ended(ending: .value(1), after: .seconds(1)))
      let failed = await trial.call(.fail(Unavailable()), .succeed(2))
      #expect(failed == Ended(ending: .threw("Unavailable"), after: .zero))
      #expect(trial.totals == .init(calls: 132, suppressed: 2))
      try await trial.succeed(50, taking: .ms(10))
      #expect(!trial.hedge.snapshot().isPaused)
      let hedged = await trial.call(.hang, .succeed(2))
      #expect(hedged == Ended(ending: .value(2), after: .ms(500), attempts: 2))
      let words = trial.told.map { $0.prefix { $0 != " " } }
      #expect(words == ["paused", "resumed", "hedge", "hedge"])
    }
  }

  @Test("HG-4: a call that has begun before the pause may still be hedged")
  func begunBefore() async throws {
    try await withVirtualTime { clock in
      let trial = HedgeTrial(delay: .fixed(.seconds(60)), on: clock)
      try await trial.succeed(50, taking: .ms(10))
      async let early = trial.call(.hang, .succeed(2))
      await clock.advance(by: .zero)
      try await trial.succeed(50, taking: .ms(100))
      #expect(trial.hedge.snapshot().isPaused)
      #expect(await early == Ended(ending: .value(2), after: .seconds(60), attempts: 2))
    }
  }
}
