import Resilience
import ResilienceTesting
import Testing

@Suite("Retry: nested retries do not multiply")
struct RetryNestingTests {
  private static func retry(
    _ clock: VirtualClock, attempts: Int = 3, nesting: Retry.Nesting = .once,
    budget: RetryBudget? = nil
  ) -> Retry {
    Retry(
      maxAttempts: attempts, backoff: .constant(.seconds(1), jitter: .none), nesting: nesting,
      budget: budget, clock: clock)
  }

  /// Fails under three retries, one in another.
  private static func fail(_ a: Retry, _ b: Retry, _ c: Retry) async -> Int {
    var calls = 0
    // A helper, as services have them: nothing is handed on.
    func last() async throws {
      try await c.run {
        calls += 1
        throw NumberedError(calls)
      }
    }
    do {
      try await a.run { try await b.run { try await last() } }
      Issue.record("no error")
    } catch { #expect((error as? NumberedError)?.number == calls) }
    return calls
  }

  @Test("RT-5: three retries in a row make three calls, not 27 (failsafe P22)")
  func threeDeep() async throws {
    try await withVirtualTime { clock in
      let (a, b, c) = (Self.retry(clock), Self.retry(clock), Self.retry(clock))
      #expect(await Self.fail(a, b, c) == 3)
      #expect(clock.now.offset == .seconds(2))
      #expect(a.snapshot().totals == .init(retries: 2, exhausted: 1))
      #expect(b.snapshot().totals == .init())
      #expect(c.snapshot().totals == .init())
      // Outside of the others, each is what it was.
      #expect(await Self.fail(b, c, a) == 3)
    }
  }

  @Test("RT-5: those that are allowed to multiply do; the others still do not")
  func allowed() async throws {
    try await withVirtualTime { clock in
      let all = (0..<3).map { _ in Self.retry(clock, nesting: .allowed) }
      #expect(await Self.fail(all[0], all[1], all[2]) == 27)
      let once = Self.retry(clock)
      #expect(await Self.fail(once, all[0], all[1]) == 27)
      #expect(await Self.fail(all[0], once, all[1]) == 9)
      #expect(await Self.fail(all[0], all[1], once) == 9)
      #expect(await Self.fail(once, once, all[0]) == 9)
    }
  }

  @Test("RT-5: a retry of one attempt leaves it to those inside to make more")
  func oneAttempt() async throws {
    try await withVirtualTime { clock in
      let (outer, b, c) = (Self.retry(clock, attempts: 1), Self.retry(clock), Self.retry(clock))
      #expect(await Self.fail(outer, b, c) == 3)
      #expect(outer.snapshot().totals == .init(exhausted: 1))
      #expect(b.snapshot().totals == .init(retries: 2, exhausted: 1))
      // It does not hide the one around it, either.
      let between = Self.retry(clock, attempts: 1, nesting: .allowed)
      #expect(await Self.fail(b, between, c) == 3)
      #expect(c.snapshot().totals == .init())
    }
  }

  /// The ways in which work inside an attempt comes to be in another task.
  enum Way: CaseIterable {
    case asyncLet, group, timeout, unstructured
  }

  @Test(
    "RT-5: child tasks are inside the attempt, and so is a task that it waits for",
    arguments: Way.allCases)
  func childTasks(_ way: Way) async throws {
    try await withVirtualTime { clock in
      let (outer, inner, calls) = (Self.retry(clock), Self.retry(clock), Shared(0))
      let work: @Sendable () async throws -> Void = {
        try await inner.run {
          calls.value += 1
          try await clock.sleep(for: .milliseconds(10))
          throw NumberedError(1)
        }
      }
      do {
        try await outer.run {
          switch way {
          case .asyncLet:
            async let done: Void = work()
            try await done
          case .group:
            try await withThrowingTaskGroup(of: Void.self) { group in
              group.addTask { try await work() }
              try await group.waitForAll()
            }
          case .timeout: try await Timeout(.seconds(60), clock: clock).run { try await work() }
          case .unstructured:
            try await Task(executorPreference: clock.executor) { try await work() }.value
          }
        }
        Issue.record("no error")
      } catch {}
      #expect(calls.value == 3)
    }
  }

  @Test("DL-3, RT-5: a task that outlives its attempt is inside no attempt, though another runs")
  func outlives() async throws {
    try await withVirtualTime { clock in
      let (outer, inner, calls) = (Self.retry(clock), Self.retry(clock), Shared(0))
      let left = Shared<Task<Void, any Error>?>(nil)
      try await outer.run { execution in
        guard execution.attempt == 1 else {
          // Begins its own attempts while this one runs.
          try? await left.value?.value
          return
        }
        left.value = Task(executorPreference: clock.executor) {
          try await clock.sleep(for: .milliseconds(1500))
          try await inner.run {
            calls.value += 1
            throw NumberedError(1)
          }
        }
        throw NumberedError(2)
      }
      #expect(calls.value == 3)
      #expect(inner.snapshot().totals == .init(retries: 2, exhausted: 1))
      #expect(clock.now.offset == .milliseconds(3500))
    }
  }

  @Test("RT-5: after an attempt the task is free, also inside a fallback")
  func afterwards() async throws {
    try await withVirtualTime { clock in
      let (outer, inner) = (Self.retry(clock, attempts: 1), Self.retry(clock))
      var calls = 0
      let attempts = try await outer.run { () -> Int in
        throw NumberedError(1)
      } fallback: { _ in
        try await inner.run { execution in
          calls += 1
          if execution.attempt < 3 { throw NumberedError(2) }
          return execution.attempt
        }
      }
      #expect(attempts == 3)
      #expect(calls == 3)
    }
  }

  @Test("RT-5: more attempts alive at once than there are slots for")
  func manyAtOnce() async throws {
    let count = 5_000
    try await withVirtualTime { clock in
      let (outer, inner) = (Self.retry(clock, attempts: 2), Self.retry(clock))
      let (calls, alive) = (Shared(0), Shared(0))
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<count {
          group.addTask {
            try? await outer.run {
              alive.value += 1
              try await clock.sleep(for: .seconds(10))
              #expect(alive.value >= count)
              try await inner.run {
                calls.value += 1
                throw NumberedError(1)
              }
            }
          }
        }
      }
      #expect(calls.value == 2 * count)
      #expect(inner.snapshot().totals == .init())
      #expect(outer.snapshot().totals == .init(retries: count, exhausted: count))
    }
  }
}

