import Resilience
import ResilienceTesting
import Testing

@Suite("Calls that share a retry budget, in every order of their suspensions")
struct BudgetProgramTests {
  @Test("RB-3: whatever succeeds and whoever is cancelled, extra failures stay within the law")
  func law() async throws {
    let endings = try await Endings { try await Self.program($0, cancelling: nil) }
    #expect(endings.schedules == 470)
    #expect(endings.all.count == 12)
  }

  @Test("RB-1, X-4: a call that is cancelled gives its token back", arguments: 0...1)
  func cancelled(victim: Int) async throws {
    let endings = try await Endings { try await Self.program($0, cancelling: victim) }
    #expect(endings.schedules == 3_469)
    #expect(endings.all.count == 18)
  }
}

extension BudgetProgramTests {
  private struct Unavailable: Error {}

  private struct Attempt: Sendable {
    let isExtra: Bool
    let isSuccess: Bool
  }

  fileprivate struct Ending: Hashable, Sendable {
    let told: [String]
    let budget: Resilience.RetryBudget.Snapshot
  }

  private static func program(
    _ clock: VirtualClock, cancelling victim: Int?
  ) async throws -> Ending {
    let budget = Resilience.RetryBudget(ratio: 0.5, clock: clock)
    let attempts = Journal<Attempt>()
    let told = await Cast.play(2, on: clock, cancelling: victim) { _ in
      let retry = Resilience.Retry(maxAttempts: 2, backoff: .none, budget: budget, clock: clock)
      do {
        return try await retry.run { (execution: Resilience.Execution) in
          try await attempt(execution.attempt, attempts, clock)
        }
      } catch is CancellationError { return "cancelled" } catch { return "failed" }
    }
    let snapshot = budget.snapshot()
    try hold(attempts.all, snapshot)
    return Ending(told: told, budget: snapshot)
  }

  private static func attempt(
    _ number: Int, _ attempts: Journal<Attempt>, _ clock: VirtualClock
  ) async throws -> String {
    await Task.yield()
    let isSuccess = clock.choose(from: [true, false])
    try Task.checkCancellation()
    attempts.note(Attempt(isExtra: number > 1, isSuccess: isSuccess))
    if !isSuccess { throw Unavailable() }
    return "done"
  }

  private static func hold(
    _ attempts: [Attempt], _ budget: Resilience.RetryBudget.Snapshot
  ) throws {
    let successes = attempts.count { $0.isSuccess }
    let failures = attempts.count { $0.isExtra && !$0.isSuccess }
    try Broken.unless(
      Double(failures) <= 0.5 * Double(successes) + 1, "RB-3", "\(failures), \(successes)")
    try Broken.unless(budget.successes == successes, "RB-1", "\(successes), \(budget)")
    try Broken.unless(
      budget.withdrawn - budget.givenBack == failures, "X-4", "\(failures), \(budget)")
  }
}
