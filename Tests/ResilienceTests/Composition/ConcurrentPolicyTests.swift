import Resilience
import Synchronization
import Testing

@Suite("Policies of somebody else, and policies that run an operation concurrently")
struct ConcurrentPolicyTests {
  struct Mishap: Error {}

  /// Adds nothing.
  struct PassThrough: ResiliencePolicy {
    func execute<Success: ~Copyable>(
      _ execution: Execution, _ operation: (Execution) async throws -> Graded<Success>
    ) async throws -> Graded<Success> {
      try await operation(execution)
    }
  }

  /// Tries again once, after an error or a result that counts as a failure.
  struct Twice: ResiliencePolicy {
    func execute<Success: ~Copyable>(
      _ execution: Execution, _ operation: (Execution) async throws -> Graded<Success>
    ) async throws -> Graded<Success> {
      do {
        let graded = try await operation(execution)
        if graded.outcome != .failure { return graded }
      } catch let error where Outcome(classifying: error) == .ignored {
        throw error
      } catch {}
      try Task.checkCancellation()
      return try await operation(
        Execution(attempt: execution.attempt + 1, hedge: execution.hedge))
    }
  }

  /// One policy inside another, composed through the requirement.
  struct Stack<Outer: ResiliencePolicy, Inner: ResiliencePolicy>: ResiliencePolicy {
    let outer: Outer
    let inner: Inner

    func execute<Success: ~Copyable>(
      _ execution: Execution, _ operation: (Execution) async throws -> Graded<Success>
    ) async throws -> Graded<Success> {
      try await outer.execute(execution) { try await inner.execute($0, operation) }
    }
  }

  /// Runs the operation twice at once; the first that ends well wins.
  struct Race: ConcurrentPolicy {
    func execute<Success: Sendable>(
      _ execution: Execution,
      concurrently operation: @escaping @Sendable (Execution) async throws -> Graded<Success>
    ) async throws -> Graded<Success> {
      async let first = operation(execution)
      async let second = operation(Execution(attempt: execution.attempt, hedge: 1))
      let (one, other) = (try? await first, try? await second)
      guard let winner = one ?? other else { throw Mishap() }
      return winner
    }
  }

  /// A policy of the weaker kind around one of the stronger.
  struct Wrapped<Outer: ConcurrentPolicy, Inner: ConcurrentPolicy>: ConcurrentPolicy {
    let outer: Outer
    let inner: Inner

    func execute<Success: Sendable>(
      _ execution: Execution,
      concurrently operation: @escaping @Sendable (Execution) async throws -> Graded<Success>
    ) async throws -> Graded<Success> {
      try await outer.execute(execution) {
        try await inner.execute($0, concurrently: operation)
      }
    }
  }

  private static func breaker(_ name: String = "breaker") -> CircuitBreaker {
    CircuitBreaker(name, tripping: .consecutiveFailures(100), over: .sinceTransition)
  }

  private static func outcomes(of breaker: CircuitBreaker) -> [Int] {
    let counts = breaker.snapshot().counts
    return [counts.successes, counts.failures, counts.ignored, counts.inFlight]
  }
}

// MARK: - ResiliencePolicy

extension ConcurrentPolicyTests {
  @Test("a policy of somebody else has every call site")
  func thirdParty() async throws {
    #expect(try await PassThrough().run { 1 } == 1)
    #expect(try await PassThrough().run { $0.attempt } == 1)
    let answer = try await PassThrough().run {
      2
    } failingWhen: {
      $0 == 2
    } fallback: { _ in
      3
    }
    #expect(answer == 3)
    await #expect(throws: Mishap.self) { try await PassThrough().run { throw Mishap() } }
  }

  @Test("what repeats the operation tells it so, through policies that know nothing of it")
  func attempts() async throws {
    let breaker = Self.breaker()
    var attempts: [Execution] = []
    let stack = Stack(outer: Twice(), inner: Stack(outer: PassThrough(), inner: breaker))
    let answer = try await stack.run { execution in
      attempts.append(execution)
      if execution.attempt == 1 { throw Mishap() }
      return execution.attempt
    }
    #expect(answer == 2)
    #expect(attempts == [Execution(attempt: 1), Execution(attempt: 2)])
    #expect(Self.outcomes(of: breaker) == [1, 1, 0, 0])
  }

  @Test("nested calls do the same as a composition")
  func nestedCalls() async throws {
    let (inner, outer) = (Self.breaker(), Self.breaker())
    var calls = 0
    let answer = try await outer.run {
      try await Twice().run { execution in
        try await inner.run {
          calls += 1
          if execution.attempt == 1 { throw Mishap() }
          return execution.attempt
        }
      }
    }
    #expect(answer == 2)
    #expect(calls == 2)
    #expect(Self.outcomes(of: inner) == [1, 1, 0, 0])
    #expect(Self.outcomes(of: outer) == [1, 0, 0, 0])
  }

