import Resilience
import ResilienceTesting
import Testing

extension Documentation {
  @Suite("Documentation: use of fallbacks")
  struct FallbackUsage {
    static let guide = "\(catalog)/FallbackGuide.md"

    let users = UserService(.failing(Unavailable()))
    let id = 1

    @Test("a fallback answers for what it knows, and throws the rest")
    func choosing() async throws {
      let (breaker, users) = (CircuitBreaker("user-service"), users)
      func greet(_ id: Int) async throws -> String {
        // snippet
        let name = try await breaker.run {
          try await users.find(id).name
        } fallback: { error in
          switch error {
          case is any RejectionError, is TimeoutError, is Unavailable: "our guest"
          default: throw error
          }
        }
        // end snippet
        return name
      }
      let guest = try await greet(id)
      #expect(guest == "our guest")
      users.become(.failing(NoSuchUser()))
      await #expect(throws: NoSuchUser.self) { try await greet(id) }
      breaker.isolate()
      let refused = try await greet(id)
      #expect(refused == "our guest")
    }

    @Test("a fallback is asked instead of a result that counts as a failure")
    func result() async throws {
      let breaker = CircuitBreaker("user-service")
      let http = HTTPClient(status: 503)
      // snippet
      let response = try await breaker.run {
        try await http.get("/users/\(id)")
      } failingWhen: { response in
        response.status >= 500
      } fallback: { _ in
        Response(status: 203)
      }
      // end snippet
      #expect(response.status == 203)
    }

    @Test("a memory is told what arrives by itself")
    func byHand() {
      let (profiles, id, profile) = (LastKnownGood<Int, User>("profiles"), 1, User(id: 1))
      // snippet
      profiles.remember(profile, for: id)  // it came with another answer
      let known = profiles.recall(id)?.value  // without a call
      profiles.forget(id)  // it was deleted
      // end snippet
      #expect(known == profile)
      #expect(profiles.recall(id) == nil)
    }

    // snippet
    @Test func servesTheLastAnswerAndItsAge() async throws {
      let clock = VirtualClock()
      let names = LastKnownGood<Int, String>("names", clock: clock)
      _ = try await names.run(1) { "Ada" }

      await clock.advance(by: .seconds(60))
      let answer = try await names.run(1) { throw Unavailable() }

      #expect(answer == .stale("Ada", age: .seconds(60)))
    }
    // end snippet

    @Test("the event is a line for a log")
    func events() async throws {
      let (events, clock) = (EventRecorder(), VirtualClock())
      let names = LastKnownGood<Int, String>("names", clock: clock, observers: [events])
      names.remember("Ada", for: 1)
      await clock.advance(by: .seconds(60))
      _ = try await names.run(1) { throw Unavailable() }
      let shown = try blocks(inMarkdown: Self.guide).filter { $0.info == "text" }
      #expect(shown.map(\.code) == [events.descriptions])
    }

    @Test("the defaults are those in the tables", arguments: [guide, readme])
    func defaults(file: String) throws {
      let rows = try rows(inMarkdown: file)
      let settings = LastKnownGood<Int, Int>.Configuration()
      #expect(rows.first { $0.first == "`capacity`" }?[1] == "`\(settings.capacity)`")
      #expect(rows.first { $0.first == "`maxAge`" }?[1] == "`.seconds(600)`")
      #expect(settings.maxAge == .seconds(600))
    }

    @Test("a fallback outermost is asked once, when all attempts have failed")
    func outermost() async throws {
      let (users, id) = (users, id)
      try await withVirtualTime { clock in
        let (budget, guest) = (RetryBudget(minimumCapacity: 10, clock: clock), User(id: 0))
        // snippet
        let pipeline = Pipeline {
          Retry("user-service", budget: budget, clock: clock)
          CircuitBreaker("user-service", clock: clock)
        }
        let user = try await pipeline.run {
          try await users.find(id)
        } fallback: { _ in
          guest
        }
        // end snippet
        #expect(user == guest)
        #expect(users.calls == 3)
        #expect(budget.snapshot().successes == 0)
      }
    }

    @Test("a call through a memory reads the clock once, when it ends")
    func clockReadings() async throws {
      let clock = CountingClock()
      let names = LastKnownGood<Int, String>("names", clock: clock)
      var readings = [clock.readings]
      _ = try await names.run(1) { "Ada" }
      readings.append(clock.readings)
      _ = try await names.run(1) { throw Unavailable() }
      readings.append(clock.readings)
      #expect(readings.map { $0 - readings[0] } == [0, 1, 2])
    }
  }
}
