import ResilienceTesting
import Testing

@testable import Resilience

@Suite("TO-4: the timers that all calls share", .timeLimit(.minutes(20)))
struct TimersTests {
  /// The clocks on which timers behave alike.
  enum Kind: CaseIterable, Sendable {
    /// Calls timers by itself.
    case scheduling
    /// Has a task that sleeps.
    case plain

    func timers(_ clock: VirtualClock) -> Timers {
      switch self {
      case .scheduling: Timers(on: clock)
      case .plain: Timers(on: PlainClock(clock))
      }
    }
  }

  @Test(
    "they fire at their instants, first come first served among equals", arguments: Kind.allCases)
  func order(_ kind: Kind) async throws {
    try await withVirtualTime { clock in
      let (timers, log) = (kind.timers(clock), Shared<[Int]>([]))
      for (number, second) in [3, 1, 2, 1, 3, 5].enumerated() {
        _ = timers.set(Alarm(number, log: log), at: .seconds(Int64(second)))
      }
      let expected = [[], [1, 3], [1, 3, 2], [1, 3, 2, 0, 4], [1, 3, 2, 0, 4]]
      for (second, fired) in expected.enumerated() {
        await clock.advance(to: .init(offset: .seconds(second)))
        #expect(log.value == fired)
      }
      await clock.advance(by: .seconds(1))
      #expect(log.value == [1, 3, 2, 0, 4, 5])
      #expect(timers.count == 0 && clock.sleeperCount == 0)
      #expect(clock.foreignEnqueues == 0)
    }
  }

  @Test(
    "one whose instant has passed fires soon, without the time moving", arguments: Kind.allCases)
  func past(_ kind: Kind) async throws {
    try await withVirtualTime { clock in
      await clock.advance(by: .seconds(5))
      let timers = kind.timers(clock)
      for instant in [Int64.min, -1, 0] {
        let alarm = Alarm()
        let token = timers.set(alarm, at: instant)
        await clock.advance(by: .zero)
        #expect(alarm.calls == 1)
        timers.cancel(token)
      }
      #expect(clock.now.offset == .seconds(5))
    }
  }

  @Test(
    "one that was taken back never fires; taking it back again does nothing",
    arguments: Kind.allCases)
  func cancel(_ kind: Kind) async throws {
    try await withVirtualTime { clock in
      let timers = kind.timers(clock)
      let (cancelled, kept) = (Alarm(), Alarm())
      let token = timers.set(cancelled, at: .seconds(1))
      let other = timers.set(kept, at: .seconds(1))
      timers.cancel(token)
      timers.cancel(token)
      await clock.advance(by: .seconds(2))
      timers.cancel(other)
      #expect(cancelled.calls == 0 && kept.calls == 1)
      #expect(timers.count == 0 && clock.sleeperCount == 0)
    }
  }

  @Test("a burst of more than one batch fires at one instant, in order", arguments: Kind.allCases)
  func burst(_ kind: Kind) async throws {
    try await withVirtualTime { clock in
      let (timers, log) = (kind.timers(clock), Shared<[Int]>([]))
      for number in 0..<1_000 { _ = timers.set(Alarm(number, log: log), at: .seconds(1)) }
      await clock.advance(by: .seconds(1))
      #expect(log.value == Array(0..<1_000))
      #expect(clock.sleeperCount == 0)
    }
  }

  // MARK: - The task that sleeps

  @Test("one task sleeps, however many timers are set, and earlier and earlier ones")
  func oneTask() async throws {
    try await withVirtualTime { clock in
      let (timers, log) = (Timers(on: PlainClock(clock)), Shared<[Int]>([]))
      for second in (1...100).reversed() {
        _ = timers.set(Alarm(second, log: log), at: .seconds(Int64(second)))
        if second.isMultiple(of: 10) { await clock.advance(by: .zero) }
      }
      await clock.advance(by: .zero)
      #expect(clock.sleeperCount == 1)
      await clock.advance(by: .milliseconds(99_500))
      #expect(clock.sleeperCount == 1)
      await clock.advance(by: .seconds(1))
      #expect(log.value == Array(1...100))
      #expect(clock.sleeperCount == 0)
      #expect(clock.foreignEnqueues == 0)
    }
  }

