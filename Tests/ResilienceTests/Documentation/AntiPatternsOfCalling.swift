import Resilience
import ResilienceTesting
import Testing

extension Documentation {
  /// What the guide warns of in calling: each with the harm that it does, then the cure without it.
  @Suite("Documentation: anti-patterns in calling")
  struct AntiPatternsOfCalling {
    let users = UserService(.failing(Unavailable()))
    let id = 1

    // MARK: Catching inside

    @Test("a breaker does not see what the operation catches")
    func catchingInside() async throws {
      let breaker = CircuitBreaker("user-service")
      for _ in 1...100 {
        // snippet
        let user = try await breaker.run {
          try? await users.find(id)
        }
        // end snippet
        #expect(user == nil)
      }
      #expect(users.calls == 100)
      #expect(breaker.snapshot().totals.successes == 100)
    }

    @Test("a breaker sees what is caught outside of it")
    func catchingOutside() async throws {
      let breaker = CircuitBreaker("user-service")
      for _ in 1...100 {
        // snippet
        let user: User? = try await breaker.run {
          try await users.find(id)
        } fallback: { _ in
          nil
        }
        // end snippet
        #expect(user == nil)
      }
      #expect(users.calls < 100)
    }

    // MARK: A permit without a name

    @Test("a permit without a name is given back before the call begins")
    func unnamedPermit() async throws {
      let (breaker, users) = (CircuitBreaker("user-service"), users)
      func find(_ id: Int) async throws -> User {
        // snippet
        guard let _ = breaker.tryAcquire() else { throw Unavailable() }
        return try await users.find(id)
        // end snippet
      }
      for id in 1...100 { _ = try? await find(id) }
      #expect(users.calls == 100)
      #expect(breaker.snapshot().counts == .init(ignored: 100))
    }

    @Test("a permit with a name reports")
    func namedPermit() async throws {
      let (breaker, users) = (CircuitBreaker("user-service"), users)
      func find(_ id: Int) async throws -> User {
        // snippet
        try await breaker.run { try await users.find(id) }
        // end snippet
      }
      for id in 1...100 { _ = try? await find(id) }
      #expect(users.calls < 100)
    }

    // MARK: A cancelled call reported as failed

    @Test("callers who give up open the circuit to a healthy service")
    func cancellationFails() async throws {
      let (breaker, users) = (CircuitBreaker("user-service"), users)
      users.become(.failing(CancellationError()))
      func find(_ id: Int) async throws -> User {
        guard let permit = breaker.tryAcquire() else { throw Unavailable() }
        // snippet
        do {
          let user = try await users.find(id)
          permit.succeed()
          return user
        } catch {
          permit.fail(error)
          throw error
        }
        // end snippet
      }
      for id in 1...40 { _ = try? await find(id) }
      #expect(breaker.snapshot().totals.trips > 0)
    }

    @Test("callers who give up are ignored")
    func cancellationIsIgnored() async throws {
      let (breaker, users) = (CircuitBreaker("user-service"), users)
      users.become(.failing(CancellationError()))
      func find(_ id: Int) async throws -> User {
        guard let permit = breaker.tryAcquire() else { throw Unavailable() }
        // snippet
        do {
          let user = try await users.find(id)
          permit.succeed()
          return user
        } catch {
          permit.end(throwing: error)
          throw error
        }
        // end snippet
      }
      for id in 1...40 { _ = try? await find(id) }
      #expect(breaker.snapshot().counts == .init(ignored: 40))
    }

    // MARK: Calls without a limit

    @Test("calls that hang tell a breaker nothing")
    func withoutLimit() async throws {
      let running = try await withVirtualTime { clock in
        let users = UserService(.silent, clock: clock)
        let breaker = CircuitBreaker("user-service", clock: clock)
        return await withThrowingTaskGroup { group in
          for id in 1...100 {
            group.addTask {
              // snippet
              try await breaker.run { try await users.find(id) }
              // end snippet
            }
          }
          await clock.advance(by: .seconds(600))
          #expect(breaker.state == .closed)
          let running = breaker.snapshot().running
          group.cancelAll()
          return running
        }
      }
      #expect(running == 100)
    }

    @Test("calls that end by themselves tell it that nobody answers")
    func withLimit() async throws {
      let snapshot = try await withVirtualTime { clock in
        let users = UserService(.silent, clock: clock)
        let breaker = CircuitBreaker("user-service", clock: clock)
        return await withThrowingTaskGroup { group in
          for id in 1...100 {
            group.addTask {
              // snippet
              try await breaker.run { try await users.find(id, timeout: .seconds(2)) }
              // end snippet
            }
          }
          await clock.advance(by: .seconds(2))
          return breaker.snapshot()
        }
      }
      #expect(snapshot.state == .open)
      #expect(snapshot.running == 0)
    }

    // MARK: A fallback to the same dependency

    @Test("a fallback that asks again doubles the load of a broken service")
    func fallbackAsksAgain() async throws {
      let breaker = CircuitBreaker("user-service")
      for _ in 1...100 {
        func find() async throws -> User {
          // snippet
          try await breaker.run {
            try await users.find(id)
          } fallback: { _ in
            try await users.find(id)
          }
          // end snippet
        }
        _ = try? await find()
      }
      #expect(users.calls > 100)
    }

    @Test("a fallback that answers from elsewhere spares it")
    func fallbackAnswers() async throws {
      let breaker = CircuitBreaker("user-service")
      let cache = [id: User(id: id)]
      for _ in 1...100 {
        func find() async throws -> User {
          // snippet
          try await breaker.run {
            try await users.find(id)
          } fallback: { error in
            guard let known = cache[id] else { throw error }
            return known
          }
          // end snippet
        }
        _ = try await find()
      }
      #expect(users.calls < 100)
    }

    // MARK: A refusal read as an answer

    @Test("a refusal that is swallowed reads as an answer")
    func refusalSwallowed() async throws {
      let breaker = CircuitBreaker("user-service")
      users.become(.answering)
      breaker.trip(for: .seconds(60))
      // snippet
      let known = try? await breaker.run { try await users.find(id) }
      if known == nil { try await users.create(id) }
      // end snippet
      #expect(users.created == [id])
    }

    @Test("a refusal that is thrown on is none")
    func refusalThrown() async throws {
      let (breaker, users, id) = (CircuitBreaker("user-service"), users, id)
      users.become(.answering)
      breaker.trip(for: .seconds(60))
      func ensure() async throws {
        // snippet
        do {
          _ = try await breaker.run { try await users.find(id) }
        } catch is NoSuchUser {
          try await users.create(id)
        }
        // end snippet
      }
      await #expect(throws: CircuitOpenError.self) { try await ensure() }
      #expect(users.created == [])
      breaker.reset()
      users.become(.failing(NoSuchUser()))
      try await ensure()
      #expect(users.created == [id])
    }

    // MARK: Asking for the state

    @Test("a breaker learns nothing from calls that only ask for its state")
    func askingForTheState() async throws {
      let (breaker, users) = (CircuitBreaker("user-service"), users)
      func find(_ id: Int) async throws -> User {
        // snippet
        if breaker.state == .open { throw Unavailable() }
        return try await users.find(id)
        // end snippet
      }
      for id in 1...100 { _ = try? await find(id) }
      #expect(users.calls == 100)
      #expect(breaker.state == .closed)
    }
  }
}
