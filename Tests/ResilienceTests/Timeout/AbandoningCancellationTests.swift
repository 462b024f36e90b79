import ResilienceTesting
import Testing

@testable import Resilience

@Suite("TO-6, X-4: abandoned by a caller that is cancelled", .timeLimit(.minutes(20)))
struct AbandoningCancellationTests {
  /// Times in quarters of a second; the body takes sixteen.
  struct Outcome: Hashable, Sendable {
    let ending: Ending
    let ends: Duration
    let abandoned: Int
    let counts: [Int]
  }

  static func outcome(
    _ manner: Body.Manner, limit: Int, cancellation: Int
  ) async throws -> Outcome {
    try await withVirtualTime { clock in
      let timeout = AbandoningTimeout(.milliseconds(250 * limit), clock: clock)
      let call = Task(executorPreference: clock.executor) {
        let ending = await Ending.of {
          try await timeout.run { try await Body(manner: manner, clock: clock)() }
        }
        let snapshot = timeout.snapshot()
        return Outcome(
          ending: ending, ends: clock.now.offset, abandoned: snapshot.abandoned,
          counts: [snapshot.timedOut, snapshot.cancelled])
      }
      if cancellation > 0 { await clock.advance(by: .milliseconds(250 * cancellation)) }
      call.cancel()
      let outcome = await call.value
      await clock.advance(by: .seconds(10))
      #expect(timeout.snapshot().abandoned == 0)
      #expect(clock.sleeperCount == 0)
      #expect(clock.foreignEnqueues == 0)
      return outcome
    }
  }

  @Test(
    "wherever it strikes, the caller goes on at once, and no count is left",
    arguments: [Body.Manner.obeys, .deaf, .deafAndFails])
  func everywhere(_ manner: Body.Manner) async throws {
    for limit in [2, 6, 10, 14, 18] {
      for cancellation in [0, 3, 7, 11, 15, 19] {
        let outcome = try await Self.outcome(manner, limit: limit, cancellation: cancellation)
        let first = min(limit, cancellation, 16)
        let isCancelled = first == cancellation
        let isTimedOut = first == limit
        let ending: Ending =
          isCancelled
          ? .cancelled
          : isTimedOut
            ? .timedOut(.milliseconds(250 * limit), underlying: "nothing")
            : manner == .deafAndFails ? .threw("Complaint") : .value(4)
        // One that was cancelled before it began has not run.
        let hasRun = cancellation > 0
        let expected = Outcome(
          ending: ending, ends: .milliseconds(250 * first),
          abandoned: hasRun && first < 16 ? 1 : 0,
          counts: [isTimedOut ? 1 : 0, isCancelled && hasRun ? 1 : 0])
        #expect(outcome == expected, "limit \(limit), cancellation \(cancellation)")
      }
    }
  }

  @Test("a caller that is cancelled already does not run its body")
  func cancelledBefore() async {
    let timeout = AbandoningTimeout(.seconds(600))
    let call = Task {
      unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
      return await Ending.of {
        try await timeout.run {
          Issue.record("the body ran")
          return 1
        }
      }
    }
    #expect(await call.value == .cancelled)
    #expect(timeout.snapshot() == AbandoningTimeoutTests.snapshot(limit: .seconds(600)))
  }

  /// Runs a job when it is told to.
  final class HeldExecutor: TaskExecutor {
    private let jobs = Shared<[UnownedJob]>([])

    func enqueue(_ job: consuming ExecutorJob) {
      jobs.value.append(UnownedJob(job))
    }

    func runNext() {
      guard let job = jobs.value.first else { return }
      jobs.value.removeFirst()
      // Run once: it has been taken out; the executor outlives it, since it is being called.
      unsafe job.runSynchronously(on: asUnownedTaskExecutor())
    }
  }

