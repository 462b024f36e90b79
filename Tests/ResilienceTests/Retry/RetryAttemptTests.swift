import Resilience
import ResilienceTesting
import Synchronization
import Testing

@Suite("Retry: attempts and results")
struct RetryAttemptTests {
  @Test("RT-1: maxAttempts counts the first; the last error is thrown as it is", arguments: 1...5)
  func attempts(_ maxAttempts: Int) async throws {
    try await withVirtualTime { clock in
      let trial = Trial(maxAttempts: maxAttempts, on: clock)
      let errors = (1...maxAttempts).map { NumberedError($0) }
      let script = Script<Int>(errors.map { .fail($0) }, clock: clock)
      let error = await trial.error { try await script() } as? NumberedError
      #expect(error === errors.last)
      #expect(script.calls == maxAttempts)
      #expect(clock.now.offset == .seconds(maxAttempts - 1))
      #expect(trial.totals == .init(retries: maxAttempts - 1, exhausted: 1))
      #expect(trial.spent == maxAttempts - 1)
      let retries = (1..<maxAttempts).map { "attempt \($0 + 1) after 1.0 seconds (error \($0))" }
      #expect(
        trial.told == retries + ["attempt \(maxAttempts) failed, the last (error \(maxAttempts))"])
    }
  }

  @Test("RT-1: what succeeds ends the call, and each attempt knows its number")
  func recovers() async throws {
    try await withVirtualTime { clock in
      let trial = Trial(maxAttempts: 5, on: clock)
      var attempts: [Int] = []
      let answer = try await trial.retry.run { execution in
        attempts.append(execution.attempt)
        if execution.attempt < 3 { throw NumberedError(execution.attempt) }
        return "answer \(execution.attempt)"
      }
      #expect(answer == "answer 3")
      #expect(attempts == [1, 2, 3])
      #expect(clock.now.offset == .seconds(2))
      #expect(trial.totals == .init(retries: 2, recovered: 1))
      #expect(
        trial.told == [
          "attempt 2 after 1.0 seconds (error 1)", "attempt 3 after 1.0 seconds (error 2)",
          "attempt 3 succeeded",
        ])
    }
  }

  @Test("RT-7: a call whose first attempt succeeds is told to nobody, and asks no clock")
  func happyPath() async throws {
    let (clock, events) = (Documentation.CountingClock(), EventRecorder())
    let retry = Retry(deciding: { _ in .stop }, clock: clock, observers: [events])
    let readings = clock.readings
    for number in 0..<10 { #expect(try await retry.run { number } == number) }
    #expect(clock.readings == readings)
    #expect(events.descriptions == [])
    #expect(retry.snapshot().totals == .init())
    #expect(retry.snapshot().budget?.successes == 10)
  }

  @Test("RT-8: attempts without end collect nothing")
  func endless() async throws {
    let count = 100_000
    try await withVirtualTime(jobLimit: 2_000_000) { clock in
      let retry = Retry(
        maxAttempts: .max, backoff: .constant(.seconds(1), jitter: .none), budget: nil,
        clock: clock)
      var most = 0
      let last = try await retry.run { execution in
        if execution.attempt == count { return execution.attempt }
        let error = Tracked()
        most = max(most, Tracked.alive)
        throw error
      }
      #expect(last == count)
      #expect(most < 10)
      #expect(Tracked.alive == 0)
      #expect(clock.now.offset == .seconds(count - 1))
      #expect(retry.snapshot().totals == .init(retries: count - 1, recovered: 1))
    }
  }

  /// An error that knows how many of its kind there are.
  final class Tracked: Error {
    private static let count = Atomic(0)
    static var alive: Int { count.load(ordering: .relaxed) }
    init() { Self.count.add(1, ordering: .relaxed) }
    deinit { Self.count.subtract(1, ordering: .relaxed) }
  }

  @Test("X-3: copies share counts, chance, budget and name")
  func copies() async throws {
    try await withVirtualTime { clock in
      let jittered = Backoff.constant(.seconds(1))
      let trial = Trial(backoff: jittered, on: clock)
      let single = Trial(maxAttempts: 5, backoff: jittered, on: clock)
      let copy = trial.retry
      let script = Script<Int>([.fail(NumberedError(1))], clock: clock)
      for retry in [trial.retry, copy, single.retry] {
        _ = try? await retry.run { try await script() }
      }
      #expect(trial.delays == single.delays)
      #expect(Set(trial.delays).count == 4)
      #expect(copy.snapshot() == trial.retry.snapshot())
      #expect(copy.snapshot().totals == .init(retries: 4, exhausted: 2))
      #expect(copy.budget === trial.retry.budget)
      #expect(copy.name == "users")
    }
  }
}

