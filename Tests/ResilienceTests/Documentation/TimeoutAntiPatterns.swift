import Resilience
import ResilienceTesting
import Testing

extension Documentation {
  /// What the guide warns of: each with the harm that it does, then the cure without it. The timeout
  /// around the retry only is with the figures.
  @Suite("Documentation: anti-patterns of timeouts")
  struct TimeoutAntiPatterns {
    let id = 1

    @Test("an operation that ignores its cancellation keeps its caller waiting")
    func stubborn() async throws {
      let id = id
      try await withVirtualTime { clock in
        let stubborn = StubbornService(clock: clock)
        let timeout = Timeout(.seconds(2), clock: clock)
        func find() async throws -> User {
          // snippet
          try await timeout.run { await stubborn.find(id) }
          // end snippet
        }
        _ = try await find()
        #expect(clock.now == .init(offset: .seconds(60)))
        #expect(timeout.snapshot().late == 1)
      }
    }

    // MARK: A shield

    @Test("cancellation does not reach a task that is nobody's child")
    func shield() async throws {
      let id = id
      try await withVirtualTime { clock in
        let users = UserService(.silent, clock: clock)
        let timeout = Timeout(.seconds(2), clock: clock)
        func find() async throws -> User {
          // snippet
          try await timeout.run {
            try await Task { try await users.find(id) }.value
          }
          // end snippet
        }
        _ = try? await find()
        #expect(clock.now.offset >= .seconds(3600))
      }
    }

    @Test("cancellation reaches what is called")
    func noShield() async throws {
      let id = id
      try await withVirtualTime { clock in
        let users = UserService(.silent, clock: clock)
        let timeout = Timeout(.seconds(2), clock: clock)
        func find() async throws -> User {
          // snippet
          try await timeout.run { try await users.find(id) }
          // end snippet
        }
        _ = try? await find()
        #expect(clock.now == .init(offset: .seconds(2)))
      }
    }

    // MARK: Blocking

    @Test("a timeout does not notice a call that blocks")
    func blocking() async throws {
      let clock = VirtualClock()
      let blocking = BlockingService(clock: clock)
      let timeout = Timeout(.seconds(2), clock: clock)
      // snippet
      let user = try await timeout.run { blocking.find(id) }
      // end snippet
      #expect(user == User(id: 1))
      #expect(clock.now == .init(offset: .seconds(60)))
      #expect(timeout.snapshot().late == 0)
    }

    @Test("a blocking client with a limit of its own gives up in time")
    func blockingWithLimit() async throws {
      let clock = VirtualClock()
      let blocking = BlockingService(clock: clock)
      let timeout = Timeout(.seconds(2), clock: clock)
      func find() async throws -> User {
        let id = id
        // snippet
        let user = try await timeout.run {
          try blocking.find(id, timeout: Deadline.current?.remaining ?? .seconds(10))
        }
        // end snippet
        return user
      }
      await #expect(throws: TimeoutError.self) { try await find() }
      #expect(clock.now == .init(offset: .seconds(2)))
    }

    // MARK: Abandoning

    /// How many operations go on for nobody after five minutes of calls that wait two seconds.
    private static func abandoned(_ timeout: AbandoningTimeout, _ clock: VirtualClock) async throws
      -> Int
    {
      let stubborn = StubbornService(clock: clock)
      for call in 1...150 {
        _ = try? await timeout.run { await stubborn.find(1) }
        try await clock.sleep(until: .init(offset: .seconds(2 * call)))
      }
      return stubborn.isRunning
    }

    @Test("what is abandoned without bounds goes on without bounds")
    func unbounded() async throws {
      try await withVirtualTime { clock in
        // snippet
        let timeout = AbandoningTimeout(.seconds(2), maxAbandoned: .max, clock: clock)
        // end snippet
        let abandoned = try await Self.abandoned(timeout, clock)
        #expect((29...30).contains(abandoned))
      }
    }

    @Test("what is abandoned within bounds stays within them")
    func bounded() async throws {
      try await withVirtualTime { clock in
        // snippet
        let timeout = AbandoningTimeout(.seconds(2), maxAbandoned: 5, clock: clock)
        // end snippet
        let abandoned = try await Self.abandoned(timeout, clock)
        #expect(abandoned <= 5)
        #expect(timeout.snapshot().rejected > 0)
      }
    }

    // MARK: A time of day

    struct WallClock {
      var now: Double
    }

    @Test("a time of day means another time on another machine")
    func timeOfDay() async throws {
      let wallClock = WallClock(now: 1_000_000)
      let server = WallClock(now: 1_000_005)
      var request = Request(path: "/users/1")
      // snippet
      request.headers["deadline"] = "\(wallClock.now + 2)"
      // end snippet
      let deadline = try #require(request.headers["deadline"].flatMap { Double($0) })
      #expect(deadline < server.now)
    }

    @Test("what is left means the same everywhere")
    func whatIsLeft() async throws {
      let deadline = Deadline(in: .seconds(2), clock: VirtualClock())
      let server = VirtualClock()
      await server.advance(by: .seconds(1_000_005))
      var request = Request(path: "/users/1")
      // snippet
      request.headers["grpc-timeout"] = deadline.grpcTimeout
      // end snippet
      let text = try #require(request.headers["grpc-timeout"])
      #expect(Deadline(grpcTimeout: text, clock: server)?.remaining == .seconds(2))
    }
  }
}