  @Test("the task ends with the last timer, or where that would have been, and another begins")
  func restarts() async throws {
    try await withVirtualTime { clock in
      let timers = Timers(on: PlainClock(clock))
      for _ in 0..<3 {
        let start = clock.now.offset.saturatingNanoseconds
        let (alarm, taken) = (Alarm(), Alarm())
        _ = timers.set(alarm, at: start + .seconds(1))
        let token = timers.set(taken, at: start + .seconds(2))
        await clock.advance(by: .seconds(1))
        #expect(alarm.calls == 1 && clock.sleeperCount == 1)
        timers.cancel(token)
        #expect(timers.count == 0)
        await clock.advance(by: .seconds(1))
        #expect(taken.calls == 0 && clock.sleeperCount == 0)
      }
    }
  }

  @Test("a timeout for each call on a clock of somebody else leaves nobody asleep")
  func timeoutForEachCall() async throws {
    try await withVirtualTime { clock in
      for _ in 0..<100 {
        let timeout = Timeout(.seconds(60), clock: PlainClock(clock))
        try await timeout.run { try await clock.sleep(for: .milliseconds(1)) }
      }
      await clock.advance(by: .milliseconds(1))
      #expect(clock.sleeperCount == 0)
    }
  }

  @Test("nobody sleeps for a timer that never comes")
  func never() async throws {
    try await withVirtualTime { clock in
      let timers = Timers(on: PlainClock(clock))
      let alarm = Alarm()
      let token = timers.set(Alarm(), at: .max)
      await clock.advance(by: .zero)
      #expect(clock.sleeperCount == 0)
      _ = timers.set(alarm, at: .seconds(1))
      await clock.advance(by: .seconds(2))
      #expect(alarm.calls == 1 && timers.count == 1 && clock.sleeperCount == 0)
      timers.cancel(token)
      #expect(timers.count == 0)
    }
  }

  @Test("a hundred thousand timers, set and taken back in any order, wake nobody")
  func many() async throws {
    try await withVirtualTime { clock in
      var dice = Dice(seed: 3)
      let (timers, alarm) = (Timers(on: PlainClock(clock)), Alarm())
      // Nobody needs to wake earlier than for this one.
      _ = timers.set(alarm, at: .seconds(1))
      var tokens = (0..<100_000).map { _ in
        timers.set(alarm, at: .seconds(Int64.random(in: 2...1_000, using: &dice)))
      }
      tokens.shuffle(using: &dice)
      await clock.advance(by: .zero)
      #expect(timers.count == 100_001 && clock.sleeperCount == 1)
      for token in tokens { timers.cancel(token) }
      #expect(timers.count == 1 && clock.sleeperCount == 1)
      await clock.advance(by: .seconds(2_000))
      #expect(alarm.calls == 1 && clock.sleeperCount == 0)
    }
  }

  /// Runs each job where it is made ready, before that returns.
  final class InlineExecutor: TaskExecutor {
    func enqueue(_ job: consuming ExecutorJob) {
      // Run once, here; the executor outlives it, since it is being called.
      unsafe UnownedJob(job).runSynchronously(on: asUnownedTaskExecutor())
    }
  }

  @Test("a task that ends before whoever started it has gone on leaves no other one asleep")
  func endsAtOnce() async throws {
    let (clock, executor, alarm) = (VirtualClock(), InlineExecutor(), Alarm())
    let timers = Timers(on: PlainClock(clock))
    await Task(executorPreference: executor) {
      timers.cancel(timers.set(Alarm(), at: .seconds(100)))
      #expect(clock.sleeperCount == 1)
      clock.jump(by: .seconds(60))
      _ = timers.set(alarm, at: .seconds(50))
    }.value
    #expect(alarm.calls == 1 && timers.count == 0)
    #expect(clock.sleeperCount == 0)
  }

