import Resilience
import ResilienceTesting
import Testing

extension Documentation {
  @Suite("Documentation: use of rate limiters")
  struct RateLimiterUsage {
    static let guide = "\(catalog)/RateLimiterGuide.md"

    let users = UserService()
    let id = 1

    @Test("a call takes a token")
    func run() async throws {
      // snippet
      let limiter = RateLimiter("user-service", .perSecond(100), burst: 20)

      let user = try await limiter.run { try await users.find(id) }
      // end snippet
      #expect(user == User(id: 1))
      #expect(limiter.snapshot().totals.admitted == 1)
    }

    @Test("a call waits for its token")
    func wait() async throws {
      let (users, id) = (users, id)
      try await withVirtualTime { clock in
        func find() async throws -> (User, RateLimiter) {
          // snippet
          let limiter = RateLimiter(
            "user-service", .perSecond(100), maxWait: .seconds(1), clock: clock)

          let user = try await limiter.run { try await users.find(id) }
          // end snippet
          return (user, limiter)
        }
        let (user, limiter) = try await find()
        #expect(user == User(id: 1))
        _ = try await limiter.run { try await users.find(id) }
        #expect(clock.now == .init(offset: .milliseconds(10)))
      }
    }

    @Test("a batch takes a token for each")
    func batch() async throws {
      let limiter = RateLimiter(.perSecond(1), burst: 5, clock: VirtualClock())
      func send(_ batch: [Int]) async throws { for id in batch { try await users.create(id) } }
      func create(_ batch: [Int]) async throws -> Reply {
        // snippet
        guard limiter.tryAcquire(batch.count) else { return .unavailable(retryAfter: nil) }
        try await send(batch)
        // end snippet
        return .ok(User(id: 1))
      }
      #expect(try await create([1, 2, 3]) == .ok(User(id: 1)))
      #expect(try await create([4, 5, 6]) == .unavailable(retryAfter: nil))
      #expect(users.created == [1, 2, 3])
    }

    @Test("a service that has had enough is left alone")
    func pause() async throws {
      let limiter = RateLimiter(.perSecond(1), burst: 5, clock: VirtualClock())
      let http = HTTPClient(status: 429)
      func retryAfter(_ response: Response) -> Duration { .seconds(86400) }
      // snippet
      let response = try await limiter.run { try await http.get("/users/\(id)") }
      if response.status == 429 { limiter.pause(for: min(retryAfter(response), .seconds(60))) }
      // end snippet
      #expect(limiter.snapshot().pausedFor == .seconds(60))
    }

    @Test("each client has a limiter")
    func keyed() {
      func answer(_ calls: Int) -> Reply {
        // snippet
        let limiters = Keyed<String, RateLimiter>(capacity: 10_000) { client in
          RateLimiter(client, .perMinute(60), burst: 10)
        }

        guard limiters["client-7"].tryAcquire() else { return .unavailable(retryAfter: nil) }
        // end snippet
        #expect(limiters["client-7"].snapshot().available == 9)
        return .ok(User(id: calls))
      }
      #expect(answer(1) == .ok(User(id: 1)))
    }

    @Test("a limiter stands inside of the retry and the breaker")
    func pipeline() async throws {
      let clock = VirtualClock()
      // snippet
      let pipeline = Pipeline {
        Retry("user-service", clock: clock)
        CircuitBreaker("user-service", clock: clock)
        RateLimiter("user-service", .perSecond(100), burst: 20, clock: clock)
      }
      // end snippet
      #expect(pipeline.validate() == [])
      for _ in 1...20 { _ = try await pipeline.run { try await users.find(id) } }
      await #expect(throws: RateLimitedError.self) {
        try await pipeline.run { try await users.find(id) }
      }
    }

    // snippet
    @Test func letsTenInEachSecond() {
      let clock = VirtualClock()
      let limiter = RateLimiter(.perSecond(10), clock: clock)
      #expect(limiter.tryAcquire())
      #expect(!limiter.tryAcquire())

      clock.advance(by: .milliseconds(100))
      #expect(limiter.tryAcquire())
    }
    // end snippet

    @Test("the defaults are those in the table")
    func defaults() throws {
      let rows = try rows(inMarkdown: Self.guide)
      let settings = RateLimiter.Configuration(.perSecond(1))
      let defaults: [FigureTests.Default] = [
        .init("burst", "1", settings.burst == 1 && RateLimiter(.perSecond(1)).burst == 1),
        .init(
          "maxWait", ".zero",
          settings.maxWait == .zero && RateLimiter(.perSecond(1)).maxWait == .zero),
      ]
      for setting in defaults {
        #expect(setting.holds, "\(setting.parameter) is not \(setting.value)")
        #expect(rows.first { $0.first == "`\(setting.parameter)`" }?[1] == "`\(setting.value)`")
      }
    }

    @Test("every reason is in the table")
    func reasons() throws {
      let rows = try rows(inMarkdown: Self.guide).compactMap(\.first)
      for name in ["noTokens", "deadline", "paused", "exceedsBurst"] {
        let isShown = rows.contains { $0.hasPrefix("`\(name)`:") }
        #expect(isShown, "\(name)")
      }
    }
  }
}
