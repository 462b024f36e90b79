import ResilienceTesting
import Testing

@testable import Resilience

@Suite("X-4: hedged calls whose caller is cancelled", .timeLimit(.minutes(20)))
struct HedgeCancellationTests {
  struct Outcome: Hashable, Sendable {
    let ending: Ending
    let ends: Duration
    let totals: Hedge.Totals
    let spent: Int?
    let successes: Int?
  }

  /// Times in quarters of a second; an attempt takes sixteen, and hedges come after six and twelve.
  static func outcome(
    _ manner: Body.Manner, cancellation: Int
  ) async throws -> Outcome {
    try await withVirtualTime { clock in
      let trial = HedgeTrial(delay: .fixed(.ms(1500)), maxHedges: 2, on: clock)
      let call = Task(executorPreference: clock.executor) {
        let ending = await Ending.of {
          try await trial.hedge.run { try await Body(manner: manner, clock: clock)() }
        }
        return Outcome(
          ending: ending, ends: clock.now.offset, totals: trial.totals, spent: trial.spent,
          successes: trial.hedge.budget?.snapshot().successes)
      }
      if cancellation > 0 { await clock.advance(by: .ms(250 * cancellation)) }
      call.cancel()
      let outcome = await call.value
      await clock.advance(by: .seconds(10))
      #expect(trial.totals.calls == outcome.totals.calls)
      #expect(trial.hedge.snapshot().inFlight == 0)
      #expect(trial.hedge.isEvictable == (outcome.spent == 0))
      #expect(clock.sleeperCount == 0)
      #expect(clock.foreignEnqueues == 0)
      return outcome
    }
  }

  @Test(
    "wherever it strikes, the caller goes on at once, nothing is counted, and tokens come back",
    arguments: [Body.Manner.obeys, .complains, .answers, .deaf])
  func everywhere(_ manner: Body.Manner) async throws {
    for cancellation in [0, 1, 5, 7, 11, 13, 15, 17, 20] {
      let outcome = try await Self.outcome(manner, cancellation: cancellation)
      let ends = min(cancellation, 16)
      let hedges = ends > 12 ? 2 : ends > 6 ? 1 : 0
      let isAnswered = cancellation > 16
      let expected = Outcome(
        ending: isAnswered ? .value(4) : .cancelled, ends: .ms(250 * ends),
        totals: .init(calls: isAnswered ? 1 : 0, hedges: hedges), spent: isAnswered ? hedges : 0,
        successes: isAnswered ? 1 : 0)
      #expect(outcome == expected, "cancellation \(cancellation)")
    }
  }

  @Test("a caller that is cancelled already runs nothing, hedged or not")
  func before() async {
    for hedge in [Hedge(), Hedge(delay: .fixed(.zero))] {
      let call = Task {
        unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
        return await Ending.of {
          try await hedge.run {
            Issue.record("the operation ran")
            return 1
          }
        }
      }
      #expect(await call.value == .cancelled)
      #expect(hedge.snapshot().totals == .init())
      #expect(hedge.isEvictable)
    }
  }

  @Test("where nothing can be hedged, cancellation is the operation's own affair")
  func alone() async throws {
    for (manner, ending) in [
      (Body.Manner.obeys, Ending.cancelled), (.complains, .threw("Complaint")),
      (.answers, .value(4)),
    ] {
      try await withVirtualTime { clock in
        let trial = HedgeTrial(delay: .percentile(), on: clock)
        let call = Task(executorPreference: clock.executor) {
          await Ending.of {
            try await trial.hedge.run { try await Body(manner: manner, clock: clock)() }
          }
        }
        await clock.advance(by: .ms(1500))
        call.cancel()
        #expect(await call.value == ending)
        #expect(trial.totals.calls == (manner == .answers ? 1 : 0))
        #expect(trial.hedge.isEvictable)
      }
    }
  }

  @Test("at one instant with the answer or the timer, the call ends once")
  func atOnce() async throws {
    for milliseconds in [100, 150] {
      for isCancelledFirst in [false, true] {
        try await withVirtualTime { clock in
          let trial = HedgeTrial(on: clock)
          let task = Shared<Task<Ending, Never>?>(nil)
          func cancelThen() {
            _ = clock.schedule(at: .init(offset: .ms(milliseconds))) { task.value?.cancel() }
          }
          if isCancelledFirst { cancelThen() }
          let script = Script([.succeed(1, after: .ms(150)), .hang], clock: clock)
          let call = Task(executorPreference: clock.executor) {
            await Ending.of { try await trial.hedge.run { try await script() } }
          }
          task.value = call
          if !isCancelledFirst {
            await clock.advance(by: .ms(50))
            cancelThen()
          }
          let ending = await call.value
          #expect(clock.now.offset == .ms(milliseconds))
          #expect(ending == .cancelled || milliseconds == 150 && ending == .value(1))
          await clock.advance(by: .seconds(1))
          #expect(trial.totals.calls == (ending == .cancelled ? 0 : 1))
          #expect(trial.hedge.isEvictable == (trial.spent == 0))
          #expect(clock.sleeperCount == 0)
        }
      }
    }
  }

  @Test("the token of a hedge that has been made and does not begin comes back")
  func notBegun() async throws {
    try await withVirtualTime { clock in
      let trial = HedgeTrial(on: clock)
      // The first attempt answers after the caller has been woken and before the hedge begins: it is
      // resumed between the two, by the same jump.
      let script = Script<Int>([.succeed(1, after: .ms(100)), .hang], clock: clock)
      let call = Task(executorPreference: clock.executor) {
        try await trial.hedge.run { try await script() }
      }
      await clock.advance(by: .ms(50))
      clock.jump(by: .ms(50))
      let value = try await call.value
      #expect(value == 1)
      #expect(script.calls == 1)
      #expect(trial.totals == .init(calls: 1))
      #expect(trial.told == [])
      let budget = trial.hedge.budget?.snapshot()
      #expect(budget?.withdrawn == 1 && budget?.givenBack == 1)
    }
  }
}
