import Resilience
import ResilienceTesting
import Testing

@Suite("Retry: its caller gives up")
struct RetryCancellationTests {
  @Test("RT-4: cancelled while it waits, it throws at once and gives the token back")
  func duringWait() async throws {
    try await withVirtualTime { clock in
      let trial = Trial(on: clock)
      let before = trial.retry.budget?.snapshot().tokens
      let error = await cancelling(after: .milliseconds(500), clock) {
        try await trial.retry.run { throw NumberedError(1) }
      }
      #expect(error is CancellationError)
      #expect(clock.now.offset == .milliseconds(500))
      #expect(clock.sleeperCount == 0)
      #expect(trial.retry.budget?.snapshot().tokens == before)
      #expect(trial.spent == 0)
      #expect(trial.totals == .init(retries: 1, cancelled: 1))
      #expect(
        trial.told == [
          "attempt 2 after 1.0 seconds (error 1)", "cancelled by the caller; attempts made: 1",
        ])
    }
  }

  /// How an attempt ends that is cancelled, and what becomes of that.
  enum Ending: CaseIterable {
    case cancellation, ownError, failingValue, value
  }

  @Test(
    "RT-4: a cancelled attempt is never retried, and nobody is asked about it",
    arguments: Ending.allCases, [1, 2])
  func duringAttempt(_ ending: Ending, _ attempt: Int) async throws {
    try await withVirtualTime { clock in
      let asked = Shared(0)
      let trial = Trial(
        deciding: { _ in
          asked.value += 1
          return .retry
        }, on: clock)
      let calls = Shared(0)
      let value = Shared(0)
      let error = await cancelling(after: .milliseconds(1500), clock) {
        value.value = try await trial.retry.run { execution in
          calls.value += 1
          // Ready before the second attempt; then cancelled in its middle, or in that of the first.
          if execution.attempt < attempt { throw NumberedError(0) }
          do { try await clock.sleep(for: .seconds(10)) } catch {
            switch ending {
            case .cancellation: throw error
            case .ownError: throw NumberedError(1)
            case .failingValue, .value: return 7
            }
          }
          return 0
        } failingWhen: { _ in
          ending == .failingValue
        }
      }
      #expect(calls.value == attempt)
      #expect(asked.value == attempt - 1)
      #expect(clock.now.offset == .milliseconds(1500))
      #expect(clock.sleeperCount == 0)
      #expect(trial.spent == 0)
      switch ending {
      case .cancellation: #expect(error is CancellationError)
      case .ownError: #expect((error as? NumberedError)?.number == 1)
      case .failingValue, .value: #expect(value.value == 7)
      }
      if ending == .value {
        #expect(trial.totals == .init(retries: attempt - 1, recovered: attempt - 1))
        #expect(trial.retry.budget?.snapshot().successes == 1)
      } else {
        #expect(trial.totals == .init(retries: attempt - 1, cancelled: 1))
        #expect(trial.told.last == "cancelled by the caller; attempts made: \(attempt)")
        #expect(trial.retry.budget?.snapshot().successes == 0)
      }
    }
  }

  @Test("RT-4: cancelled before an attempt that needs no wait, it does not begin it")
  func withoutWait() async throws {
    try await withVirtualTime { clock in
      // The caller is cancelled when the error has been judged already.
      let trial = Trial(
        backoff: .custom { _, _ in
          unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
          return .zero
        }, on: clock)
      let calls = Shared(0)
      let task = Task(executorPreference: clock.executor) {
        await trial.error {
          calls.value += 1
          throw NumberedError(1)
        }
      }
      #expect(await task.value is CancellationError)
      #expect(calls.value == 1)
      #expect(trial.spent == 0)
      #expect(trial.totals == .init(retries: 1, cancelled: 1))
    }
  }

  @Test("RT-4: a call that is cancelled before it begins makes one attempt")
  func beforeBeginning() async throws {
    try await withVirtualTime { clock in
      let trial = Trial(on: clock)
      let calls = Shared(0)
      let error = await cancelling(after: .zero, clock) {
        // Runs after the cancellation.
        try? await clock.sleep(for: .seconds(1))
        try await trial.retry.run {
          calls.value += 1
          throw NumberedError(1)
        }
      }
      #expect((error as? NumberedError)?.number == 1)
      #expect(calls.value == 1)
      #expect(trial.totals == .init(cancelled: 1))
    }
  }

  @Test("X-1: a call that its deadline cancelled has failed, and is told as such")
  func deadline() async throws {
    try await withVirtualTime { clock in
      let trial = Trial(on: clock)
      let error = try await Deadline(in: .seconds(1), clock: clock).run {
        await cancelling(after: .seconds(2), clock) {
          try await trial.retry.run { try await clock.sleep(for: .seconds(10)) }
        }
      }
      #expect(error is CancellationError)
      #expect(trial.totals == .init(deadlineReached: 1))
    }
  }
}
