import Resilience
import ResilienceTesting
import Testing

extension Documentation {
  /// A client that does what it is told; the composed example calls it.
  struct UserClient {
    var error: (any Error)?

    func user(_ id: Int) async throws -> User {
      if let error { throw error }
      return User(id: id)
    }
  }

  @Suite("Documentation: use of pipelines")
  struct PipelineUsage {
    static let guide = "\(catalog)/PipelineGuide.md"

    let id = 1

    @Test("the composed example answers, and its order has no known mistake")
    func composed() async throws {
      let id = id
      let cache = [id: User(id: id, name: "Ada, as last seen")]
      func find(_ client: UserClient) async throws -> (User?, [PipelineMistake]) {
        // snippet
        let users = Pipeline {
          Timeout(.seconds(1), name: "total")
          Retry("user-service", maxAttempts: 3)
          CircuitBreaker("user-service")
          Timeout(.milliseconds(250), name: "attempt")
        }

        let user = try await users.run {
          try await client.user(id)
        } fallback: { error in
          cache[id]
        }
        // end snippet
        return (user, users.validate())
      }
      let (fresh, mistakes) = try await find(UserClient())
      #expect(fresh == User(id: 1))
      #expect(mistakes == [])
      // An error that is not retried, so that nothing waits.
      let (known, _) = try await find(UserClient(error: CancellationError()))
      #expect(known?.name == "Ada, as last seen")
    }

    @Test("the long order has no known mistake, and what is full does not open the breaker")
    func everything() async throws {
      // snippet
      let users = Pipeline {
        Timeout(.seconds(1), name: "total")
        Retry("user-service")
        CircuitBreaker("user-service")
        RateLimiter("user-service", .perSecond(100), burst: 20, maxWait: .milliseconds(50))
        Bulkhead("user-service", limit: 25, queue: 25)
        Timeout(.milliseconds(250), name: "attempt")
      }
      // end snippet
      #expect(users.validate() == [])
      #expect(try await users.run { 1 } == 1)
    }

    @Test("what a full bulkhead refuses is neither a failure nor retried")
    func refusals() async throws {
      let bulkhead = Bulkhead("user-service", limit: 1)
      let breaker = CircuitBreaker("user-service", tripping: .consecutiveFailures(1))
      let retry = Retry("user-service")
      let users = Pipeline {
        retry
        breaker
        bulkhead
      }
      guard let permit = bulkhead.tryAcquire() else { return #expect(Bool(false)) }
      await #expect(throws: BulkheadFullError.self) { try await users.run { 1 } }
      #expect(breaker.snapshot().counts == .init(ignored: 1))
      #expect(retry.snapshot().totals.retries == 0)
      permit.release()
      #expect(try await users.run { 1 } == 1)
    }

    @Test("a pipeline prints as the guide says")
    func description() throws {
      let log = Log()
      // snippet
      let pipeline = Pipeline {
        Timeout(.seconds(1), name: "total")
        Retry()
        Timeout(.milliseconds(250), name: "attempt")
      }
      log.notice("\(pipeline)")
      // end snippet
      let shown = try blocks(inMarkdown: Self.guide).filter { $0.info == "text" }
      #expect(shown.map { $0.code.joined(separator: " ") } == log.lines)
    }

    var users: Pipeline<some ResiliencePolicy> {
      Pipeline {
        Timeout(.seconds(1), name: "total")
        Retry()
        CircuitBreaker("user-service")
        Timeout(.milliseconds(250), name: "attempt")
      }
    }

    // snippet
    @Test func ordersOfPoliciesAreSound() {
      #expect(users.validate() == [])
    }
    // end snippet
  }
}

// MARK: - Choosing and sharing

extension Documentation.PipelineUsage {
  typealias User = Documentation.User

  enum Tier: CaseIterable {
    case free, paid
  }

  @Test("a branch that is not taken adds no policy")
  func branches() {
    var names: [[String]] = []
    for (tier, budget) in [(Tier.free, nil), (.paid, RetryBudget())] {
      // snippet
      let pipeline = Pipeline {
        Timeout(.seconds(1), name: "total")
        if let budget { Retry(budget: budget) }
        switch tier {
        case .free: CircuitBreaker("free")
        case .paid: CircuitBreaker("paid")
        }
      }
      // end snippet
      names.append(pipeline.layers.map(\.name))
    }
    #expect(names == [["total", "free"], ["total", "retry", "paid"]])
  }

