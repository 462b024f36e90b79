import ResilienceTesting
import Testing

@testable import Resilience

@Suite("HG-1: attempts, and which of them answers", .timeLimit(.minutes(20)))
struct HedgeTests {
  struct Slow: Error {}
  struct Fast: Error {}

  @Test("HG-1: an answer within the delay is the answer of one attempt, and leaves no timer")
  func inTime() async throws {
    try await withVirtualTime { clock in
      let trial = HedgeTrial(on: clock)
      #expect(await trial.call(.succeed(1)) == Ended(ending: .value(1), after: .zero))
      #expect(
        await trial.call(.succeed(1, after: .ms(99))) == Ended(ending: .value(1), after: .ms(99)))
      #expect(clock.sleeperCount == 0)
      #expect(trial.told == [])
      #expect(trial.totals == .init(calls: 2))
      #expect(trial.spent == 0)
      #expect(clock.foreignEnqueues == 0)
    }
  }

  @Test("HG-1: after the delay another attempt starts; the first success is the answer, at once")
  func hedged() async throws {
    try await withVirtualTime { clock in
      let trial = HedgeTrial(on: clock)
      let ended = await trial.call(.hang, .succeed(2, after: .ms(10)))
      #expect(ended == Ended(ending: .value(2), after: .ms(110), attempts: 2))
      #expect(trial.told == ["hedge 1 after 0.1 seconds", "hedge 1 answered after 0.11 seconds"])
      #expect(trial.totals == .init(calls: 1, hedges: 1, wins: 1))
      #expect(clock.sleeperCount == 0)
    }
  }

  @Test("HG-1: the first attempt may still win, and the hedge was for nothing")
  func firstWins() async throws {
    try await withVirtualTime { clock in
      let trial = HedgeTrial(on: clock)
      let ended = await trial.call(.succeed(1, after: .ms(150)), .succeed(2, after: .ms(100)))
      #expect(ended == Ended(ending: .value(1), after: .ms(150), attempts: 2))
      #expect(trial.totals == .init(calls: 1, hedges: 1))
      #expect(trial.told == ["hedge 1 after 0.1 seconds"])
      #expect(trial.spent == 1)
    }
  }

  @Test("HG-1: an answer at the instant of the timer is the answer, hedged or not")
  func atOnce() async throws {
    try await withVirtualTime { clock in
      let trial = HedgeTrial(on: clock)
      let ended = await trial.call(.succeed(1, after: .ms(100)), .hang)
      #expect(ended.ending == .value(1))
      #expect(ended.after == .ms(100))
      #expect(clock.sleeperCount == 0)
      #expect(trial.hedge.snapshot().inFlight == 0)
    }
  }

  @Test("HG-1: a failure starts the next attempt at once")
  func fastFailure() async throws {
    try await withVirtualTime { clock in
      let trial = HedgeTrial(on: clock)
      let ended = await trial.call(.fail(Fast(), after: .ms(5)), .succeed(2, after: .ms(10)))
      #expect(ended == Ended(ending: .value(2), after: .ms(15), attempts: 2))
      #expect(
        trial.told == ["hedge 1 after 0.005 seconds", "hedge 1 answered after 0.015 seconds"])
    }
  }

  @Test("HG-1: what all attempts fail with is what the first failed with, though it was the last")
  func allFail() async throws {
    try await withVirtualTime { clock in
      let trial = HedgeTrial(on: clock)
      let ended = await trial.call(.fail(Slow(), after: .ms(300)), .fail(Fast(), after: .ms(10)))
      #expect(ended == Ended(ending: .threw("Slow"), after: .ms(300), attempts: 2))
      let fast = await trial.call(.fail(Fast()), .fail(Slow(), after: .ms(300)))
      #expect(fast == Ended(ending: .threw("Fast"), after: .ms(300), attempts: 2))
      #expect(trial.totals == .init(calls: 2, hedges: 2))
      #expect(
        trial.told == [
          "hedge 1 after 0.1 seconds", "all 2 attempts failed", "hedge 1 after 0.0 seconds",
          "all 2 attempts failed",
        ])
      #expect(trial.spent == 2)
    }
  }

  @Test("HG-1, failsafe Q1: a hedge that fails at once does not fail the call")
  func failingHedge() async throws {
    try await withVirtualTime { clock in
      let trial = HedgeTrial(delay: .fixed(.ms(5)), on: clock)
      let ended = await trial.call(.succeed(1, after: .ms(40)), .fail(Fast()))
      #expect(ended == Ended(ending: .value(1), after: .ms(40), attempts: 2))
    }
  }

  @Test("HG-1, resilience4j 76: neither of the two fails the call by ending first")
  func firstCompletion() async throws {
    try await withVirtualTime { clock in
      let trial = HedgeTrial(on: clock)
      let first = await trial.call(.fail(Slow(), after: .ms(150)), .succeed(2, after: .ms(100)))
      #expect(first == Ended(ending: .value(2), after: .ms(200), attempts: 2))
      let second = await trial.call(.succeed(1, after: .ms(200)), .fail(Fast(), after: .ms(50)))
      #expect(second == Ended(ending: .value(1), after: .ms(200), attempts: 2))
    }
  }

  @Test("HG-1, Polly: a loser that ignores its cancellation does not delay the winner")
  func deafLoser() async throws {
    try await withVirtualTime { clock in
      let trial = HedgeTrial(on: clock)
      let value = try await trial.hedge.run { execution in
        if execution.hedge == 0 { await Body.deafSleep(clock, for: .seconds(60)) }
        return execution.hedge
      }
      #expect(value == 1)
      #expect(clock.now.offset == .ms(100))
      await clock.advance(by: .seconds(60))
      #expect(trial.totals == .init(calls: 1, hedges: 1, wins: 1))
      #expect(trial.told.count == 2)
    }
  }

  @Test("HG-1: each further hedge comes a delay after the one before, up to maxHedges")
  func many() async throws {
    try await withVirtualTime { clock in
      let trial = HedgeTrial(maxHedges: 10, on: clock)
      let script = Script<Int>(
        Array(repeating: .hang, count: 10) + [.succeed(10, after: .ms(1))], clock: clock)
      let ended = await trial.ended(script) { try await trial.hedge.run { try await script() } }
      #expect(ended == Ended(ending: .value(10), after: .ms(1001), attempts: 11))
      #expect(trial.totals == .init(calls: 1, hedges: 10, wins: 1))
      #expect(trial.spent == 9)
      #expect(clock.sleeperCount == 0)
    }
  }

  @Test("HG-1: a hedge that follows a failure gives the next one its whole delay")
  func delayAfterFailure() async throws {
    try await withVirtualTime { clock in
      let trial = HedgeTrial(maxHedges: 2, on: clock)
      let ended = await trial.call(
        .fail(Fast(), after: .ms(60)), .hang, .succeed(3, after: .ms(1)))
      #expect(ended == Ended(ending: .value(3), after: .ms(161), attempts: 3))
      #expect(
        trial.told == [
          "hedge 1 after 0.06 seconds", "hedge 2 after 0.16 seconds",
          "hedge 2 answered after 0.161 seconds",
        ])
    }
  }

  @Test("HG-1: failures one after another start all attempts, and no more")
  func failuresInARow() async throws {
    try await withVirtualTime { clock in
      let trial = HedgeTrial(maxHedges: 3, on: clock)
      let ended = await trial.call(.fail(Slow(), after: .ms(1)), .fail(Fast(), after: .ms(1)))
      #expect(ended == Ended(ending: .threw("Slow"), after: .ms(4), attempts: 4))
      #expect(trial.totals == .init(calls: 1, hedges: 3))
    }
  }

  @Test("HG-1: a value that counts as a failure starts the next, and is returned if all are such")
  func failingValues() async throws {
    try await withVirtualTime { clock in
      let trial = HedgeTrial(on: clock)
      for (values, expected) in [([503, 200], 200), ([503, 504], 503), ([200, 503], 200)] {
        let script = Script(values.map { .succeed($0, after: .ms(10)) }, clock: clock)
        let value = try await trial.hedge.run {
          try await script()
        } failingWhen: {
          $0 >= 500
        }
        #expect(value == expected)
      }
      #expect(trial.totals == .init(calls: 3, hedges: 2, wins: 1))
    }
  }

  @Test("HG-1: a refusal inside starts nothing, and is neutral")
  func refused() async throws {
    try await withVirtualTime { clock in
      let circuit = Circuit(on: clock)
      let trial = HedgeTrial(maxHedges: 2, on: clock)
      circuit.breaker.isolate()
      let pipeline = Pipeline {
        trial.hedge
        circuit.breaker
      }
      do {
        try await pipeline.run {}
        Issue.record("the operation ran")
      } catch { #expect(error is CircuitOpenError) }
      #expect(trial.totals == .init())
      #expect(trial.spent == 0)
      #expect(trial.told == [])
    }
  }

  @Test("HG-1: a hedge that is refused inside costs nothing, and the first attempt answers")
  func refusedHedge() async throws {
    try await withVirtualTime { clock in
      let circuit = Circuit(on: clock)
      let trial = HedgeTrial(on: clock)
      let pipeline = Pipeline {
        trial.hedge
        circuit.breaker
      }
      let value = try await pipeline.run { execution in
        circuit.breaker.isolate()
        try await clock.sleep(for: .ms(150))
        return execution.hedge
      }
      #expect(value == 0)
      #expect(trial.totals == .init(calls: 1, hedges: 1))
      #expect(trial.spent == 0)
    }
  }

  @Test("X-1: an error that counts as a success is the answer; one that is ignored starts nothing")
  func classify() async throws {
    try await withVirtualTime { clock in
      let asked = Shared(0)
      let trial = HedgeTrial(
        classify: { error in
          asked.value += 1
          return error is Fast ? .success : error is Slow ? .ignored : nil
        }, on: clock)
      let answered = await trial.call(.fail(Fast(), after: .ms(5)))
      #expect(answered == Ended(ending: .threw("Fast"), after: .ms(5)))
      #expect(trial.totals == .init(calls: 1))
      let ignored = await trial.call(.fail(Slow(), after: .ms(5)))
      #expect(ignored == Ended(ending: .threw("Slow"), after: .ms(5)))
      #expect(trial.totals == .init(calls: 1))
      #expect(asked.value == 2)
      let failed = await trial.call(.fail(Unavailable()), .succeed(2))
      #expect(failed == Ended(ending: .value(2), after: .zero, attempts: 2))
      #expect(asked.value == 3)
    }
  }
}
