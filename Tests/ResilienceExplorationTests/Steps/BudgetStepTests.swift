import Testing

@Suite("The retry budget, in every order of its steps")
struct BudgetStepTests {
  @Test("RB-1, RB-3: each success is deposited once, and no token is taken twice")
  func deposits() {
    let exploration = explored([Self.succeed, Self.withdraw, Self.withdraw])
    #expect(exploration.flaw == nil)
    #expect(exploration.states == 40)
    // A success that comes while the budget is full fills it no further.
    let tokens = [0, 0.5]
    #expect(
      exploration.endings
        == Set(
          tokens.flatMap { tokens in
            [["has a token", "has none"], ["has none", "has a token"]].map { told in
              Ending(["succeeded"] + told, tokens: tokens, successes: 1, withdrawn: 1, refused: 1)
            }
          }))
  }

  @Test("RB-1: a token that is given back is there for the next, up to the capacity")
  func givingBack() {
    let exploration = explored([Self.retry, Self.retry, Self.succeed])
    #expect(exploration.flaw == nil)
    #expect(exploration.states == 348)
    #expect(
      exploration.endings == [
        Ending(
          ["retried", "retried", "succeeded"], tokens: 1.5, capacity: 1.5, successes: 3,
          withdrawn: 2, givenBack: 2),
        Ending(
          ["retried", "has none", "succeeded"], tokens: 1, successes: 2, withdrawn: 1, refused: 1,
          givenBack: 1),
        Ending(
          ["has none", "retried", "succeeded"], tokens: 1, successes: 2, withdrawn: 1, refused: 1,
          givenBack: 1),
      ])
  }

  @Test("a machine that breaks its promises is found out")
  func faults() throws {
    let threads = [Self.succeed, Self.succeed, Self.withdraw]
    for (fault, steps) in [(Machine.Fault.changeInHalves, 7), (.exchangeInHalves, 6)] {
      let sound = explored(threads)
      let found = explored(threads, on: fault, allowing: sound.endings).counterexample
      let counterexample = try #require(found)
      #expect(counterexample.steps.count == steps, "\(counterexample)")
    }
  }
}

extension BudgetStepTests {
  fileprivate struct Ending: Hashable, Sendable {
    let told: [String]
    let budget: RetryBudget.Snapshot

    init(_ told: [String], _ budget: RetryBudget.Snapshot) {
      self.told = told
      self.budget = budget
    }

    init(
      _ told: [String], tokens: Double, capacity: Double = 1, successes: Int, withdrawn: Int,
      refused: Int = 0, givenBack: Int = 0
    ) {
      self.init(
        told,
        RetryBudget.Snapshot(
          name: "users", tokens: tokens, capacity: capacity, successes: successes,
          withdrawn: withdrawn, refused: refused, givenBack: givenBack))
    }
  }

  private typealias Thread = @Sendable (RetryBudget) -> String

  private static let succeed: Thread = { budget in
    budget.succeed()
    return "succeeded"
  }

  private static let withdraw: Thread = { budget in
    budget.withdraw() ? "has a token" : "has none"
  }

  /// An extra attempt that succeeds.
  private static let retry: Thread = { budget in
    guard budget.withdraw() else { return "has none" }
    budget.succeed()
    budget.giveBack()
    return "retried"
  }

  private func explored(
    _ threads: [Thread], on fault: Machine.Fault = .none, allowing allowed: Set<Ending>? = nil
  ) -> StepExploration<Ending> {
    let program = StepProgram(
      subject: { RetryBudget("users", ratio: 0.5, clock: StillClock()) },
      threads: threads.map { thread in { budget in thread(budget) } },
      ending: { budget, told in Ending(told, budget.snapshot()) },
      allows: { allowed?.contains($0) ?? true })
    return program.explored(on: fault)
  }
}