// MARK: - Budgets

extension RetryNestingTests {
  @Test(
    "RT-5, RB-1: a success is counted once in a budget that both share, and once in each of two")
  func budgets() async throws {
    try await withVirtualTime { clock in
      for nesting in [Retry.Nesting.once, .allowed] {
        let (one, other) = (RetryBudget(clock: clock), RetryBudget(clock: clock))
        let outer = Self.retry(clock, budget: one)
        for (budget, successes) in [(one, [1, 0]), (other, [2, 1]), (nil, [3, 1])] {
          let inner = Self.retry(clock, nesting: nesting, budget: budget)
          try await outer.run { try await inner.run {} }
          #expect([one, other].map { $0.snapshot().successes } == successes)
        }
        let inner = Self.retry(clock, nesting: nesting, budget: other)
        try await inner.run {}
        #expect([one, other].map { $0.snapshot().successes } == [3, 2])
      }
    }
  }

  @Test("RB-1, RB-3: a success is counted once in a budget, however many retries have it in common")
  func oneBudget() async throws {
    try await withVirtualTime { clock in
      let (budget, other) = (RetryBudget(clock: clock), RetryBudget(clock: clock))
      for nesting in [Retry.Nesting.once, .allowed] {
        let one = Self.retry(clock, attempts: 1, nesting: nesting, budget: budget)
        let three = Self.retry(clock, nesting: nesting, budget: budget)
        let apart = Self.retry(clock, nesting: nesting, budget: other)
        for retries in [[one, three], [three, one], [apart, one, three], [three, apart, three]] {
          let before = (budget.snapshot().successes, other.snapshot().successes)
          let all = retries.reduce(AnyResiliencePolicy(Self.retry(clock, attempts: 1))) {
            AnyResiliencePolicy(PolicyStack($0, $1))
          }
          try await all.run {}
          #expect(budget.snapshot().successes == before.0 + 1)
          #expect(other.snapshot().successes == before.1 + (retries.count - 2))
        }
      }
    }
  }

  @Test("RB-1: what a nested call threw or returned as a failure is no success")
  func nestedFailures() async throws {
    try await withVirtualTime { clock in
      let budget = RetryBudget(minimumCapacity: 10, clock: clock)
      let (outer, inner) = (Self.retry(clock), Self.retry(clock, budget: budget))
      _ = try? await outer.run { try await inner.run { throw NumberedError(1) } }
      let value = try await outer.run {
        try await inner.run {
          503
        } failingWhen: {
          $0 == 503
        }
      }
      #expect(value == 503)
      #expect(budget.snapshot().successes == 0)
      #expect(budget.snapshot().withdrawn == 0)
    }
  }

  @Test("RB-1: an inner success that the outer attempt makes nothing of is counted inside only")
  func successInsideFailure() async throws {
    try await withVirtualTime { clock in
      let budgets = (RetryBudget(minimumCapacity: 10, clock: clock), RetryBudget(clock: clock))
      let outer = Self.retry(clock, budget: budgets.0)
      let inner = Self.retry(clock, budget: budgets.1)
      _ = try? await outer.run {
        try await inner.run {}
        throw NumberedError(1)
      }
      #expect(budgets.0.snapshot().successes == 0)
      #expect(budgets.0.spent == 2)
      #expect(budgets.1.snapshot().successes == 3)
    }
  }
}