  @Test("policies without their types stand in one dictionary")
  func erased() async throws {
    let users = users
    // snippet
    let policies: [String: AnyResiliencePolicy] = [
      "users": AnyResiliencePolicy(users),
      "reports": AnyResiliencePolicy(Retry("reports", maxAttempts: 2)),
    ]
    // end snippet
    let answer = try await policies["reports"]?.run { 1 }
    #expect(answer == 1)
    #expect(policies["users"]?.layers == users.layers)
  }

  @Test("what one pipeline has found out, the other knows")
  func sharing() async throws {
    // snippet
    let breaker = CircuitBreaker("user-service")
    let budget = RetryBudget("user-service")
    let interactive = Pipeline {
      Retry("read-user", budget: budget)
      breaker
    }
    let nightly = Pipeline {
      Retry("sync-users", maxAttempts: 2, budget: budget)
      breaker
    }
    // end snippet
    try await interactive.run {}
    try await nightly.run {}
    #expect(budget.snapshot().successes == 2)
    #expect(breaker.snapshot().totals.successes == 2)
    breaker.isolate()
    await #expect(throws: CircuitOpenError.self) { try await nightly.run {} }
  }

  @Test("a pipeline that is put together at each use remembers by its policies")
  func kept() async throws {
    // snippet
    struct UserPolicies: Sendable {
      let retry = Retry("user-service")
      let breaker = CircuitBreaker("user-service")

      var pipeline: Pipeline<some ResiliencePolicy> {
        Pipeline {
          retry
          breaker
        }
      }
    }
    // end snippet
    let policies = UserPolicies()
    try await policies.pipeline.run {}
    try await policies.pipeline.run {}
    #expect(policies.breaker.snapshot().totals.successes == 2)
    #expect(policies.pipeline.validate() == [])
  }

  @Test("an operation that may run concurrently")
  func concurrent() async throws {
    let (clock, id) = (VirtualClock(), 1)
    let reports = Documentation.Reports(clock: clock)
    await clock.advance(by: .seconds(60))
    // snippet
    let pipeline = Pipeline {
      Retry("reports", maxAttempts: 2, clock: clock)
      AbandoningTimeout(.seconds(2), maxAbandoned: 10, clock: clock)
    }
    let report = try await pipeline.run { try await reports.fetch(id) }
    // end snippet
    #expect(report == "report 1")
  }
}

// MARK: - Writing and testing

extension Documentation.PipelineUsage {
  typealias Log = Documentation.Log

  @Test("a policy of one's own")
  func custom() async throws {
    // snippet
    struct Logged: ResiliencePolicy {
      let name: String
      let log: Log

      var layers: [PolicyLayer] { [PolicyLayer(role: .other, name: name)] }

      nonisolated(nonsending) func execute<Success: ~Copyable>(
        _ execution: Execution,
        _ operation: nonisolated(nonsending) (Execution) async throws -> Graded<Success>
      ) async throws -> Graded<Success> {
        log.notice("\(name): attempt \(execution.attempt)")
        let graded = try await operation(execution)
        log.notice("\(name): \(graded.outcome)")
        return graded
      }
    }
    // end snippet
    let log = Log()
    let pipeline = Pipeline {
      Retry(backoff: .none)
      Logged(name: "users", log: log)
    }
    let value = try await pipeline.run {
      $0.attempt
    } failingWhen: {
      $0 == 1
    }
    #expect(value == 2)
    #expect(
      log.lines == [
        "users: attempt 1", "users: failure", "users: attempt 2", "users: success",
      ])
    #expect(pipeline.layers.map(\.name) == ["retry", "users"])
  }

  // snippet
  func makeUsers(clock: any Clock<Duration>) -> Pipeline<some ResiliencePolicy> {
    Pipeline {
      Timeout(.seconds(1), name: "total", clock: clock)
      Retry("user-service", clock: clock)
      CircuitBreaker("user-service", clock: clock)
      Timeout(.milliseconds(250), name: "attempt", clock: clock)
    }
  }

  @Test func anAttemptThatHangsIsRepeated() async throws {
    try await withVirtualTime { clock in
      let users = makeUsers(clock: clock)
      let find = Script([.hang, .succeed(User(id: 1))], clock: clock)

      let user = try await users.run { try await find() }

      #expect(user == User(id: 1))
      #expect(clock.now.offset <= .milliseconds(300))
    }
  }
  // end snippet
}
