import Testing

@testable import Resilience

@Suite("Many threads on one retry budget (RB-3)", .timeLimit(.minutes(20)))
struct RetryBudgetStressTests {
  private struct Tally: Hashable, Sendable {
    var successes = 0
    var granted = 0
    var refused = 0
    var givenBack = 0

    static func += (left: inout Tally, right: Tally) {
      left.successes += right.successes
      left.granted += right.granted
      left.refused += right.refused
      left.givenBack += right.givenBack
    }
  }

  @Test("RB-3: as many tokens are granted as there are, however many ask (failsafe P09)")
  func withdrawIsAtomic() async {
    for _ in 0..<20 {
      let budget = RetryBudget(clock: SteppedClock())
      budget.succeed(1_000)
      let granted = await withTaskGroup(of: Int.self) { group in
        for _ in 0..<8 {
          group.addTask { (0..<50).count { _ in budget.withdraw() } }
        }
        return await group.reduce(0, +)
      }
      #expect(granted == 100)
      let snapshot = budget.snapshot()
      #expect([snapshot.withdrawn, snapshot.refused] == [100, 300])
      #expect(snapshot.tokens == 0)
    }
  }

  @Test("RB-1, RB-3: every success and every token is counted exactly once", arguments: [2, 8])
  func countsExactly(threads: Int) async {
    // While the clock stands still and one token is away, no token is lost to the capacity.
    let budget = RetryBudget(clock: SteppedClock())
    #expect(budget.withdraw())
    let isOver = Shared(false)
    let known = await withTaskGroup(of: Tally.self) { group in
      group.addTask {
        await Self.watch(budget, until: isOver)
        return Tally()
      }
      return await withTaskGroup(of: Tally.self) { callers in
        for thread in 0..<threads {
          callers.addTask { Self.call(budget, seed: UInt64(thread)) }
        }
        let known = await callers.reduce(into: Tally()) { $0 += $1 }
        isOver.value = true
        return known
      }
    }
    let failed = 1 + known.granted - known.givenBack
    let snapshot = budget.snapshot()
    #expect(
      snapshot
        == RetryBudget.Snapshot(
          name: "retry-budget", tokens: Double(known.successes + 10 - 10 * failed) / 10,
          capacity: max(1, Double(known.successes) / 10), successes: known.successes,
          withdrawn: 1 + known.granted, refused: known.refused, givenBack: known.givenBack))
    #expect(10 * failed <= known.successes + 10)
    #expect(known.granted > 100 && known.refused > 100 && known.givenBack > 100)
  }

  @Test("RB-3: the bound holds while time passes and tokens are lost with it", arguments: [2, 8])
  func bound(threads: Int) async {
    let clock = SteppedClock()
    let budget = RetryBudget(clock: clock)
    let known = await withTaskGroup(of: Tally.self) { group in
      for thread in 0..<threads {
        group.addTask { Self.call(budget, seed: UInt64(thread), clock) }
      }
      return await group.reduce(into: Tally()) { $0 += $1 }
    }
    let snapshot = budget.snapshot()
    #expect(
      [snapshot.withdrawn, snapshot.refused, snapshot.givenBack]
        == [known.granted, known.refused, known.givenBack])
    #expect(10 * (known.granted - known.givenBack) <= known.successes + 10)
    #expect(snapshot.successes < known.successes)
  }

  // MARK: - What the threads do

  private static func call(
    _ budget: RetryBudget, seed: UInt64, _ clock: SteppedClock? = nil
  ) -> Tally {
    var dice = Dice(seed: seed)
    var known = Tally()
    for _ in 0..<2_000 {
      clock?.advance(by: .milliseconds(Int.random(in: 0...20, using: &dice)))
      if Int.random(in: 0..<3, using: &dice) > 0 {
        budget.succeed()
        known.successes += 1
      } else {
        known += retry(budget, &dice)
      }
    }
    return known
  }

  /// An extra attempt, if it is granted; half of them succeed.
  private static func retry(_ budget: RetryBudget, _ dice: inout Dice) -> Tally {
    guard budget.withdraw() else { return Tally(refused: 1) }
    guard Bool.random(using: &dice) else { return Tally(granted: 1) }
    budget.succeed()
    budget.giveBack()
    return Tally(successes: 1, granted: 1, givenBack: 1)
  }

  /// Whatever happens, counts only grow and no token is above the capacity.
  private static func watch(_ budget: RetryBudget, until isOver: Shared<Bool>) async {
    var before = budget.snapshot()
    while !isOver.value {
      let now = budget.snapshot()
      let isSound =
        (0...now.capacity).contains(now.tokens) && now.successes >= before.successes
        && now.withdrawn >= before.withdrawn && now.refused >= before.refused
        && now.givenBack >= before.givenBack && now.givenBack <= now.withdrawn
      if !isSound { Issue.record("\(before)\nthen\n\(now)") }
      before = now
      await Task.yield()
    }
  }
}
