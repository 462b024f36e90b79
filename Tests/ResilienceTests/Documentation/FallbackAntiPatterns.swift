import Resilience
import ResilienceTesting
import Testing

extension Documentation {
  struct Shop {
    func orders(of id: Int) async throws -> [Order] { throw Unavailable() }
  }

  /// Prices that can be had until noon.
  struct Prices {
    let isOpen: Bool

    func find(_ id: Int) async throws -> Int {
      guard isOpen else { throw Unavailable() }
      return 100
    }
  }

  /// What the guide warns of: each with the harm that it does, then the cure without it.
  @Suite("Documentation: anti-patterns of fallbacks")
  struct FallbackAntiPatterns {
    let users = UserService(.failing(Unavailable()))
    let guest = User(id: 0, name: "our guest")
    let id = 1

    // MARK: Without protection

    @Test("a fallback that hangs keeps its caller")
    func unprotected() async throws {
      let (users, id) = (users, id)
      try await withVirtualTime { clock in
        let replica = UserService(.silent, clock: clock)
        let breaker = CircuitBreaker("user-service", clock: clock)
        func find() async throws -> User {
          // snippet
          let user = try await breaker.run {
            try await users.find(id)
          } fallback: { _ in
            try await replica.find(id)
          }
          // end snippet
          return user
        }
        _ = try? await find()
        #expect(clock.now == .init(offset: .seconds(3600)))
      }
    }

    @Test("a fallback under a policy does not")
    func protected() async throws {
      let (users, id) = (users, id)
      try await withVirtualTime { clock in
        let replica = UserService(.silent, clock: clock)
        let breaker = CircuitBreaker("user-service", clock: clock)
        let protectedReplica = Pipeline {
          CircuitBreaker("replica", clock: clock)
          Timeout(.seconds(1), clock: clock)
        }
        func find() async throws -> User {
          // snippet
          let user = try await breaker.run {
            try await users.find(id)
          } fallback: { _ in
            try await protectedReplica.run { try await replica.find(id) }
          }
          // end snippet
          return user
        }
        _ = try? await find()
        #expect(clock.now == .init(offset: .seconds(1)))
      }
    }

    // MARK: Hiding

    @Test("an empty list looks like any other")
    func hiding() async throws {
      let (breaker, shop) = (CircuitBreaker("shop"), Shop())
      // snippet
      let orders = try await breaker.run {
        try await shop.orders(of: id)
      } fallback: { _ in
        []
      }
      // end snippet
      #expect(orders == [])
    }

    @Test("a type can say that nobody knows")
    func saying() async throws {
      let (breaker, shop) = (CircuitBreaker("shop"), Shop())
      // snippet
      let orders: [Order]? = try await breaker.run {
        try await shop.orders(of: id)
      } fallback: { error in
        guard error is any RejectionError || error is Unavailable else { throw error }
        return nil
      }
      // end snippet
      #expect(orders == nil)
    }

    // MARK: Answers

    @Test("who does not exist comes back as a guest")
    func answer() async throws {
      let breaker = CircuitBreaker("user-service")
      users.become(.failing(NoSuchUser()))
      // snippet
      let user = try await breaker.run {
        try await users.find(id)
      } fallback: { _ in
        guest
      }
      // end snippet
      #expect(user == guest)
    }

    @Test("an answer that is thrown is thrown on")
    func answerThrown() async throws {
      let (breaker, users, id, guest) = (CircuitBreaker("user-service"), users, id, guest)
      func find() async throws -> User {
        // snippet
        let user = try await breaker.run {
          try await users.find(id)
        } fallback: { error in
          if error is NoSuchUser { throw error }
          return guest
        }
        // end snippet
        return user
      }
      let user = try await find()
      #expect(user == guest)
      users.become(.failing(NoSuchUser()))
      await #expect(throws: NoSuchUser.self) { try await find() }
    }

    @Test("an answer that is a value replaces what was known")
    func answerAsValue() async throws {
      let (breaker, users, id) = (CircuitBreaker("user-service"), users, id)
      // snippet
      let known = LastKnownGood<Int, User?>("users")

      func find(_ id: Int) async throws -> LastKnownGood<Int, User?>.Answer {
        try await known.run(id, through: breaker) {
          do { return try await users.find(id) } catch is NoSuchUser { return nil }
        }
      }
      // end snippet
      known.remember(User(id: id), for: id)
      users.become(.failing(NoSuchUser()))
      let deleted = try await find(id)
      #expect(deleted == .fresh(nil))
      users.become(.failing(Unavailable()))
      let unknown = try await find(id)
      #expect(unknown.value == nil)
      await #expect(throws: Unavailable.self) { try await find(2) }
    }

    // MARK: Stale

    @Test("an old price looks like any other")
    func stale() async throws {
      let breaker = CircuitBreaker("prices")
      var cache: [Int: Int] = [:]
      var shown: [Int] = []
      for prices in [Prices(isOpen: true), Prices(isOpen: false)] {
        // snippet
        let price = try await breaker.run {
          let price = try await prices.find(id)
          cache[id] = price
          return price
        } fallback: { error in
          guard let known = cache[id] else { throw error }
          return known
        }
        // end snippet
        shown.append(price)
      }
      #expect(shown == [100, 100])
    }

    // MARK: Inside

    @Test("a retry does not repeat what a fallback inside has answered")
    func inside() async throws {
      let breaker = CircuitBreaker("user-service")
      let retry = Retry("user-service", backoff: .none)
      // snippet
      let user = try await retry.run {
        try await breaker.run {
          try await users.find(id)
        } fallback: { _ in
          guest
        }
      }
      // end snippet
      #expect(user == guest)
      #expect(users.calls == 1)
      #expect(retry.snapshot().budget?.successes == 1)
    }

    @Test("a fallback inside a timeout is not asked at its limit")
    func insideTimeout() async throws {
      let (id, guest) = (id, guest)
      try await withVirtualTime { clock in
        let users = UserService(.silent, clock: clock)
        let breaker = CircuitBreaker("user-service", clock: clock)
        let timeout = Timeout(.seconds(1), clock: clock)
        do {
          _ = try await timeout.run {
            try await breaker.run {
              try await users.find(id)
            } fallback: { _ in
              guest
            }
          }
          Issue.record("an answer")
        } catch { #expect(error is TimeoutError) }
        let user = try await timeout.run {
          try await users.find(id)
        } fallback: { _ in
          guest
        }
        #expect(user == guest)
      }
    }
  }
}