  // MARK: - Clocks of all sorts

  @Test(
    "a clock that refuses to wait once: the next timer that is set brings back the earlier ones")
  func refusing() async throws {
    try await withVirtualTime { clock in
      let log = Shared<[Int]>([])
      let timers = Timers(on: OddClock(clock, refusals: 1))
      _ = timers.set(Alarm(1, log: log), at: .seconds(1))
      await clock.advance(by: .zero)
      #expect(clock.sleeperCount == 0)
      _ = timers.set(Alarm(5, log: log), at: .seconds(5))
      await clock.advance(by: .seconds(1))
      #expect(log.value == [1])
      await clock.advance(by: .seconds(4))
      #expect(log.value == [1, 5] && clock.sleeperCount == 0)
    }
  }

  @Test(
    "a clock that swallows cancellation is not asked again and again by a task that was replaced")
  func swallowing() async throws {
    try await withVirtualTime { clock in
      let log = Shared<[Int]>([])
      let timers = Timers(on: OddClock(clock, swallowsCancellation: true))
      for second in [3, 2, 1] {
        _ = timers.set(Alarm(second, log: log), at: .seconds(Int64(second)))
        await clock.advance(by: .zero)
      }
      #expect(clock.sleeperCount == 1)
      await clock.advance(by: .seconds(3))
      #expect(log.value == [1, 2, 3] && clock.sleeperCount == 0)
    }
  }

  @Test("a clock that is set back makes nothing fire before its instant")
  func setBack() async throws {
    try await withVirtualTime { clock in
      let (odd, alarm) = (OddClock(clock), Alarm())
      let timers = Timers(on: odd)
      _ = timers.set(alarm, at: .seconds(10))
      await clock.advance(by: .seconds(5))
      odd.step(by: .seconds(-3))
      await clock.advance(by: .seconds(8) - .nanoseconds(1))
      #expect(alarm.calls == 0)
      await clock.advance(by: .nanoseconds(1))
      #expect(alarm.calls == 1 && clock.sleeperCount == 0)
    }
  }

  @Test("a clock that is put forward makes all fire that it has passed, at the next look")
  func putForward() async throws {
    try await withVirtualTime { clock in
      let (odd, log) = (OddClock(clock), Shared<[Int]>([]))
      let timers = Timers(on: odd)
      for second in [10, 20, 300] {
        _ = timers.set(Alarm(second, log: log), at: .seconds(Int64(second)))
      }
      await clock.advance(by: .seconds(5))
      odd.step(by: .seconds(100))
      await clock.advance(by: .seconds(5))
      #expect(log.value == [10, 20])
      await clock.advance(by: .seconds(190))
      #expect(log.value == [10, 20, 300])
    }
  }

  @Test("a timeout on a clock of somebody else is deterministic in virtual time")
  func timeout() async throws {
    try await withVirtualTime { clock in
      let timeout = Timeout(.seconds(2), clock: PlainClock(clock))
      let abandoning = AbandoningTimeout(.seconds(2), clock: PlainClock(clock))
      let body = Body(manner: .obeys, clock: clock)
      #expect(
        await Ending.of { try await timeout.run { try await body() } }
          == .timedOut(.seconds(2), underlying: "CancellationError"))
      #expect(clock.now.offset == .seconds(2))
      #expect(
        await Ending.of { try await abandoning.run { try await body() } }
          == .timedOut(.seconds(2), underlying: "nothing"))
      #expect(clock.now.offset == .seconds(4))
      #expect(clock.foreignEnqueues == 0)
    }
  }

  @Test("a timer far away does not keep a process alive")
  func exits() async {
    await #expect(processExitsWith: .success) {
      _ = Timers.continuous.set(Alarm(), at: Timers.continuous.source.now() + .seconds(86_400))
      _ = Timers(on: PlainClock(ContinuousClock())).set(Alarm(), at: .seconds(86_400))
      await Task.yield()
    }
  }
}
