import Resilience
import ResilienceTesting
import Testing

@testable import ResilienceSimulation

@Suite("Retry within a quota")
struct QuotaRetryTests {
  /// Writes down what it is told, and grants so many retries, at 7 each.
  struct Notebook: RetryQuota {
    var granted = Int.max
    var notes: [String] = []

    mutating func begin(_ attempt: QuotaAttempt, at now: Int64) {
      notes.append("begin \(attempt.number) for \(attempt.cost)")
    }

    mutating func end(_ attempt: QuotaAttempt, _ outcome: Outcome, at now: Int64) {
      notes.append("end \(attempt.number): \(outcome)")
    }

    mutating func withdraw(after failure: AttemptFailure, at now: Int64) -> Int? {
      notes.append("withdraw after \(failure)")
      guard granted > 0 else { return nil }
      granted -= 1
      return 7
    }

    mutating func drop(_ attempt: QuotaAttempt) {
      notes.append("drop \(attempt.number)")
    }

    var description: String { "a notebook" }
  }

  struct Mishap: Error, Hashable { var number = 0 }

  struct Refused: RejectionError {
    var policy: String { "inner" }
    var reason: String { "no" }
    var retryAfter: Duration? { nil }
    var description: String { "no" }
  }

  private static func retry(
    granting count: Int = .max, maxAttempts: Int = 4, on clock: any Clock<Duration>
  ) -> QuotaRetry<Notebook> {
    QuotaRetry(Notebook(granted: count), maxAttempts: maxAttempts, clock: clock, seed: 1)
  }

  /// - Returns: what the call throws.
  private static func error(
    _ retry: QuotaRetry<Notebook>, _ operation: (Execution) async throws -> Void
  ) async -> (any Error)? {
    do {
      try await retry.run(operation)
      return nil
    } catch {
      return error
    }
  }

