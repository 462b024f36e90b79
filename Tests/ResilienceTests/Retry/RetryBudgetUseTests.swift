import ResilienceTesting
import Testing

@testable import Resilience

@Suite("Retry: what extra attempts cost")
struct RetryBudgetUseTests {
  @Test("RB-2: without a token the attempt's own error is thrown (failsafe Q2)")
  func refused() async throws {
    try await withVirtualTime { clock in
      let trial = Trial(maxAttempts: 5, tokens: 1, on: clock)
      let errors = (1...5).map { NumberedError($0) }
      let script = Script<Int>(errors.map { .fail($0) }, clock: clock)
      let error = await trial.error { try await script() } as? NumberedError
      #expect(error === errors[1])
      #expect(script.calls == 2)
      #expect(clock.now.offset == .seconds(1))
      #expect(
        trial.told == [
          "attempt 2 after 1.0 seconds (error 1)",
          "attempt 2 failed, the budget refused another (error 2)",
        ])
      #expect(
        trial.retry.snapshot()
          == Retry.Snapshot(
            name: "users", totals: .init(retries: 1, budgetRefused: 1),
            budget: .init(
              name: "retry-budget", tokens: 0, capacity: 1, successes: 0, withdrawn: 1,
              refused: 1, givenBack: 0)))
    }
  }

  @Test("RB-1: an error that is an answer funds the budget, as a success of any attempt does")
  func accepted() async throws {
    try await withVirtualTime { clock in
      let trial = Trial(deciding: { $0 is NumberedError ? .accept : nil }, on: clock)
      struct Unavailable: Error {}
      let answer = NumberedError(404)
      let script = Script<Int>(
        [.fail(answer), .fail(Unavailable()), .fail(answer)], clock: clock)
      for calls in [1, 3] {
        let error = await trial.error { try await script() } as? NumberedError
        #expect(error === answer)
        #expect(script.calls == calls)
      }
      #expect(trial.steps == ["attempt 2 after 1.0 seconds", "attempt 2 succeeded"])
      #expect(
        trial.retry.budget?.snapshot()
          == .init(
            name: "retry-budget", tokens: 10, capacity: 10, successes: 2, withdrawn: 1,
            refused: 0, givenBack: 1))
      // Inside another retry's attempt as well; that one has no budget.
      let outer = Retry(budget: nil, deciding: { _ in .stop }, clock: clock)
      _ = try? await outer.run { try await trial.retry.run { throw answer } }
      #expect(trial.retry.budget?.snapshot().successes == 3)
    }
  }

  /// Says of every value that it says nothing.
  private struct Ignoring: ResiliencePolicy {
    func execute<Success: ~Copyable>(
      _ execution: Execution, _ operation: (Execution) async throws -> Graded<Success>
    ) async throws -> Graded<Success> {
      Graded(try await operation(execution).value, outcome: .ignored)
    }
  }

  @Test("X-4: a result that a policy inside grades as ignored ends the call, and costs nothing")
  func ignoredResult() async throws {
    try await withVirtualTime { clock in
      let trial = Trial(on: clock)
      let script = Script<Int>([.fail(NumberedError(1)), .succeed(2)], clock: clock)
      let pipeline = Pipeline {
        trial.retry
        Ignoring()
      }
      let value = try await pipeline.run { try await script() }
      #expect(value == 2)
      #expect(trial.spent == 0)
      #expect(trial.totals == .init(retries: 1, stopped: 1))
      #expect(
        trial.steps == ["attempt 2 after 1.0 seconds", "attempt 2 failed, not to be retried"])
    }
  }

  @Test("RB-2: a refused call does not wait; a result that fails is returned")
  func refusedResult() async throws {
    try await withVirtualTime { clock in
      let trial = Trial(maxAttempts: 5, tokens: 1, on: clock)
      var attempts = 0
      let value = try await trial.retry.run { execution in
        attempts += 1
        return execution.attempt
      } failingWhen: { _ in
        true
      }
      #expect(value == 2)
      #expect(attempts == 2)
      #expect(clock.now.offset == .seconds(1))
      #expect(trial.totals == .init(retries: 1, budgetRefused: 1))
    }
  }

  @Test("RB-2: the budget is asked last: no token goes to an attempt that would not be made")
  func order() async throws {
    let cases: [(maxAttempts: Int, decision: Retry.Decision?, limit: Duration, Retry.Totals)] = [
      // Each is stopped by the first that stands in its way, though the later ones would, too.
      (1, .stop, .zero, .init(stopped: 1)),
      (1, nil, .zero, .init(exhausted: 1)),
      (3, nil, .zero, .init(deadlineReached: 1)),
      (3, nil, .seconds(60), .init(budgetRefused: 1)),
    ]
    for (maxAttempts, decision, limit, totals) in cases {
      try await withVirtualTime { clock in
        let trial = Trial(
          maxAttempts: maxAttempts, tokens: 1, deciding: { _ in decision }, on: clock)
        let budget = try #require(trial.retry.budget)
        #expect(budget.withdraw())
        try await Deadline(in: limit, clock: clock).run {
          _ = await trial.error { throw NumberedError(1) }
        }
        #expect(trial.totals == totals)
        #expect(trial.refused == totals.budgetRefused)
        #expect(budget.snapshot().withdrawn == 1)
        #expect(clock.now.offset == .zero)
      }
    }
  }

  @Test("RB-1: retries that help are free; those that do not cost a token each")
  func helping() async throws {
    try await withVirtualTime { clock in
      let trial = Trial(tokens: 2, on: clock)
      for _ in 0..<20 {
        let attempt = try await trial.retry.run { execution in
          if execution.attempt == 1 { throw NumberedError(1) }
          return execution.attempt
        }
        #expect(attempt == 2)
      }
      #expect(
        trial.retry.budget?.snapshot()
          == .init(
            name: "retry-budget", tokens: 2, capacity: 2, successes: 10, withdrawn: 20,
            refused: 0, givenBack: 20))
      #expect(trial.totals == .init(retries: 20, recovered: 20))
    }
  }

  @Test("RB-2: without a budget each call makes as many attempts as it may")
  func withoutBudget() async throws {
    try await withVirtualTime { clock in
      let trial = Trial(tokens: nil, on: clock)
      for _ in 0..<20 { _ = await trial.error { throw NumberedError(1) } }
      #expect(trial.totals == .init(retries: 40, exhausted: 20))
      #expect(trial.retry.snapshot().budget == nil)
    }
  }

  @Test("RB-1: retries share a budget by reference")
  func shared() async throws {
    try await withVirtualTime { clock in
      let budget = RetryBudget(clock: clock)
      let retries = (0..<2).map { _ in Retry(backoff: .none, budget: budget, clock: clock) }
      for retry in retries { _ = try? await retry.run { throw NumberedError(1) } }
      #expect(retries[0].snapshot().totals == .init(retries: 1, budgetRefused: 1))
      #expect(retries[1].snapshot().totals == .init(budgetRefused: 1))
      for _ in 0..<10 { try await retries[0].run {} }
      _ = try? await retries[1].run { throw NumberedError(1) }
      #expect(retries[1].snapshot().totals == .init(retries: 1, budgetRefused: 2))
    }
  }
}