  @Test("X-2: one verdict a value, and every layer sees it")
  func gradeTravels() async throws {
    let (inner, outer) = (Self.breaker("inner"), Self.breaker("outer"))
    var asked: [Int] = []
    let stack = Stack(outer: outer, inner: Stack(outer: Twice(), inner: inner))
    let status = try await stack.run { execution in
      execution.attempt == 1 ? 503 : 500
    } failingWhen: { status in
      asked.append(status)
      return status >= 500
    }
    #expect(status == 500)
    #expect(asked == [503, 500])
    #expect(Self.outcomes(of: inner) == [0, 2, 0, 0])
    #expect(Self.outcomes(of: outer) == [0, 1, 0, 0])
  }

  @Test("X-2: a verdict that an operation brings along is the one that counts")
  func gradedByHand() async throws {
    let (inner, outer) = (Self.breaker("inner"), Self.breaker("outer"))
    let stack = Stack(outer: outer, inner: inner)
    for outcome in [Outcome.success, .failure, .ignored, .failure] {
      let graded = try await stack.execute(Execution()) { _ in Graded("value", outcome: outcome) }
      #expect(graded.outcome == outcome)
      #expect(graded.value == "value")
    }
    #expect(Self.outcomes(of: inner) == [1, 2, 1, 0])
    #expect(Self.outcomes(of: outer) == [1, 2, 1, 0])
  }

  @Test("policies behind `any`, and in a list")
  func erased() async throws {
    let breaker = Self.breaker()
    let policies: [any ResiliencePolicy] = [PassThrough(), Twice(), breaker]
    for policy in policies {
      #expect(try await policy.run { $0.attempt } == 1)
      let answer = try await policy.run {
        throw Mishap()
      } fallback: { _ in
        4
      }
      #expect(answer == 4)
    }
    #expect(Self.outcomes(of: breaker) == [1, 1, 0, 0])
  }
}

// MARK: - ConcurrentPolicy

extension ConcurrentPolicyTests {
  @Test("an operation may run twice at a time, and each run says which it is")
  func race() async throws {
    let hedges = Mutex<Set<Int>>([])
    let answer = try await Race().run { execution in
      _ = hedges.withLock { $0.insert(execution.hedge) }
      if execution.hedge == 0 { throw Mishap() }
      return execution.hedge
    }
    #expect(answer == 1)
    #expect(hedges.withLock { $0 } == [0, 1])
    await #expect(throws: Mishap.self) { try await Race().run { _ in throw Mishap() } }
  }

  @Test("X-2: a concurrent policy asks for one verdict a value as well")
  func gradeOfRace() async throws {
    let breaker = Self.breaker()
    let asked = Atomic(0)
    let policy = Wrapped(outer: Race(), inner: breaker)
    let status = try await policy.run { _ in
      503
    } failingWhen: { status in
      asked.add(1, ordering: .relaxed)
      return status == 503
    }
    #expect(status == 503)
    #expect(asked.load(ordering: .relaxed) == 2)
    #expect(Self.outcomes(of: breaker) == [0, 2, 0, 0])
  }

  @Test("a policy of the stronger kind serves as one of the weaker, by name, generic and erased")
  func refined() async throws {
    func call(_ policy: some ConcurrentPolicy) async throws -> Int {
      try await policy.run { execution in execution.attempt }
    }
    let breaker = Self.breaker()
    #expect(try await call(breaker) == 1)
    let policies: [any ConcurrentPolicy] = [Race(), breaker, PassThrough()]
    for policy in policies {
      #expect(try await policy.run { _ in 5 } == 5)
      #expect(try await policy.run({ _ in 6 }, failingWhen: { _ in true }) == 6)
    }
    let graded = try await breaker.execute(
      Execution(attempt: 3), concurrently: { Graded($0.attempt) })
    #expect(graded.value == 3)
    #expect(Self.outcomes(of: breaker) == [3, 1, 0, 0])
  }

  @Test("a breaker inside a race counts both runs, and holds nothing afterwards")
  func breakerInRace() async throws {
    let breaker = Self.breaker()
    let policy = Wrapped(outer: Race(), inner: Wrapped(outer: breaker, inner: PassThrough()))
    for _ in 0..<100 {
      _ = try await policy.run { execution in
        await Task.yield()
        if execution.hedge == 1 { throw Mishap() }
      }
    }
    #expect(Self.outcomes(of: breaker) == [100, 100, 0, 0])
    #expect(breaker.snapshot().running == 0)
  }
}
