import Resilience
import ResilienceTesting
import Testing

/// How a loop ends: with the body, with its cancellation, or without it.
@Suite("withVirtualTime, at its end")
struct RunLoopEndingTests {
  @Test("the body's value and the body's error pass through")
  func passesThrough() async throws {
    #expect(try await withVirtualTime { _ in 42 } == 42)
    await #expect(throws: Mishap(number: 7)) {
      try await withVirtualTime { clock in
        try await clock.sleep(for: .seconds(1))
        throw Mishap(number: 7)
      }
    }
  }

  @Test("a body that waits for what is never resumed is in a deadlock, and cancelled")
  func deadlock() async throws {
    let trace = Trace()
    let error = await #expect(throws: VirtualTimeError.self) {
      try await withVirtualTime(grace: .milliseconds(1)) { clock in
        try await clock.sleep(for: .seconds(3))
        do {
          try await Script<Void>([.hang], clock: clock)()
        } catch {
          await clock.advance(by: .seconds(1))
          trace("cleaned up at \(clock.now)")
          throw error
        }
      }
    }
    #expect(error?.reason == .deadlock)
    #expect(error?.now.offset == .seconds(3))
    #expect(error?.sleepers == [])
    #expect(error?.foreignEnqueues == 0)
    #expect(trace.all == ["cleaned up at 4.0 seconds"])
    let jobs = try #require(error?.jobs)
    #expect(
      error?.description == """
        Deadlock in virtual time: the body has not ended, nothing is ready, and no timer is set.
          now: 3.0 seconds after the start; jobs run: \(jobs); made ready from outside the loop: 0
          sleepers: none
          Either a continuation is never resumed, or the body awaits something outside the loop: \
        Task { }, Task.detached, Task.immediate after its first suspension, an actor with an \
        executor of its own, the main actor, a real sleep, or another thread.
        """)
  }

  @Test(
    "a grace of any length stops no program",
    arguments: [Duration(attoseconds: .min), .seconds(-1), .zero])
  func extremeGrace(grace: Duration) async {
    await #expect(throws: VirtualTimeError.self) {
      try await withVirtualTime(grace: grace) { _ in
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        for await _ in stream {}
        continuation.finish()
      }
    }
  }

  @Test("a deadlock of a body that does not heed its cancellation is reported, too")
  func deafDeadlock() async {
    let parked = Lock<CheckedContinuation<Void, Never>?>(nil)
    let trace = Trace()
    await #expect(throws: VirtualTimeError.self) {
      try await withVirtualTime(grace: .zero) { _ in
        await withCheckedContinuation { continuation in
          parked.withLock { $0 = continuation }
        }
        trace("late")
      }
    }
    #expect(trace.all == [])
    parked.withLock { $0.take() }?.resume()
    // Once it is resumed it still runs, on the default executor.
    while trace.all.isEmpty { await Task.yield() }
    #expect(trace.all == ["late"])
  }

  @Test("under .manually nobody may forget to advance")
  func forgottenAdvance() async throws {
    let trace = Trace()
    let error = await #expect(throws: VirtualTimeError.self) {
      try await withVirtualTime(.manually, grace: .zero) { clock in
        await withTaskGroup { group in
          for second in 1...10 {
            group.addTask { try? await wait(second, "", clock, trace) }
          }
        }
      }
    }
    #expect(error?.now == .start)
    #expect(error?.sleepers.map(\.offset) == (1...10).map { .seconds($0) })
    let description = try #require(error?.description)
    #expect(description.contains("nobody advances the clock"))
    #expect(
      description.contains(
        "sleepers: 10 (until 1.0 seconds, until 2.0 seconds, until 3.0 seconds, until 4.0 seconds, "
          + "until 5.0 seconds, until 6.0 seconds, until 7.0 seconds, until 8.0 seconds, and 2 more)"
      ))
  }

  @Test("what repeats for ever ends at the job limit")
  func jobLimit() async {
    let error = await #expect(throws: VirtualTimeError.self) {
      try await withVirtualTime(jobLimit: 1_000) { clock in
        while true { try await clock.sleep(for: .seconds(1)) }
      }
    }
    #expect(error?.reason == .jobLimit)
    #expect(error?.jobs == 1_000)
    #expect(error?.description.contains("within the job limit") == true)

    await #expect(throws: VirtualTimeError.self) {
      try await withVirtualTime(jobLimit: 1_000) { _ in
        while !Task.isCancelled { await Task.yield() }
      }
    }
    for limit in [0, -1] {
      await #expect(throws: VirtualTimeError.self) {
        try await withVirtualTime(jobLimit: limit) { _ in }
      }
    }
  }

  @Test("cancelling the caller cancels the body")
  func cancelled() async {
    let (started, start) = AsyncStream<Void>.makeStream()
    let task = Task {
      try await withVirtualTime(.manually, grace: .seconds(60)) { clock in
        start.finish()
        try await clock.sleep(for: .seconds(1))
      }
    }
    for await _ in started {}
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }

    let late = Task {
      unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
      return try await withVirtualTime { _ in Task.isCancelled }
    }
    #expect(await late.result.isTrue)
  }

  @Test("tasks that the body leaves behind run until nothing is ready, and can be advanced later")
  func leftBehind() async throws {
    let trace = Trace()
    let (clock, left) = try await withVirtualTime { clock in
      let left = Task(executorPreference: clock.executor) {
        await Task.yield()
        trace("ready")
        try await wait(5, "left", clock, trace)
      }
      return (clock, left)
    }
    #expect(trace.all == ["ready"])
    #expect(clock.now == .start)
    await clock.advance(by: .seconds(5))
    try await left.value
    #expect(trace.all == ["ready", "left at 5.0 seconds"])
    #expect(clock.foreignEnqueues == 0)
  }

  @Test("an advance that the body leaves behind moves the clock itself")
  func advanceLeftBehind() async throws {
    let trace = Trace()
    let clock = try await withVirtualTime(.manually) { clock in
      _ = Task(executorPreference: clock.executor) {
        trace("begun")
        await clock.advance(by: .seconds(5))
        trace("advanced to \(clock.now)")
      }
      return clock
    }
    #expect(trace.all == ["begun", "advanced to 5.0 seconds"])
    #expect(clock.now.offset == .seconds(5))
  }

  @Test("a task that the body leaves spinning does not keep the loop")
  func spinnerLeftBehind() async throws {
    try await withVirtualTime(jobLimit: .max) { clock in
      _ = Task(executorPreference: clock.executor) {
        while true { await Task.yield() }
      }
    }
  }
}

extension Result where Success == Bool {
  var isTrue: Bool { (try? get()) == true }
}
