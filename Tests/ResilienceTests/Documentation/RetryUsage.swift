import Resilience
import ResilienceTesting
import Synchronization
import Testing

extension Documentation {
  @Suite("Documentation: use of retries")
  struct RetryUsage {
    let users = UserService()
    let id = 1

    @Test("a result that counts as a failure is repeated, and the last one is returned")
    func results() async throws {
      let retry = Retry("user-service", backoff: .none, budget: nil)
      let http = HTTPClient(status: 503)
      // snippet
      let response = try await retry.run {
        try await http.get("/users/\(id)")
      } failingWhen: { response in
        response.status >= 500
      }
      // end snippet
      #expect(response.status == 503)
      #expect(retry.snapshot().totals.retries == 2)
      #expect(retry.snapshot().totals.exhausted == 1)
    }

    @Test("deciding knows what is not worth another attempt")
    func deciding() async throws {
      // snippet
      let retry = Retry(
        "user-service",
        deciding: { error in
          switch error {
          case is NoSuchUser: .accept  // an answer, and a right one
          case is BadRequest: .stop  // the next answer would be the same
          case is Unavailable: .retry(after: .seconds(2))  // it never comes back sooner
          default: nil  // as the library would
          }
        }
      )
      // end snippet
      for error in [NoSuchUser() as any Error, BadRequest(), CancellationError()] {
        users.become(.failing(error))
        _ = try? await retry.run { try await users.find(id) }
      }
      #expect(users.calls == 3)
      users.become(.failing(Unavailable()))
      // Two seconds do not fit into one, so nothing waits.
      _ = try? await Deadline(in: .seconds(1)).run {
        try await retry.run { try await users.find(id) }
      }
      let totals = retry.snapshot().totals
      #expect([totals.stopped, totals.deadlineReached, totals.retries] == [2, 1, 0])
      #expect(retry.budget?.snapshot().successes == 1)
    }

    @Test("a retry waits for an open circuit, if it is told to")
    func waitingForRejections() async throws {
      let (users, id) = (users, id)
      try await withVirtualTime { clock in
        let budget = RetryBudget("import", clock: clock)
        let breaker = CircuitBreaker("user-service", clock: clock)
        breaker.trip(for: .seconds(5))
        // snippet
        let retry = Retry("import", rejections: .waitForRetryAfter, budget: budget, clock: clock)
        let user = try await retry.run {
          try await breaker.run { try await users.find(id) }
        }
        // end snippet
        #expect(user == User(id: 1))
        #expect(users.calls == 1)
        #expect(clock.now.offset >= .seconds(5))
      }
    }

    @Test("retries that share a budget spend it together")
    func sharing() async throws {
      // snippet
      let budget = RetryBudget("user-service")
      let reads = Retry("read-user", budget: budget)
      let writes = Retry("write-user", maxAttempts: 2, budget: budget)
      // end snippet
      #expect(budget.withdraw())
      users.become(.failing(Unavailable()))
      for retry in [reads, writes] { _ = try? await retry.run { try await users.find(id) } }
      #expect(users.calls == 2)
      #expect(budget.snapshot().refused == 2)
    }

    @Test("a retry without end goes on until the service is back")
    func withoutEnd() async throws {
      let (users, id) = (users, id)
      users.become(.failing(Unavailable()))
      try await withVirtualTime { clock in
        async let recovery: Void = {
          try await clock.sleep(for: .seconds(3600))
          users.become(.answering)
        }()
        let retry = Retry(
          "feed", maxAttempts: .max, backoff: .exponential(from: .seconds(1)), budget: nil,
          clock: clock)
        let user = try await retry.run { try await users.find(id) }
        try await recovery
        #expect(user == User(id: 1))
        #expect(retry.snapshot().totals.recovered == 1)
        #expect(users.calls > 100)
      }
    }

    @Test("events are lines for a log")
    func events() async throws {
      let lines = try await withVirtualTime { clock in
        let events = EventRecorder()
        let retry = Retry(
          "user-service", backoff: .constant(.seconds(1), jitter: .none),
          budget: RetryBudget(minimumCapacity: 2, clock: clock), clock: clock, observers: [events])
        let find = Script(
          [.fail(Unavailable()), .fail(Unavailable()), .succeed(User(id: 1))], clock: clock)
        _ = try await retry.run { try await find() }
        return events.descriptions
      }
      let shown = try blocks(inMarkdown: "\(catalog)/RetryGuide.md").filter { $0.info == "text" }
      #expect(shown.map(\.code) == [lines])
    }
  }
}

// MARK: - One call, whole

extension Documentation.RetryUsage {
  @Test("a retry tells the operation which attempt it is")
  func run() async throws {
    // snippet
    let retry = Retry("user-service", maxAttempts: 3)

    let user = try await retry.run { execution in
      try await users.find(id, attempt: execution.attempt)
    }
    // end snippet
    #expect(user == User(id: 1))
    #expect(users.calls == 1)
  }

  typealias User = Documentation.User

  @Test("a charge with a key is made once, though its answer is lost")
  func idempotency() async throws {
    let payments = Documentation.Payments()
    let order = Documentation.Order(key: "order-1")
    let retry = Retry("payments", backoff: .none)
    // snippet
    let key = order.key
    try await retry.run { try await payments.charge(order, key: key) }
    // end snippet
    #expect(payments.requests == 2)
    #expect(payments.charged == [order])
  }

  @Test("a deadline bounds the whole call: no wait goes beyond it")
  func deadline() async throws {
    let (users, id) = (users, id)
    users.become(.failing(Documentation.Unavailable()))
    try await withVirtualTime { clock in
      let retry = Retry(
        maxAttempts: 10, backoff: .constant(.milliseconds(300), jitter: .none), budget: nil,
        clock: clock)
      func find() async throws -> User {
        // snippet
        let user = try await Deadline(in: .seconds(1), clock: clock).run {
          try await retry.run { try await users.find(id) }
        }
        // end snippet
        return user
      }
      do {
        _ = try await find()
        Issue.record("no error")
      } catch { #expect(error is Documentation.Unavailable) }
      #expect(clock.now == .init(offset: .milliseconds(900)))
      #expect(retry.snapshot().totals.deadlineReached == 1)
    }
  }
}
