import ResilienceTesting
import Testing

@testable import Resilience

@Suite("Rate limiter: its callers give up")
struct RateLimiterCancellationTests {
  @Test("RL-4: ten who gave up cost the next nothing (failsafe P07)")
  func tenWaiters() async throws {
    try await withVirtualTime { clock in
      let gate = Gate(.init(1, per: .milliseconds(50)), maxWait: .seconds(10), on: clock)
      gate.takeAll()
      await withTaskGroup(of: Void.self) { group in
        for name in 1...10 { await group.start(gate, "\(name)") }
        #expect(gate.waiting == 10)
        group.cancelAll()
        await clock.advance(by: .zero)
      }
      #expect(gate.waiting == 0)
      #expect(clock.sleeperCount == 0)
      #expect(gate.takeNotes().count { $0.hasSuffix("cancelled at 0.0") } == 10)
      #expect(gate.totals == .init(admitted: 1, cancelled: 10, noTokens: 1))
      await gate.call("next")
      #expect(gate.takeNotes() == ["next at 0.05"])
    }
  }

  @Test("RL-4: those behind one who gives up move up, wherever he stands", arguments: 0..<3)
  func inTheMiddle(_ index: Int) async throws {
    try await withVirtualTime { clock in
      let gate = Gate(burst: 2, maxWait: .seconds(10), on: clock)
      gate.takeAll()
      await withTaskGroup(of: Void.self) { group in
        var tasks: [Task<Void, Never>] = []
        for name in ["a", "b", "c"] {
          tasks.append(
            Task(executorPreference: clock.executor) { await gate.call(name, 2) })
          await clock.advance(by: .zero)
        }
        await clock.advance(by: .milliseconds(500))
        tasks[index].cancel()
        await clock.advance(by: .seconds(10))
        for task in tasks { await task.value }
      }
      let names = ["a", "b", "c"]
      let served = names.enumerated().filter { $0.offset != index }.map(\.element)
      #expect(
        gate.takeNotes() == [
          "\(names[index]): cancelled at 0.5", "\(served[0]) at 2.0", "\(served[1]) at 4.0",
        ])
      #expect(gate.told.contains("cancelled by its caller"))
    }
  }

  @Test("RL-4: when the first gives up who needs many, the next is served at once")
  func firstNeedsMany() async throws {
    try await withVirtualTime { clock in
      let gate = Gate(burst: 5, maxWait: .seconds(60), on: clock)
      gate.takeAll()
      await withTaskGroup(of: Void.self) { group in
        let first = Task(executorPreference: clock.executor) { await gate.call("five", 5) }
        await clock.advance(by: .zero)
        for name in ["one", "two", "three"] { await group.start(gate, name) }
        await clock.advance(by: .milliseconds(2500))
        first.cancel()
        await clock.advance(by: .zero)
        #expect(
          gate.takeNotes().sorted() == ["five: cancelled at 2.5", "one at 2.5", "two at 2.5"])
        await clock.advance(by: .seconds(1))
        #expect(gate.takeNotes() == ["three at 3.0"])
      }
    }
  }

  @Test("X-1: whom his deadline cancels before he has a token is refused, and opens no breaker")
  func cancelledByDeadline() async throws {
    try await withVirtualTime { clock in
      let breaker = CircuitBreaker("b", tripping: .consecutiveFailures(1), clock: clock)
      let limiter = RateLimiter(.perSecond(1), maxWait: .seconds(9), clock: clock)
      let timeout = Timeout(.seconds(1), clock: clock)
      do {
        try await timeout.run {
          try? await clock.sleep(for: .seconds(5))
          try await breaker.run { try await limiter.run {} }
        }
        Issue.record("it was not refused")
      } catch let error as TimeoutError {
        #expect((error.underlying as? RateLimitedError)?.reason == .deadlineExpired)
      }
      #expect(breaker.snapshot().counts == .init(ignored: 1))
      #expect(limiter.snapshot().totals == .init(deadlineExpired: 1))
      #expect(limiter.tryAcquire())
    }
  }

  @Test("X-1: whom his deadline cancels while he waits is refused as well")
  func cancelledInLine() async {
    // A timeout on another clock, whose timer comes before the limiter's.
    let (clock, other) = (VirtualClock(), VirtualClock())
    let breaker = CircuitBreaker("a", tripping: .consecutiveFailures(1), clock: clock)
    let limiter = RateLimiter(.perSecond(1), maxWait: .seconds(10), clock: clock)
    #expect(limiter.tryAcquire())
    let call = Task {
      try await Deadline(in: .seconds(5), clock: other).run {
        try await breaker.run { try await limiter.run { Issue.record("the operation ran") } }
      }
    }
    while limiter.snapshot().waiting == 0 { await Task.yield() }
    let passDeadline = { @Sendable in other.advance(by: .seconds(5)) as Void }
    passDeadline()
    call.cancel()
    let result = await call.result
    #expect(throws: RateLimitedError.self) { try result.get() }
    #expect(breaker.snapshot().counts == .init(ignored: 1))
    #expect(limiter.snapshot().totals == .init(admitted: 1, deadlineExpired: 1))
  }

  @Test("X-4: who is cancelled before he comes takes nothing")
  func before() async throws {
    try await withVirtualTime { clock in
      let gate = Gate(burst: 2, on: clock)
      let ran = Shared(false)
      let task = Task(executorPreference: clock.executor) {
        unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
        await #expect(throws: CancellationError.self) { try await gate.limiter.acquire() }
        await #expect(throws: CancellationError.self) {
          try await gate.limiter.run { ran.value = true }
        }
      }
      await task.value
      #expect(!ran.value)
      #expect(gate.available == 2)
      #expect(gate.totals == .init(cancelled: 2))
    }
  }

  /// Whether somebody else has taken a token before the cancelled one goes on.
  enum Meanwhile: CaseIterable { case nobody, somebody, drained, changed }

  @Test(
    "X-4: who is cancelled just when he was served gives it back, unless somebody came after him",
    arguments: Meanwhile.allCases)
  func servedAndCancelled(_ meanwhile: Meanwhile) async throws {
    try await withVirtualTime { clock in
      let gate = Gate(burst: 3, maxWait: .seconds(10), on: clock)
      gate.takeAll()
      let first = Task(executorPreference: clock.executor) { await gate.call("three", 3) }
      await clock.advance(by: .zero)
      let ran = Shared(false)
      let task = Task(executorPreference: clock.executor) {
        try await gate.limiter.run { ran.value = true }
      }
      await clock.advance(by: .milliseconds(2500))
      // Serves the second, who is ready then, and runs only when this suspends.
      first.cancel()
      #expect(gate.available == 1)
      switch meanwhile {
      case .nobody: break
      case .somebody: #expect(gate.limiter.tryAcquire())
      case .drained: gate.limiter.drain()
      case .changed: gate.limiter.setRate(.perSecond(1), burst: 4)
      }
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
      await first.value
      #expect(!ran.value)
      #expect(gate.available == (meanwhile == .nobody ? 2 : meanwhile == .changed ? 1 : 0))
      #expect(gate.totals.cancelled == 2)
      #expect(gate.totals.waited == 0)
    }
  }

  @Test("X-4: a grant is undone if nobody has been granted anything since, and not otherwise")
  func undo() {
    let pace = RateLimiter.Pace(.perSecond(1), burst: 2)
    var bucket = RateLimiter.Bucket(pace, at: 0)
    let grant = Self.grant(of: 2, from: &bucket, at: 0)
    bucket.undo(grant)
    #expect(bucket.available(at: 0) == 2)
    bucket.undo(grant)
    #expect(bucket.available(at: 0) == 2)

    // Full in between: a token given back would be one too many.
    let later: Int64 = 10_000_000_000
    let first = Self.grant(of: 1, from: &bucket, at: 0)
    let last = Self.grant(of: 2, from: &bucket, at: later)
    bucket.undo(first)
    #expect(bucket.available(at: later) == 0)

    bucket.change(to: RateLimiter.Pace(.perSecond(1), burst: 2), at: later)
    bucket.undo(last)
    #expect(bucket.available(at: later) == 0)
  }

  private static func grant(
    of tokens: Int, from bucket: inout RateLimiter.Bucket, at now: Int64
  ) -> RateLimiter.Grant {
    let isThere = bucket.take(tokens, at: now)
    #expect(isThere)
    return RateLimiter.Grant(of: tokens, from: bucket)
  }

  @Test("X-4: cancelled at any instant, nobody is lost and nothing is held", arguments: 0..<40)
  func anyInstant(_ seed: Int) async throws {
    try await withVirtualTime { clock in
      var dice = Dice(seed: UInt64(seed))
      let gate = Gate(.perSecond(10), burst: 3, maxWait: .seconds(2), on: clock)
      var tasks: [Task<Void, Never>] = []
      for name in 0..<60 {
        let tokens = Int.random(in: 1...3, using: &dice)
        tasks.append(
          Task(executorPreference: clock.executor) { await gate.call("\(name)", tokens) })
        await clock.advance(by: .milliseconds(Int.random(in: 0...2, using: &dice) * 50))
        if Bool.random(using: &dice) { tasks.randomElement(using: &dice)?.cancel() }
      }
      await clock.advance(by: .seconds(10))
      for task in tasks { await task.value }
      let totals = gate.totals
      #expect(gate.takeNotes().count == 60)
      #expect(totals.admitted + totals.cancelled + totals.rejected == 60)
      #expect(gate.waiting == 0)
      #expect(gate.available == 3)
      #expect(clock.sleeperCount == 0)
    }
  }
}