// MARK: - Accounts

extension RetryBudgetUseTests {
  /// How an attempt may end.
  enum Ending: CaseIterable {
    case value, failingValue, error, hintedError, rejection, cancellationError

    /// Whether the attempt says that the dependency did not answer as it should.
    var isFailure: Bool { self == .failingValue || self == .error || self == .hintedError }
  }

  @Test("RB-3: what is not given back are the extra attempts that failed", arguments: 0..<8)
  func accounts(seed: UInt64) async throws {
    try await withVirtualTime { clock in
      let trial = Trial(
        maxAttempts: 5, backoff: .constant(.seconds(1)), tokens: 100_000,
        // Half of the walks try also what is not retried by default.
        deciding: { _ in seed.isMultiple(of: 2) ? .retry : nil }, on: clock)
      var dice = Dice(seed: seed)
      var (successes, extra, failedExtra) = (0, 0, 0)
      for _ in 0..<300 {
        _ = try? await trial.retry.run { execution -> Ending in
          let ending = Ending.allCases.randomElement(using: &dice)!
          if ending == .value { successes += 1 }
          if execution.attempt > 1 {
            extra += 1
            if ending.isFailure { failedExtra += 1 }
          }
          switch ending {
          case .value, .failingValue: return ending
          case .error: throw NumberedError(1)
          case .hintedError: throw Later(retryAfter: .seconds(2))
          case .rejection: throw DeadlineExpiredError(policy: "inside", reason: .noTime)
          case .cancellationError: throw CancellationError()
          }
        } failingWhen: {
          $0 == .failingValue
        }
        #expect(trial.spent == failedExtra)
      }
      let (snapshot, totals) = (try #require(trial.retry.budget?.snapshot()), trial.totals)
      #expect(snapshot.withdrawn == extra)
      #expect(totals.retries == extra)
      #expect(snapshot.refused == 0)
      #expect(trial.delays.count == extra)
      #expect(failedExtra > 100)
      #expect(successes > 50)
      // Each call that was told of at all ended once; the others succeeded at once.
      let endings = totals.recovered + totals.exhausted + totals.stopped
      #expect(trial.told.count == extra + endings)
      #expect(endings + successes - totals.recovered == 300)
    }
  }
}