  @Test("an operation that is abandoned before it has begun does not begin")
  func notBegun() async {
    let (clock, recorder, executor) = (VirtualClock(), EventRecorder(), HeldExecutor())
    let timeout = AbandoningTimeout(.seconds(2), clock: clock, observers: [recorder])
    let ending = Shared<Ending?>(nil)
    _ = Task(executorPreference: executor) {
      ending.value = await Ending.of {
        try await timeout.run {
          Issue.record("the body ran")
          return 1
        }
      }
    }
    // Until the call waits; then its body is ready, but it is not the body's turn yet.
    while clock.sleeperCount == 0 { executor.runNext() }
    clock.jump(by: .seconds(2))
    #expect(timeout.snapshot() == AbandoningTimeoutTests.snapshot(abandoned: 1, timedOut: 1))
    for _ in 0..<20 { executor.runNext() }
    #expect(ending.value == .timedOut(.seconds(2), underlying: "nothing"))
    #expect(timeout.snapshot() == AbandoningTimeoutTests.snapshot(timedOut: 1))
    #expect(
      recorder.events(of: AbandoningTimeout.Event.self).map(\.kind.description)
        == ["abandoned after 2.0 seconds", "an abandoned operation ended"])
  }

  @Test("TO-3: at one instant the caller's cancellation wins, whichever came first")
  func atOnce() async throws {
    for isCancelledFirst in [false, true] {
      try await withVirtualTime { clock in
        let recorder = EventRecorder()
        let timeout = AbandoningTimeout(.seconds(1), clock: clock, observers: [recorder])
        let task = Shared<Task<Ending, Never>?>(nil)
        func cancelAtTheLimit() {
          _ = clock.schedule(at: .init(offset: .seconds(1))) { task.value?.cancel() }
        }
        if isCancelledFirst { cancelAtTheLimit() }
        let call = Task(executorPreference: clock.executor) {
          await Ending.of {
            try await timeout.run { try await Body(manner: .deaf, clock: clock)() }
          }
        }
        task.value = call
        if !isCancelledFirst {
          await clock.advance(by: .milliseconds(500))
          cancelAtTheLimit()
          // Both come before the caller has had its turn.
          clock.jump(by: .milliseconds(500))
        }
        #expect(await call.value == .cancelled)
        let snapshot = timeout.snapshot()
        #expect([snapshot.timedOut, snapshot.cancelled] == (isCancelledFirst ? [0, 1] : [1, 0]))
        #expect(snapshot.abandoned == 1)
        await clock.advance(by: .seconds(9))
        #expect(timeout.snapshot().abandoned == 0)
        #expect(recorder.events.count == 2)
      }
    }
  }

  @Test("X-1: an outer timeout ends one with a longer limit, and the body is abandoned")
  func insideTimeout() async throws {
    try await withVirtualTime { clock in
      let circuit = Circuit(on: clock)
      let inside = AbandoningTimeout(.seconds(3), clock: clock)
      let ending = await Ending.of {
        try await Timeout(.seconds(1), clock: clock).run {
          try await circuit.breaker.run {
            try await inside.run { try await Body(manner: .deaf, clock: clock)() }
          }
        }
      }
      guard case .timedOut(.seconds(1), _) = ending else {
        Issue.record("\(ending)")
        return
      }
      #expect(clock.now.offset == .seconds(1))
      #expect(circuit.counts.failures == 1 && circuit.counts.ignored == 0)
      #expect(inside.snapshot().abandoned == 1)
    }
  }

  @Test("X-3: an operation that ends as it is abandoned is told of after that")
  func order() async throws {
    let recorder = EventRecorder()
    let policy = AbandoningTimeout(.seconds(1), observers: [recorder])
    let call = AbandoningTimeout.Call<Int>(of: policy, within: .seconds(1))
    // The timer fires, and the body ends before the caller has had its turn.
    call.fire()
    call.end(.success(1))
    #expect(
      recorder.events(of: AbandoningTimeout.Event.self).map(\.kind.description)
        == ["abandoned after 1.0 seconds", "an abandoned operation ended"])
    guard case .abandoned(.timedOut) = await call.ending() else {
      Issue.record("the call ended otherwise")
      return
    }
    #expect(policy.snapshot().abandoned == 0)
  }
}
