import Resilience
import ResilienceTesting
import Synchronization
import Testing

extension Documentation {
  @Suite("Documentation: usage")
  struct UsageSnippets {
    let users = UserService()
    let id = 1
    let cache = [1: User(id: 1, name: "Ada, as last seen")]

    @Test("a call with a fallback: the dependency is spared and the caller gets an answer")
    func fiveLines() async throws {
      // snippet
      let breaker = CircuitBreaker("user-service")

      let user = try await breaker.run {
        try await users.find(id)
      } fallback: { error in
        cache[id]
      }
      // end snippet
      #expect(user == User(id: 1))

      users.become(.failing(Unavailable()))
      breaker.trip(for: .seconds(3600))
      let callsBefore = users.calls
      let answer = try await breaker.run {
        try await users.find(id)
      } fallback: { _ in
        cache[id]
      }
      #expect(answer?.name == "Ada, as last seen")
      #expect(users.calls == callsBefore)
    }

    @Test("run returns what the operation returns and throws what it throws")
    func run() async throws {
      let breaker = CircuitBreaker("user-service")
      // snippet
      let user = try await breaker.run {
        try await users.find(id)
      }
      // end snippet
      #expect(user == User(id: 1))

      users.become(.failing(Unavailable()))
      await #expect(throws: Unavailable.self) { try await breaker.run { try await users.find(id) } }
    }

    @Test("a refusal is a CircuitOpenError that says when to come back")
    func refusal() async throws {
      let (breaker, users) = (CircuitBreaker("user-service"), users)
      // snippet
      func reply(to id: Int) async throws -> Reply {
        do {
          return .ok(try await breaker.run { try await users.find(id) })
        } catch let refusal as CircuitOpenError {
          return .unavailable(retryAfter: refusal.retryAfter)
        }
      }
      // end snippet
      let good = try await reply(to: 1)
      #expect(good == .ok(User(id: 1)))

      breaker.trip(for: .seconds(60))
      guard case .unavailable(let wait?) = try await reply(to: 1) else {
        Issue.record("not refused")
        return
      }
      #expect(wait > .zero && wait <= .seconds(60))
    }

    @Test("a fallback chooses by the error")
    func fallback() async throws {
      let breaker = CircuitBreaker("user-service")
      users.become(.failing(Unavailable()))
      // snippet
      let user = try await breaker.run {
        try await users.find(id)
      } fallback: { error in
        if error is NoSuchUser { throw error }
        guard let known = cache[id] else { throw error }
        return known
      }
      // end snippet
      #expect(user.name == "Ada, as last seen")
    }

    @Test("a returned value can count as a failure, and is returned all the same")
    func failingWhen() async throws {
      let breaker = CircuitBreaker("user-service")
      let http = HTTPClient(status: 503)
      // snippet
      let response = try await breaker.run {
        try await http.get("/users/\(id)")
      } failingWhen: { response in
        response.status >= 500
      }
      // end snippet
      #expect(response.status == 503)
      #expect(breaker.snapshot().counts == .init(failures: 1, consecutiveFailures: 1))
    }

    @Test("an operation can ask which attempt it is")
    func execution() async throws {
      let breaker = CircuitBreaker("user-service")
      // snippet
      let user = try await breaker.run { execution in
        try await users.find(id, attempt: execution.attempt)
      }
      // end snippet
      #expect(user == User(id: 1))
    }

    @Test("a permit reports how the call ended")
    func permit() async throws {
      let (breaker, users) = (CircuitBreaker("user-service"), users)
      // snippet
      func reply(to id: Int) async throws -> Reply {
        guard let permit = breaker.tryAcquire() else {
          return .unavailable(retryAfter: breaker.snapshot().retryAfter)
        }
        do {
          let user = try await users.find(id)
          permit.succeed()
          return .ok(user)
        } catch {
          permit.end(throwing: error)
          throw error
        }
      }
      // end snippet
      let good = try await reply(to: 1)
      #expect(good == .ok(User(id: 1)))
      #expect(breaker.snapshot().counts == .init(successes: 1, consecutiveSuccesses: 1))

      users.become(.failing(Unavailable()))
      await #expect(throws: Unavailable.self) { try await reply(to: 1) }
      #expect(breaker.snapshot().counts == .init(successes: 1, failures: 1, consecutiveFailures: 1))

      users.become(.failing(CancellationError()))
      await #expect(throws: CancellationError.self) { try await reply(to: 1) }
      #expect(
        breaker.snapshot().counts
          == .init(successes: 1, failures: 1, ignored: 1, consecutiveFailures: 1))