// MARK: - Results

extension RetryAttemptTests {
  @Test("RT-6: results that count as failures are retried; the last one is returned")
  func failingResults() async throws {
    try await withVirtualTime { clock in
      let trial = Trial(on: clock)
      let script = Script<Int>([.succeed(503), .succeed(502), .succeed(504)], clock: clock)
      let status = try await trial.retry.run {
        try await script()
      } failingWhen: {
        $0 >= 500
      }
      #expect(status == 504)
      #expect(clock.now.offset == .seconds(2))
      #expect(trial.totals == .init(retries: 2, exhausted: 1))
      let result = "(a result that is no success)"
      #expect(
        trial.told == [
          "attempt 2 after 1.0 seconds \(result)", "attempt 3 after 1.0 seconds \(result)",
          "attempt 3 failed, the last \(result)",
        ])
    }
  }

  /// A response that says when it is released.
  struct Response: ~Copyable {
    let number: Int
    let journal: Journal
    deinit { journal.note("released \(number)") }
  }

  @Test("RT-6: a failed result is released before the next attempt begins (failsafe P17)")
  func releases() async throws {
    try await withVirtualTime { clock in
      let (trial, journal) = (Trial(on: clock), Journal())
      do {
        let response = try await trial.retry.run { execution in
          journal.note("attempt \(execution.attempt)")
          return Response(number: execution.attempt, journal: journal)
        } failingWhen: { response in
          response.number < 4
        }
        journal.note("returned \(response.number)")
      }
      #expect(
        journal.all == [
          "attempt 1", "released 1", "attempt 2", "released 2", "attempt 3", "returned 3",
          "released 3",
        ])
    }
  }

  @Test("RT-6, RT-4: a failed result is released when its caller gives up during the wait")
  func releasesCancelled() async throws {
    try await withVirtualTime { clock in
      let (trial, journal) = (Trial(on: clock), Journal())
      let error = await cancelling(after: .milliseconds(1500), clock) {
        _ = try await trial.retry.run { execution in
          Response(number: execution.attempt, journal: journal)
        } failingWhen: { _ in
          true
        }
      }
      #expect(error is CancellationError)
      #expect(journal.all == ["released 1", "released 2"])
    }
  }

  @Test("RT-6: the verdict on results says nothing about errors (failsafe P16, P16b)")
  func resultsAndErrors() async throws {
    try await withVirtualTime { clock in
      let (picky, plain) = (Trial(deciding: { _ in .stop }, on: clock), Trial(on: clock))
      var asked = 0
      for trial in [picky, plain] {
        do {
          _ = try await trial.retry.run { () -> Int in
            throw NumberedError(1)
          } failingWhen: { number in
            asked += 1
            return number == 0
          }
          Issue.record("no error")
        } catch {}
      }
      #expect(asked == 0)
      #expect(picky.totals == .init(stopped: 1))
      #expect(plain.totals == .init(retries: 2, exhausted: 1))
    }
  }

  @Test("X-2: a result is judged once, and policies on both sides see each verdict")
  func judgedOnce() async throws {
    try await withVirtualTime { clock in
      let trial = Trial(on: clock)
      let breakers = ["outside", "inside"].map { CircuitBreaker($0, clock: clock) }
      let (outside, inside) = (breakers[0], breakers[1])
      var judged: [Int] = []
      let pipeline = Pipeline {
        outside
        trial.retry
        inside
      }
      let value = try await pipeline.run { execution in
        execution.attempt
      } failingWhen: { value in
        judged.append(value)
        return value < 3
      }
      #expect(value == 3)
      #expect(judged == [1, 2, 3])
      #expect(
        inside.snapshot().counts == .init(successes: 1, failures: 2, consecutiveSuccesses: 1))
      #expect(outside.snapshot().counts == .init(successes: 1, consecutiveSuccesses: 1))
    }
  }
}
