import Testing

@testable import Resilience

@Suite("Retry budget (RB-1)")
struct RetryBudgetTests {
  let clock = SteppedClock()

  private func budget(
    ratio: Double = 0.1, window: Duration = .seconds(10), minimumCapacity: Int = 1
  ) -> RetryBudget {
    RetryBudget(
      "users", ratio: ratio, window: window, minimumCapacity: minimumCapacity, clock: clock)
  }

  private func snapshot(
    tokens: Double, capacity: Double, successes: Int = 0, withdrawn: Int = 0, refused: Int = 0,
    givenBack: Int = 0
  ) -> RetryBudget.Snapshot {
    RetryBudget.Snapshot(
      name: "users", tokens: tokens, capacity: capacity, successes: successes,
      withdrawn: withdrawn, refused: refused, givenBack: givenBack)
  }

  @Test("RB-1: a budget starts with one token, and time brings none")
  func start() {
    let budget = budget()
    #expect(budget.snapshot() == snapshot(tokens: 1, capacity: 1))
    #expect(budget.withdraw())
    #expect(!budget.withdraw())
    clock.advance(by: .seconds(365 * 86_400))
    #expect(!budget.withdraw())
    #expect(budget.snapshot() == snapshot(tokens: 0, capacity: 1, withdrawn: 1, refused: 2))
  }

  @Test("RB-1: without settings, one in ten of the successes in 10 s, and at least one")
  func defaults() {
    let clock = SteppedClock()
    let budget = RetryBudget(clock: clock)
    budget.succeed(1_000)
    #expect(budget.withdraw())
    clock.advance(by: .seconds(10) - .tick)
    #expect(
      budget.snapshot()
        == RetryBudget.Snapshot(
          name: "retry-budget", tokens: 99, capacity: 100, successes: 1_000, withdrawn: 1,
          refused: 0, givenBack: 0))
    clock.advance(by: .tick)
    #expect(budget.snapshot().capacity == 1)
    let configuration = RetryBudget.Configuration()
    #expect(
      configuration
        == .init(ratio: 0.1, window: .seconds(10), minimumCapacity: 1))
    #expect(configuration.description == "0.1 of the successes in 10.0 seconds, at least 1")
  }

  @Test("RB-1: ten successes pay for one extra attempt, and nine do not")
  func deposits() {
    let budget = budget()
    #expect(budget.withdraw())
    budget.succeed(9)
    #expect(!budget.withdraw())
    #expect(
      budget.snapshot()
        == snapshot(tokens: 0.9, capacity: 1, successes: 9, withdrawn: 1, refused: 1))
    budget.succeed()
    #expect(budget.withdraw())
    #expect(
      budget.snapshot()
        == snapshot(tokens: 0, capacity: 1, successes: 10, withdrawn: 2, refused: 1))
  }

  @Test("RB-1: tokens are capped at a tenth of the successes in the window")
  func cap() {
    let budget = budget()
    budget.succeed(100)
    #expect(budget.snapshot() == snapshot(tokens: 10, capacity: 10, successes: 100))
    let granted = (0..<20).count { _ in budget.withdraw() }
    #expect(granted == 10)
    #expect(
      budget.snapshot()
        == snapshot(tokens: 0, capacity: 10, successes: 100, withdrawn: 10, refused: 10))
  }

  @Test("RB-1: an extra attempt that succeeds gets its token back, and brings a deposit")
  func refund() {
    let budget = budget()
    budget.succeed(20)
    #expect(budget.withdraw())
    #expect(budget.withdraw())
    #expect(budget.snapshot().tokens == 0)
    budget.succeed()
    budget.giveBack()
    #expect(
      budget.snapshot()
        == snapshot(tokens: 1.1, capacity: 2.1, successes: 21, withdrawn: 2, givenBack: 1))
  }

  @Test("RB-1: what is given back above the capacity is lost")
  func refundIsCapped() {
    let budget = budget()
    #expect(budget.withdraw())
    budget.succeed(5)
    budget.giveBack()
    #expect(
      budget.snapshot()
        == snapshot(tokens: 1, capacity: 1, successes: 5, withdrawn: 1, givenBack: 1))
  }

  @Test("RB-1: a token that nobody took cannot be given back")
  func refundOfNothing() {
    let budget = budget(minimumCapacity: 2)
    #expect(budget.withdraw())
    budget.giveBack()
    budget.succeed(100)
    #expect(budget.withdraw())
    let before = budget.snapshot()
    budget.giveBack()
    budget.giveBack()
    #expect(before.tokens == 9)
    #expect(
      budget.snapshot()
        == snapshot(tokens: 10, capacity: 10, successes: 100, withdrawn: 2, givenBack: 2))
  }

  @Test("RB-1: five tokens at the start, and never a smaller capacity, where that is asked for")
  func minimumCapacity() {
    let budget = budget(minimumCapacity: 5)
    #expect(budget.snapshot() == snapshot(tokens: 5, capacity: 5))
    #expect((0..<9).count { _ in budget.withdraw() } == 5)
    budget.succeed(50)
    #expect(budget.snapshot().tokens == 5)
    budget.succeed(10)
    #expect(budget.snapshot().capacity == 6)
    clock.advance(by: .seconds(60))
    #expect(
      budget.snapshot()
        == snapshot(tokens: 5, capacity: 5, successes: 10, withdrawn: 5, refused: 4))
  }

  @Test("RB-1: a rate of 0.2 grants two of ten, and not a third (failsafe P09b)")
  func exactRate() {
    let budget = budget(ratio: 0.2)
    budget.succeed(10)
    #expect((0..<10).count { _ in budget.withdraw() } == 2)
  }

  @Test(
    "RB-1: ratios are exact, however many successes",
    arguments: [(0.1, 1, 10), (0.3, 3, 10), (1.0 / 3, 1, 3), (0.07, 7, 100), (1, 1, 1)])
  func ratios(ratio: Double, part: Int, whole: Int) {
    let budget = budget(ratio: ratio)
    #expect(budget.withdraw())
    for number in 1...1_000 {
      budget.succeed(whole)
      for _ in 0..<part {
        if !budget.withdraw() { Issue.record("\(ratio): refused after \(number * whole)") }
      }
      if budget.withdraw() { Issue.record("\(ratio): granted after \(number * whole)") }
    }
    #expect(budget.snapshot().tokens == 0)
  }
}

