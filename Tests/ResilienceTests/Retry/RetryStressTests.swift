import ResilienceTesting
import Testing

@testable import Resilience

@Suite("Retry: many threads", .timeLimit(.minutes(20)))
struct RetryStressTests {
  /// What the calls of one thread came to, as their operations know it.
  struct Account: Sendable, Equatable {
    var totals = Retry.Totals()
    var successes = 0
    var failedExtra = 0

    static func += (sum: inout Account, other: Account) {
      sum.totals.retries += other.totals.retries
      sum.totals.recovered += other.totals.recovered
      sum.totals.exhausted += other.totals.exhausted
      sum.totals.stopped += other.totals.stopped
      sum.successes += other.successes
      sum.failedExtra += other.failedExtra
    }
  }

  @Test("X-3: copies on many threads lose no count, no token and no event", arguments: 0..<2)
  func copies(seed: UInt64) async {
    let events = EventRecorder()
    // Its time stands still, so that no success leaves the window on a slow machine.
    let budget = RetryBudget(minimumCapacity: 100_000, clock: VirtualClock())
    let account = await Self.callOnManyThreads(budget, events, seed: seed)
    #expect(budget.spent == account.failedExtra)
    #expect(budget.snapshot().withdrawn == account.totals.retries)
    #expect(budget.snapshot().successes == account.successes)
    // The retry is gone, and has delivered what its last turn left.
    let totals = account.totals
    #expect(
      events.events.count
        == totals.retries + totals.recovered + totals.exhausted + totals.stopped)
    #expect(totals.retries > 1_000)
  }

  private static func callOnManyThreads(
    _ budget: RetryBudget, _ events: EventRecorder, seed: UInt64
  ) async -> Account {
    let retry = Retry(maxAttempts: 4, backoff: .none, budget: budget, observers: [events])
    let account = await withTaskGroup(of: Account.self) { group in
      for thread in 0..<8 {
        group.addTask { await Self.call(retry, seed: 8 * seed + UInt64(thread)) }
      }
      return await group.reduce(into: Account()) { $0 += $1 }
    }
    #expect(retry.snapshot().totals == account.totals)
    return account
  }

  @concurrent
  private static func call(_ retry: Retry, seed: UInt64) async -> Account {
    var dice = Dice(seed: seed)
    var account = Account()
    for _ in 0..<400 {
      var attempts = 0
      do {
        try await retry.run { execution in
          attempts = execution.attempt
          let face = Int.random(in: 0..<4, using: &dice)
          if face == 0 { return }
          if face == 1 { await Task.yield() }
          if face == 2, attempts > 1 { throw CancellationError() }
          if attempts > 1 { account.failedExtra += 1 }
          throw Unavailable()
        }
        account.successes += 1
        if attempts > 1 { account.totals.recovered += 1 }
      } catch is CancellationError { account.totals.stopped += 1 } catch {
        account.totals.exhausted += 1
      }
      account.totals.retries += attempts - 1
    }
    return account
  }
}
