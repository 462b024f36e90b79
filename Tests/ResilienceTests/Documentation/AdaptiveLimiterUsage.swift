import Resilience
import ResilienceTesting
import Testing

extension Documentation {
  @Suite("Documentation: use of adaptive limiters")
  struct AdaptiveLimiterUsage {
    let users = UserService()
    let id = 1

    @Test("a call is bounded, and answered from the cache if it is refused")
    func run() async throws {
      let cache = [1: User(id: 1, name: "Grace")]
      // snippet
      let limiter = AdaptiveLimiter("user-service")

      let user = try await limiter.run {
        try await users.find(id)
      } fallback: { error in
        cache[id]
      }
      // end snippet
      #expect(user == User(id: 1))
      users.become(.failing(Unavailable()))
      let known = try await limiter.run {
        try await users.find(id)
      } fallback: { _ in
        cache[id]
      }
      #expect(known == User(id: 1, name: "Grace"))
    }

    @Test("a timeout inside says when an answer is too late")
    func pipeline() async throws {
      // snippet
      let pipeline = Pipeline {
        AdaptiveLimiter("user-service")
        Timeout(.seconds(1), name: "attempt")
      }
      // end snippet
      let user = try await pipeline.run { try await users.find(id) }
      #expect(user == User(id: 1))
      #expect(pipeline.layers.map(\.name) == ["user-service", "attempt"])
    }

    @Test("the caller says what overload is")
    func overloaded() async {
      // snippet
      let limiter = AdaptiveLimiter(
        "user-service",
        overloaded: { error in
          switch error {
          case is TimeoutError, is Unavailable: true
          default: false
          }
        }
      )
      // end snippet
      for error in [BadRequest(), Unavailable()] as [any Error] {
        users.become(.failing(error))
        _ = try? await limiter.run { try await users.find(id) }
      }
      let totals = limiter.snapshot().totals
      #expect([totals.overloads, totals.others] == [1, 1])
    }

    @Test("another algorithm is named")
    func algorithm() {
      // snippet
      let limiter = AdaptiveLimiter("search", algorithm: .vegas(initial: 8, maximum: 64))
      // end snippet
      #expect(limiter.snapshot().limit == 8)
    }

    @Test("a server refuses what is too much for it")
    func permit() async throws {
      let limiter = AdaptiveLimiter(algorithm: .aimd(initial: 1, maximum: 1))
      let request = Request(path: "/users/1")
      func answer(_ handle: (Request) async throws -> Response) async throws -> Response {
        // snippet
        guard let permit = limiter.tryAcquire() else { return Response(status: 503) }
        do {
          let response = try await handle(request)
          permit.succeed()
          return response
        } catch {
          permit.end(throwing: error)
          throw error
        }
        // end snippet
      }
      let response = try await answer { _ in
        let second = try await answer { _ in Response(status: 200) }
        #expect(second.status == 503)
        return Response(status: 200)
      }
      #expect(response.status == 200)
      await #expect(throws: Unavailable.self) { try await answer { _ in throw Unavailable() } }
      let snapshot = limiter.snapshot()
      #expect([snapshot.inFlight, snapshot.totals.successes, snapshot.totals.others] == [0, 1, 1])
    }

    @Test("criticality travels as a word")
    func wire() async throws {
      let wire = Wire()
      // snippet
      func get(_ path: String) async throws -> Response {
        var request = Request(path: path)
        request.headers["criticality"] = Criticality.current.rawValue
        return try await wire.send(request)
      }
      // end snippet
      _ = try await Criticality.sheddable.run { try await get("/hints") }
      _ = try await get("/users/1")
      #expect(wire.requests.map { $0.headers["criticality"] } == ["sheddable", "normal"])
    }

    @Test("a server takes the word over, and reads nonsense as normal")
    func server() async throws {
      func answer(_ request: Request) async throws -> Response {
        Response(status: Criticality.current == .critical ? 200 : 202)
      }
      // snippet
      func respond(to request: Request) async throws -> Response {
        let word = request.headers["criticality"] ?? ""
        let criticality = Criticality(rawValue: word) ?? .normal
        return try await criticality.run { try await answer(request) }
      }
      // end snippet
      var statuses: [Int] = []
      for headers in [["criticality": "critical"], ["criticality": "CRITICAL!"], [:]] {
        statuses.append(try await respond(to: Request(path: "/", headers: headers)).status)
      }
      #expect(statuses == [200, 202, 202])
    }

    // snippet
    @Test func comesDownWhenAnswersAreLate() async throws {
      try await withVirtualTime { clock in
        let limiter = AdaptiveLimiter("user-service", clock: clock)
        let timeout = Timeout(.seconds(1), clock: clock)
        let find = Script<User>([.hang], clock: clock)

        _ = try? await limiter.run { try await timeout.run { try await find() } }
        #expect(limiter.snapshot().limit == 2)
      }
    }
    // end snippet
  }
}

// MARK: - Anti-patterns

extension Documentation {
  /// What the guide warns of: each with the harm that it does, then the cure without it.
  @Suite("Documentation: anti-patterns of adaptive limiters")
  struct AdaptiveLimiterAntiPatterns {
    let id = 1

    /// The limit after three rounds of four calls at once.
    private func limit(
      of limiter: AdaptiveLimiter, _ call: @escaping @Sendable () async throws -> User
    ) async -> Int {
      for _ in 0..<3 {
        await withTaskGroup(of: Void.self) { group in
          for _ in 0..<4 { group.addTask { _ = try? await call() } }
        }
      }
      return limiter.snapshot().limit
    }

    @Test("without a bound on the time, answers that are far too late raise the limit")
    func unbounded() async throws {
      let id = id
      try await withVirtualTime { clock in
        let stubborn = StubbornService(clock: clock)
        let limiter = AdaptiveLimiter("user-service", clock: clock)
        let limit = await limit(of: limiter) {
          // snippet
          let user = try await limiter.run { await stubborn.find(id) }
          // end snippet
          return user
        }
        #expect(limit > 4)
      }
    }

    @Test("with one, they lower it")
    func bounded() async throws {
      let id = id
      try await withVirtualTime { clock in
        let users = UserService(.silent, clock: clock)
        let timeout = Timeout(.seconds(1), clock: clock)
        let limiter = AdaptiveLimiter("user-service", clock: clock)
        let limit = await limit(of: limiter) {
          // snippet
          let user = try await limiter.run {
            try await timeout.run { try await users.find(id) }
          }
          // end snippet
          return user
        }
        #expect(limit == 1)
      }
    }

    @Test("requests that are wrong take the limit away from the others")
    func everyError() async {
      let clock = VirtualClock()
      // snippet
      let limiter = AdaptiveLimiter("user-service", overloaded: { _ in true }, clock: clock)
      // end snippet
      let users = UserService(.failing(BadRequest()))
      for _ in 0..<5 {
        _ = try? await limiter.run { try await users.find(id) }
        await clock.advance(by: .seconds(1))
      }
      #expect(limiter.snapshot().limit == 1)
    }

    @Test("a limiter for each call limits nothing")
    func forEachCall() async throws {
      try await withVirtualTime { clock in
        let users = UserService(.silent, clock: clock)
        @Sendable
        // snippet
        func find(_ id: Int) async throws -> User {
          try await AdaptiveLimiter("user-service").run { try await users.find(id) }
        }
        // end snippet
        await withTaskGroup(of: Void.self) { group in
          for id in 0..<100 { group.addTask { _ = try? await find(id) } }
        }
        #expect(users.calls == 100)
      }
    }
  }
}