// MARK: - Time

extension RetryBudgetTests {
  @Test("RB-1: successes leave the window, the capacity shrinks, and the tokens with it")
  func expiry() {
    let budget = budget()
    budget.succeed(101)
    #expect(budget.withdraw())
    clock.advance(by: .seconds(5))
    budget.succeed(50)
    clock.advance(by: .seconds(1))
    #expect(
      budget.snapshot() == snapshot(tokens: 14.1, capacity: 15.1, successes: 151, withdrawn: 1))
    clock.advance(by: .seconds(4) - .tick)
    #expect(budget.withdraw())
    #expect(
      budget.snapshot() == snapshot(tokens: 13.1, capacity: 15.1, successes: 151, withdrawn: 2))
    // Nobody asked between 0 and 10 s, so the 50 count as spread over that time, and the first two
    // of them leave with the 101.
    clock.advance(by: .tick)
    #expect(
      budget.snapshot() == snapshot(tokens: 4.8, capacity: 4.8, successes: 48, withdrawn: 2))
    clock.advance(by: .seconds(10))
    #expect(budget.snapshot() == snapshot(tokens: 1, capacity: 1, withdrawn: 2))
  }

  @Test("RT-7: successes since the last asking count as spread evenly over the time since")
  func spreading() {
    let budget = budget()
    clock.advance(by: .milliseconds(20_250))
    budget.succeed(810)
    // 40 a second: 19 slices of half a second, and the present one, which is half over.
    #expect(budget.snapshot() == snapshot(tokens: 39, capacity: 39, successes: 390))
    #expect(budget.withdraw())
    // From now on one slice after the other leaves.
    for slice in 1...19 {
      clock.advance(by: .milliseconds(500))
      #expect(budget.snapshot().successes == 390 - 20 * slice)
    }
    clock.advance(by: .milliseconds(500))
    #expect(budget.snapshot() == snapshot(tokens: 1, capacity: 1, withdrawn: 1))
  }

  @Test("RT-7: within less than a slice nothing is spread beyond it")
  func spreadingInSlice() {
    let budget = budget()
    clock.advance(by: .milliseconds(100))
    budget.succeed(10)
    #expect(budget.withdraw())
    clock.advance(by: .seconds(10) - .milliseconds(100) - .tick)
    #expect(budget.snapshot().successes == 10)
    clock.advance(by: .tick)
    #expect(budget.snapshot().successes == 0)
  }

  @Test("RB-1: after a year without calls there is one token, and asking is as fast as ever")
  func idling() {
    let budget = budget(window: .microseconds(1))
    budget.succeed(1_000)
    #expect(budget.withdraw())
    clock.advance(by: .seconds(365 * 86_400))
    budget.succeed(1_000)
    // 50 ns slices: would not end if each were visited.
    #expect(budget.withdraw())
    // A success cannot be divided, and the last of them was just now.
    #expect(
      budget.snapshot() == snapshot(tokens: 0, capacity: 1, successes: 1, withdrawn: 2))
  }

  @Test("RB-1: a clock that goes back stands still, and goes on from there")
  func clockGoingBack() {
    clock.set(to: 1_000_000_000_000)
    let budget = budget()
    budget.succeed(100)
    #expect(budget.withdraw())
    clock.set(to: 0)
    #expect(
      budget.snapshot() == snapshot(tokens: 9, capacity: 10, successes: 100, withdrawn: 1))
    #expect(budget.withdraw())
    clock.advance(by: .seconds(10) - .tick)
    #expect(
      budget.snapshot() == snapshot(tokens: 8, capacity: 10, successes: 100, withdrawn: 2))
    clock.advance(by: .tick)
    #expect(budget.snapshot() == snapshot(tokens: 1, capacity: 1, withdrawn: 2))
  }

  @Test("X-3: a snapshot changes nothing")
  func snapshotIsPassive() {
    let (watched, alone) = (budget(), budget())
    var dice = Dice(seed: 3)
    var watchedGrants: [Bool] = []
    var aloneGrants: [Bool] = []
    for _ in 0..<3_000 {
      clock.advance(by: .milliseconds(Int.random(in: 0...900, using: &dice)))
      _ = watched.snapshot()
      let successes = Int.random(in: 0...4, using: &dice)
      watched.succeed(successes)
      alone.succeed(successes)
      #expect(watched.snapshot() == alone.snapshot())
      guard Int.random(in: 0..<3, using: &dice) == 0 else { continue }
      watchedGrants.append(watched.withdraw())
      aloneGrants.append(alone.withdraw())
    }
    #expect(watchedGrants == aloneGrants)
    #expect(Set(watchedGrants) == [true, false])
  }
}

extension RetryBudget {
  func succeed(_ count: Int) {
    for _ in 0..<count { succeed() }
  }
}