      breaker.isolate()
      let refused = try await reply(to: 1)
      #expect(refused == .unavailable(retryAfter: nil))

      breaker.trip(for: .seconds(60))
      guard case .unavailable(let wait?) = try await reply(to: 1) else {
        Issue.record("not refused")
        return
      }
      #expect(wait > .zero && wait <= .seconds(60))
    }

    @Test("a permit goes to another task in a box")
    func box() async throws {
      let (breaker, users, id) = (CircuitBreaker("user-service"), users, id)
      // snippet
      guard let permit = breaker.tryAcquire() else { throw Unavailable() }
      let box = Mutex<CircuitBreaker.Permit?>(permit)
      let call = Task {
        let user = try await users.find(id)
        box.withLock { $0.take() }?.succeed()
        return user
      }
      // end snippet
      let user = try await call.value
      #expect(user == User(id: 1))
      #expect(breaker.snapshot().counts == .init(successes: 1, consecutiveSuccesses: 1))
    }

    @Test("an error means what classify says")
    func classify() async throws {
      // snippet
      let breaker = CircuitBreaker(
        "user-service",
        classify: { error in
          switch error {
          case is NoSuchUser: .success  // an answer: the dependency works
          case is BadRequest: .ignored  // our mistake: says nothing about it
          default: nil  // as the library would
          }
        }
      )
      // end snippet
      try? await breaker.run { throw NoSuchUser() }
      try? await breaker.run { throw BadRequest() }
      try? await breaker.run { throw Unavailable() }
      #expect(
        breaker.snapshot().counts
          == .init(successes: 1, failures: 1, ignored: 1, consecutiveFailures: 1))
    }

    @Test("a server says how long the circuit stays open")
    func retryAfter() async throws {
      // snippet
      struct ServerBusy: RetryAfterHint {
        var retryAfter: Duration?
      }
      // end snippet
      let clock = VirtualClock()
      let breaker = CircuitBreaker(
        "user-service", tripping: .consecutiveFailures(1), recovery: .init(openFor: .seconds(1)),
        clock: clock)
      try? await breaker.run { throw ServerBusy(retryAfter: .seconds(10)) }
      #expect(breaker.snapshot().openUntil?.remaining == .seconds(10))
    }

    @Test("a deadline makes a cancelled call a failure")
    func deadline() async throws {
      let breaker = CircuitBreaker("user-service")
      // snippet
      let user = try await Deadline(in: .seconds(2)).run {
        try await breaker.run {
          try await users.find(id, timeout: Deadline.current?.remaining ?? .seconds(10))
        }
      }
      // end snippet
      #expect(user == User(id: 1))

      try? await Deadline(in: .zero).run {
        try await breaker.run { throw CancellationError() }
      }
      #expect(breaker.snapshot().counts == .init(successes: 1, failures: 1, consecutiveFailures: 1))
    }

    @Test("an operation keeps the actor it is called from")
    func isolation() async throws {
      // snippet
      actor Directory {
        let users: UserService
        let breaker = CircuitBreaker("user-service")
        var lookups = 0

        init(_ users: UserService) { self.users = users }

        func find(_ id: Int) async throws -> User {
          try await breaker.run {
            lookups += 1
            return try await users.find(id)
          }
        }
      }
      // end snippet
      let directory = Directory(users)
      _ = try await directory.find(1)
      let lookups = await directory.lookups
      #expect(lookups == 1)
    }
  }
}
