import Resilience
import ResilienceTesting
import Testing

@Suite("Retry: the deadline bounds it")
struct RetryDeadlineTests {
  /// Fails under a deadline, with a second between attempts.
  private static func fail(
    _ trial: Trial, within limit: Duration, _ error: any Error = NumberedError(1),
    on clock: (any Clock<Duration>)? = nil
  ) async throws -> (any Error)? {
    try await Deadline(in: limit, clock: clock ?? trial.clock).run {
      await trial.error { throw error }
    }
  }

  @Test(
    "RT-3: a wait that would end at the deadline or after it is not begun",
    arguments: [
      (.seconds(-1), 0), (.zero, 0), (.milliseconds(999), 0), (.seconds(1), 0),
      (.seconds(1) + .tick, 1), (.seconds(2), 1), (.seconds(2) + .tick, 2),
    ] as [(Duration, Int)])
  func bound(_ limit: Duration, _ retries: Int) async throws {
    try await withVirtualTime { clock in
      let (trial, error) = (Trial(on: clock), NumberedError(1))
      let thrown = try await Self.fail(trial, within: limit, error)
      #expect(thrown as? NumberedError === error)
      #expect(clock.now.offset == .seconds(retries))
      #expect(
        trial.totals
          == .init(
            retries: retries, exhausted: retries == 2 ? 1 : 0,
            deadlineReached: retries == 2 ? 0 : 1))
      #expect(trial.spent == retries)
      if retries < 2 {
        let last =
          "attempt \(retries + 1) failed, the deadline leaves no time for another (error 1)"
        #expect(trial.told.last == last)
      }
    }
  }

  @Test("RT-3: no wait, no time: an attempt does not begin at the deadline")
  func withoutBackoff() async throws {
    for (limit, attempts) in [(Duration.zero, 1), (.tick, 3)] {
      try await withVirtualTime { clock in
        let trial = Trial(backoff: .none, on: clock)
        _ = try await Self.fail(trial, within: limit)
        #expect(trial.totals.retries == attempts - 1)
      }
    }
  }

  @Test("RT-3: a hint beyond the deadline is not waited for (dotnet/extensions#7701)")
  func hint() async throws {
    try await withVirtualTime { clock in
      let trial = Trial(hintCap: .seconds(120), on: clock)
      let error = try await Self.fail(
        trial, within: .seconds(30), Later(retryAfter: .seconds(60)))
      #expect(error is Later)
      #expect(clock.now.offset == .zero)
      #expect(trial.totals == .init(deadlineReached: 1))
    }
  }

  @Test("RT-3: a fraction of a nanosecond more than there is, is too much")
  func fraction() async throws {
    try await withVirtualTime { clock in
      let trial = Trial(backoff: .none, on: clock)
      let hint = Later(retryAfter: Duration(attoseconds: 500_000_000))
      _ = try await Self.fail(trial, within: .tick, hint)
      #expect(clock.now.offset == .zero)
      #expect(trial.totals == .init(deadlineReached: 1))
    }
  }

  @Test("RT-3: a deadline is read on its own clock")
  func otherClock() async throws {
    for (limit, retries) in [(Duration.milliseconds(500), 0), (.seconds(2), 2)] {
      try await withVirtualTime { clock in
        let trial = Trial(on: clock)
        _ = try await Self.fail(trial, within: limit, on: VirtualClock())
        #expect(trial.totals.retries == retries)
        #expect(clock.now.offset == .seconds(retries))
      }
    }
  }

  @Test("RT-3: who oversleeps the deadline makes no attempt, and gets what the last one came to")
  func oversleeping() async throws {
    try await withVirtualTime { clock in
      let (trial, error, other) = (Trial(on: clock), NumberedError(1), VirtualClock())
      async let thrown = Self.fail(trial, within: .seconds(2), error, on: other)
      await clock.advance(by: .milliseconds(500))
      await other.advance(by: .seconds(2))
      let last = try await thrown
      #expect(last as? NumberedError === error)
      #expect(
        trial.told == [
          "attempt 2 after 1.0 seconds (error 1)",
          "attempt 1 failed, the deadline leaves no time for another (error 1)",
        ])
      #expect(trial.totals == .init(retries: 1, deadlineReached: 1))
      #expect(trial.spent == 0)
    }
  }

  @Test("RT-3, RT-6: who oversleeps gets the last result, if it was one")
  func oversleepingResult() async throws {
    try await withVirtualTime { clock in
      let (trial, other) = (Trial(on: clock), VirtualClock())
      async let status = Deadline(in: .seconds(2), clock: other).run {
        try await trial.retry.run {
          503
        } failingWhen: {
          $0 == 503
        }
      }
      await clock.advance(by: .milliseconds(500))
      await other.advance(by: .seconds(2))
      let last = try await status
      #expect(last == 503)
      #expect(trial.totals == .init(retries: 1, deadlineReached: 1))
      #expect(trial.spent == 0)
    }
  }

  @Test("RT-3: a timeout outside is a deadline; the attempts' error is inside its own")
  func insideTimeout() async throws {
    try await withVirtualTime { clock in
      let trial = Trial(on: clock)
      let script = Script<Int>([.fail(NumberedError(1)), .hang], clock: clock)
      let timeout = Timeout(.seconds(2), clock: clock)
      do {
        _ = try await timeout.run { try await trial.retry.run { try await script() } }
        Issue.record("no error")
      } catch { #expect(error is TimeoutError) }
      #expect(clock.now.offset == .seconds(2))
      #expect(trial.steps.last == "attempt 2 failed, the deadline leaves no time for another")
      #expect(trial.totals == .init(retries: 1, deadlineReached: 1))
      #expect(trial.spent == 1)
    }
  }
}
