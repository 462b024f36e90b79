import ResilienceTesting
import Testing

@Suite("VirtualClock, without a loop")
struct VirtualClockTests {
  let clock = VirtualClock()

  /// Starts a task that sleeps so long and then leaves its name.
  func sleeper(_ name: String, _ duration: Duration, _ trace: Trace) async -> Task<Void, any Error>
  {
    let before = clock.sleeperCount
    let task = Task { [clock] in
      try await clock.sleep(for: duration)
      trace("\(name) at \(clock.now)")
    }
    await clock.sleepers(atLeast: before + 1)
    return task
  }

  @Test("it starts at zero and only advances forward")
  func advances() {
    #expect(clock.now == .start)
    clock.advance(by: .seconds(2))
    #expect(clock.now.offset == .seconds(2))
    clock.advance(by: .seconds(-5))
    #expect(clock.now.offset == .seconds(2))
    clock.advance(to: .start)
    #expect(clock.now.offset == .seconds(2))
    clock.advance(by: Duration(attoseconds: .max))
    #expect(clock.now.offset == Duration(attoseconds: .max))
    clock.advance(by: .seconds(1))
    #expect(clock.now.offset == Duration(attoseconds: .max))
    #expect(clock.foreignEnqueues == 0)
  }

  @Test("the asynchronous advance does the same where no loop drives the clock")
  func advancesAsynchronously() async throws {
    let trace = Trace()
    let task = await sleeper("a", .seconds(1), trace)
    await clock.advance(by: .seconds(3))
    #expect(clock.now.offset == .seconds(3))
    try await task.value
    #expect(trace.all == ["a at 3.0 seconds"])
    await clock.advance(to: .start)
    #expect(clock.now.offset == .seconds(3))
  }

  @Test("it can be passed on as any Clock<Duration>")
  func existential() async throws {
    let any: any Clock<Duration> = clock
    let task = Task { try await any.sleep(for: .seconds(1)) }
    await clock.sleepers(atLeast: 1)
    await clock.advance(by: .seconds(1))
    try await task.value
    #expect(any.minimumResolution == Duration(attoseconds: 1))
  }

  @Test("only sleepers whose instant is reached wake up, exactly at it")
  func wakesAtTheInstant() async throws {
    let trace = Trace()
    let late = await sleeper("late", .seconds(2), trace)
    let early = await sleeper("early", .seconds(1), trace)
    await clock.advance(by: .seconds(1) - .nanoseconds(1))
    #expect(clock.sleeperCount == 2)
    await clock.advance(by: .nanoseconds(1))
    #expect(clock.sleeperCount == 1)
    try await early.value
    await clock.advance(by: .seconds(1))
    try await late.value
    #expect(trace.all == ["early at 1.0 seconds", "late at 2.0 seconds"])
  }

  @Test(
    "a deadline that is not in the future does not wait",
    arguments: [.zero, .seconds(-1), Duration(attoseconds: .min)])
  func past(duration: Duration) async throws {
    await clock.advance(by: .seconds(1))
    try await clock.sleep(for: duration)
    try await clock.sleep(until: .start, tolerance: .seconds(1))
    #expect(clock.sleeperCount == 0)
  }

  @Test("the longest wait ends at the end of time")
  func longest() async throws {
    await clock.advance(by: .seconds(1))
    let trace = Trace()
    let task = await sleeper("a", Duration(attoseconds: .max), trace)
    await clock.advance(by: .seconds(Int64.max))
    #expect(clock.sleeperCount == 1)
    await clock.advance(by: Duration(attoseconds: .max))
    try await task.value
  }

  @Test("a sleeper that is cancelled leaves at once and throws")
  func cancelledDuring() async {
    let trace = Trace()
    let task = await sleeper("a", .seconds(1), trace)
    let other = await sleeper("b", .seconds(1), trace)
    task.cancel()
    #expect(clock.sleeperCount == 1)
    await #expect(throws: CancellationError.self) { try await task.value }
    await clock.advance(by: .seconds(1))
    await #expect(throws: Never.self) { try await other.value }
    #expect(trace.all == ["b at 1.0 seconds"])
  }

  @Test("who is cancelled already does not go to sleep, past deadline or not")
  func cancelledBefore() async {
    for duration in [Duration.seconds(1), .zero] {
      let task = Task { [clock] in
        unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
        try await clock.sleep(for: duration)
      }
      await #expect(throws: CancellationError.self) { try await task.value }
    }
    #expect(clock.sleeperCount == 0)
  }

  @Test("cancelling who has been resumed changes nothing")
  func cancelledAfter() async throws {
    let trace = Trace()
    let task = await sleeper("a", .seconds(1), trace)
    await clock.advance(by: .seconds(1))
    task.cancel()
    try await task.value
    #expect(trace.all == ["a at 1.0 seconds"])
  }

  @Test("cancellation races with going to sleep and with waking up, and nobody is left")
  func cancellationRaces() async {
    await withTaskGroup { group in
      for index in 0..<2_000 {
        group.addTask { [clock] in
          let task = Task { try await clock.sleep(for: .milliseconds(index % 7)) }
          if index % 3 == 0 { await Task.yield() }
          if index % 2 == 0 { await clock.advance(by: .milliseconds(1)) }
          task.cancel()
          _ = await task.result
        }
      }
    }
    #expect(clock.sleeperCount == 0)
  }

  @Test("sleepers(atLeast:) returns when so many are asleep at once")
  func arrivals() async throws {
    await clock.sleepers(atLeast: 0)
    await clock.sleepers(atLeast: -1)
    let trace = Trace()
    let waiting = Task { [clock] in
      await clock.sleepers(atLeast: 3)
      return clock.sleeperCount
    }
    var tasks: [Task<Void, any Error>] = []
    for name in ["a", "b", "c"] { tasks.append(await sleeper(name, .seconds(1), trace)) }
    #expect(await waiting.value == 3)
    await clock.sleepers(atLeast: 3)
    await clock.advance(by: .seconds(1))
    for task in tasks { try await task.value }
  }

  @Test("sleepers(atLeast:) returns early when it is cancelled, before and during")
  func arrivalsCancelled() async {
    let waiting = Task { [clock] in await clock.sleepers(atLeast: 1) }
    await Task.yield()
    waiting.cancel()
    await waiting.value
    await Task { [clock] in
      unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
      await clock.sleepers(atLeast: 1)
    }.value
    #expect(clock.sleeperCount == 0)
  }

  @Test("a sleeper keeps its actor", .timeLimit(.minutes(20)))
  func keepsItsActor() async throws {
    try await Home().check(clock)
  }

  actor Home {
    // The bodies do not mention `self`: that would isolate them, whatever the clock does.
    func check(_ clock: VirtualClock) async throws {
      let me: any Actor = self
      let task = Task { [clock] in
        await clock.sleepers(atLeast: 1)
        await clock.advance(by: .seconds(1))
      }
      try await clock.sleep(for: .seconds(1))
      me.preconditionIsolated()
      try await clock.sleep(for: .zero)
      me.preconditionIsolated()
      await clock.advance(by: .seconds(1))
      me.preconditionIsolated()
      await clock.sleepers(atLeast: 0)
      me.preconditionIsolated()
      await task.value
      me.preconditionIsolated()
    }
  }
}
