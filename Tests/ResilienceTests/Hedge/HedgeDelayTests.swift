import ResilienceTesting
import Testing

@testable import Resilience

@Suite("HG-2: after what delay calls are hedged", .timeLimit(.minutes(20)))
struct HedgeDelayTests {
  @Test("HG-2: a cold start doubles no call, not even the slowest or those that fail")
  func coldStart() async throws {
    try await withVirtualTime { clock in
      let trial = HedgeTrial(delay: .percentile(), on: clock)
      try await trial.succeed(18, taking: .ms(10))
      let slow = await trial.call(.succeed(1, after: .seconds(60)), .succeed(2))
      #expect(slow == Ended(ending: .value(1), after: .seconds(60)))
      let failed = await trial.call(.fail(Unavailable(), after: .ms(1)), .succeed(2))
      #expect(failed == Ended(ending: .threw("Unavailable"), after: .ms(1)))
      #expect(trial.hedge.snapshot().delay == nil)
      #expect(trial.totals == .init(calls: 20))
      try await trial.succeed(1, taking: .ms(10))
      #expect(trial.hedge.snapshot().delay != nil)
      #expect(trial.told == [])
    }
  }

  @Test("HG-2: from the minimum on, what takes longer than the percentile is hedged")
  func percentile() async throws {
    try await withVirtualTime { clock in
      let trial = HedgeTrial(delay: .percentile(0.9, window: 20, minimum: 10), on: clock)
      for latency in 1...10 { try await trial.succeed(1, taking: .nanoseconds(latency * 100)) }
      #expect(trial.hedge.snapshot().delay == .nanoseconds(900))
      let answered = await trial.call(.succeed(1, after: .nanoseconds(899)))
      #expect(answered.attempts == 1)
      let hedged = await trial.call(.hang, .succeed(2, after: .nanoseconds(100)))
      #expect(hedged == Ended(ending: .value(2), after: .nanoseconds(1000), attempts: 2))
    }
  }

  @Test("HG-2: only successes tell how long calls take, from the start to the first of them")
  func latencies() async throws {
    try await withVirtualTime { clock in
      let trial = HedgeTrial(delay: .percentile(1, window: 10, minimum: 2), on: clock)
      for _ in 0..<20 { _ = await trial.call(.fail(Unavailable(), after: .seconds(9))) }
      #expect(trial.hedge.snapshot().delay == nil)
      try await trial.succeed(2, taking: .nanoseconds(1000))
      #expect(trial.hedge.snapshot().delay == .nanoseconds(1000))
      // A failure at 100 ns, and a hedge that answers 1500 ns later.
      for _ in 0..<10 {
        let script = Script<Int>(
          [.fail(Unavailable(), after: .nanoseconds(100)), .succeed(2, after: .nanoseconds(1500))],
          clock: clock)
        _ = try await trial.hedge.run { try await script() }
      }
      #expect(trial.hedge.snapshot().delay == .nanoseconds(1600))
    }
  }

  @Test("HG-2: a delay of zero starts all attempts at once")
  func zero() async throws {
    try await withVirtualTime { clock in
      let trial = HedgeTrial(delay: .fixed(.zero), maxHedges: 3, on: clock)
      let ended = await trial.call(.hang, .hang, .hang, .succeed(4, after: .ms(1)))
      #expect(ended == Ended(ending: .value(4), after: .ms(1), attempts: 4))
      #expect(trial.told.count == 4)
      #expect(clock.sleeperCount == 0)
    }
  }

  @Test(
    "HG-2: tiny and huge delays are safe",
    arguments: [Duration(attoseconds: 1), .seconds(Int64.max), Duration(attoseconds: .max)])
  func extremes(delay: Duration) async throws {
    try await withVirtualTime { clock in
      let trial = HedgeTrial(delay: .fixed(delay), on: clock)
      let answered = await trial.call(.succeed(1, after: .seconds(1)), .hang)
      #expect(answered.ending == .value(1) && answered.after == .seconds(1))
      let failed = await trial.call(.fail(Unavailable()), .succeed(2, after: .seconds(1)))
      #expect(failed == Ended(ending: .value(2), after: .seconds(1), attempts: 2))
      #expect(clock.sleeperCount == 0)
    }
  }

  @Test("HG-2: an operation that does not suspend is not hedged, and leaves no timer")
  func synchronous() async throws {
    try await withVirtualTime { clock in
      let trial = HedgeTrial(delay: .fixed(Duration(attoseconds: 1)), on: clock)
      for number in 0..<50 {
        #expect(await trial.call(.succeed(number)) == Ended(ending: .value(number), after: .zero))
      }
      #expect(trial.totals == .init(calls: 50))
      #expect(clock.sleeperCount == 0)
    }
  }

  @Test("no hedges at all: the operation runs in the caller's task, and is only measured")
  func none() async throws {
    try await withVirtualTime { clock in
      let trial = HedgeTrial(delay: .fixed(.zero), maxHedges: 0, on: clock)
      let failed = await trial.call(.fail(Unavailable(), after: .seconds(1)), .succeed(2))
      #expect(failed == Ended(ending: .threw("Unavailable"), after: .seconds(1)))
      try await trial.succeed(10, taking: .nanoseconds(1500))
      #expect(trial.hedge.snapshot().median == .nanoseconds(1500))
      #expect(trial.totals == .init(calls: 11))
    }
  }

  @Test("DL-1: after the deadline nothing is hedged, and the call goes on with what it has")
  func deadline() async throws {
    try await withVirtualTime { clock in
      let trial = HedgeTrial(on: clock)
      let script = Script([.succeed(1, after: .ms(150)), .succeed(2)], clock: clock)
      let ended = await trial.ended(script) {
        try await Deadline(in: .ms(50), clock: clock).run {
          try await trial.hedge.run { try await script() }
        }
      }
      #expect(ended == Ended(ending: .value(1), after: .ms(150)))
      #expect(trial.totals == .init(calls: 1))
      #expect(trial.spent == 0)
    }
  }

  @Test("HG-2: a clock that steps back neither traps nor keeps a call from its hedge")
  func stepsBack() async throws {
    try await withVirtualTime { clock in
      let stepping = SteppingClock(base: clock)
      let hedge = Hedge(delay: .fixed(.ms(100)), budget: nil, clock: stepping)
      let script = Script<Int>([.hang, .succeed(2)], clock: clock)
      async let answer = hedge.run { try await script() }
      await clock.advance(by: .ms(50))
      stepping.offset.value = .ms(-1000)
      await clock.advance(by: .seconds(2))
      let value = try await answer
      #expect(value == 2)
      #expect(hedge.snapshot().totals == .init(calls: 1, hedges: 1, wins: 1))
    }
  }
}

/// A clock that somebody steps.
private struct SteppingClock: Clock {
  let base: VirtualClock
  let offset = Shared(Duration.zero)

  var now: VirtualClock.Instant { base.now.advanced(by: offset.value) }
  var minimumResolution: Duration { base.minimumResolution }

  func sleep(until deadline: VirtualClock.Instant, tolerance: Duration?) async throws {
    try await base.sleep(until: deadline.advanced(by: .zero - offset.value), tolerance: tolerance)
  }
}