  @Test("every attempt is told of, with what was taken for it")
  func notes() async throws {
    try await withVirtualTime { clock in
      let retry = Self.retry(on: clock)
      let number = try await retry.run { execution in
        if execution.attempt == 1 { throw Mishap() }
        if execution.attempt == 2 { throw ServiceError.overloaded }
        return execution.attempt
      }
      #expect(number == 3)
      #expect(
        retry.quota.notes == [
          "begin 1 for 0", "end 1: failure", "withdraw after error",
          "begin 2 for 7", "end 2: failure", "withdraw after overload",
          "begin 3 for 7", "end 3: success",
        ])
    }
  }

  @Test("a timeout of the attempt is told as one")
  func timeout() async throws {
    try await withVirtualTime { clock in
      let retry = Self.retry(maxAttempts: 2, on: clock)
      let pipeline = Pipeline {
        retry
        Timeout(.milliseconds(250), clock: clock)
      }
      await #expect(throws: TimeoutError.self) {
        try await pipeline.run { try await clock.sleep(for: .seconds(9)) }
      }
      #expect(retry.quota.notes.contains("withdraw after timeout"))
    }
  }

  @Test("without quota, and after the last attempt, the last error is thrown as it is")
  func ends() async throws {
    for (granted, maxAttempts, attempts) in [(1, 4, 2), (9, 3, 3), (9, 1, 1), (0, 4, 1)] {
      try await withVirtualTime { clock in
        let retry = Self.retry(granting: granted, maxAttempts: maxAttempts, on: clock)
        let error = await Self.error(retry) { throw Mishap(number: $0.attempt) }
        #expect(error as? Mishap == Mishap(number: attempts))
      }
    }
  }

  @Test("waits are the library's backoff: full jitter from 50 ms, drawn from the seed")
  func backoff() async throws {
    var random = SplitMix64(seed: 1)
    let backoff = Backoff.exponential(from: .milliseconds(50), cap: .seconds(1))
    let expected = (2...7).map { backoff.delay(beforeAttempt: $0, using: &random) }
    try await withVirtualTime { clock in
      var starts: [Duration] = []
      _ = await Self.error(Self.retry(maxAttempts: 7, on: clock)) { _ in
        starts.append(clock.now.offset)
        throw Mishap()
      }
      #expect(zip(starts.dropFirst(), starts).map { $0 - $1 } == expected)
    }
  }

  @Test("a wait that would not end before the deadline is not begun, and nothing is taken for it")
  func deadline() async throws {
    try await withVirtualTime { clock in
      let retry = Self.retry(on: clock)
      try await Deadline(in: .nanoseconds(1), clock: clock).run {
        let error = await Self.error(retry) { _ in throw Mishap() }
        #expect(error is Mishap)
      }
      #expect(clock.now.offset == .zero)
      #expect(retry.quota.notes == ["begin 1 for 0", "end 1: failure"])
    }
  }

  /// Sleeps a second longer than asked.
  struct Oversleeper: Clock {
    let base: VirtualClock
    var now: VirtualClock.Instant { base.now }
    var minimumResolution: Duration { .zero }

    func sleep(until deadline: VirtualClock.Instant, tolerance: Duration?) async throws {
      try await base.sleep(until: deadline.advanced(by: .seconds(1)))
    }
  }

  @Test("who has overslept the deadline makes no attempt, and drops what was taken for it")
  func oversleeping() async throws {
    try await withVirtualTime { clock in
      let retry = Self.retry(on: Oversleeper(base: clock))
      try await Deadline(in: .seconds(1), clock: clock).run {
        let error = await Self.error(retry) { _ in throw Mishap() }
        #expect(error is Mishap)
      }
      #expect(
        retry.quota.notes == [
          "begin 1 for 0", "end 1: failure", "withdraw after error", "drop 2",
        ])
    }
  }

  @Test("what a policy inside refused is not tried again")
  func rejection() async throws {
    try await withVirtualTime { clock in
      let retry = Self.retry(on: clock)
      let error = await Self.error(retry) { _ in throw Refused() }
      #expect(error is Refused)
      #expect(retry.quota.notes == ["begin 1 for 0", "end 1: ignored"])
    }
  }

  @Test("cancelled in an attempt or in a wait: over at once, and nothing stays taken")
  func cancellation() async throws {
    for (isInAttempt, notes) in [
      (true, ["begin 1 for 0", "end 1: ignored"]),
      (false, ["begin 1 for 0", "end 1: failure", "withdraw after error", "drop 2"]),
    ] {
      try await withVirtualTime { clock in
        let retry = Self.retry(on: Oversleeper(base: clock))
        let error = await withTaskGroup(of: (any Error)?.self) { group in
          group.addTask {
            await Self.error(retry) { _ in
              if isInAttempt { try await clock.sleep(for: .seconds(9)) }
              throw Mishap()
            }
          }
          await clock.advance(by: .milliseconds(500))
          group.cancelAll()
          return await group.next() ?? nil
        }
        #expect(error is CancellationError)
        #expect(clock.now.offset == .milliseconds(500))
        #expect(retry.quota.notes == notes)
      }
    }
  }

  actor Home {
    /// The body never mentions `self`: a closure that does is isolated by itself.
    func call(_ retry: QuotaRetry<Notebook>) async throws -> [Int] {
      let me: any Actor = self
      var attempts: [Int] = []
      try await retry.run { execution in
        me.preconditionIsolated()
        attempts.append(execution.attempt)
        await Task.yield()
        me.preconditionIsolated()
        if execution.attempt < 3 { throw Mishap() }
      }
      me.preconditionIsolated()
      return attempts
    }
  }

  @Test("every attempt runs where the caller is, also after a wait")
  func isolation() async throws {
    try await withVirtualTime { clock in
      let retry = Self.retry(on: clock)
      let attempts = try await Home().call(retry)
      #expect(attempts == [1, 2, 3])
    }
  }

  @Test("it says what it is")
  func layers() async throws {
    try await withVirtualTime { clock in
      let settings = "at most 4 attempts, 0.05 seconds × 2.0ᵏ up to 1.0 seconds, full jitter"
      #expect(
        Self.retry(on: clock).layers == [
          PolicyLayer(
            role: .retry(maxAttempts: 4, nests: true), name: "retry",
            settings: "\(settings), a notebook")
        ])
    }
  }
}
