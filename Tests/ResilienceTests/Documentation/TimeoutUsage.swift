import Resilience
import ResilienceTesting
import Testing

extension Documentation {
  @Suite("Documentation: use of timeouts")
  struct TimeoutUsage {
    let users = UserService()
    let id = 1

    @Test("a call has so much time")
    func run() async throws {
      // snippet
      let timeout = Timeout(.seconds(2))

      let user = try await timeout.run {
        try await users.find(id)
      }
      // end snippet
      #expect(user == User(id: 1))
    }

    @Test("an operation that does not end is abandoned")
    func abandoning() async throws {
      try await withVirtualTime { clock in
        let (stubborn, id) = (StubbornService(clock: clock), 1)
        func find() async throws -> User {
          // snippet
          let timeout = AbandoningTimeout(.seconds(2), maxAbandoned: 10, clock: clock)

          let user = try await timeout.run {
            await stubborn.find(id)
          }
          // end snippet
          return user
        }
        do {
          _ = try await find()
          Issue.record("an answer")
        } catch { #expect(error is TimeoutError) }
        #expect(clock.now == .init(offset: .seconds(2)))
        #expect(stubborn.isRunning == 1)
      }
    }

    @Test("a client asks how much time is left")
    func timeLeft() async throws {
      // snippet
      let user = try await Deadline(in: .seconds(2)).run {
        try await users.find(id, timeout: Deadline.current?.remaining ?? .seconds(10))
      }
      // end snippet
      #expect(user == User(id: 1))
    }

    @Test("a pipeline has a timeout where the system has it")
    func availability() async throws {
      // snippet
      let pipeline = Pipeline {
        if #available(macOS 26, iOS 26, tvOS 26, watchOS 26, visionOS 26, *) {
          Timeout(.seconds(1), name: "total")
        }
        CircuitBreaker("user-service")
      }
      // end snippet
      let user = try await pipeline.run { try await users.find(id) }
      #expect(user == User(id: 1))
      #expect(pipeline.layers.map(\.name) == ["total", "user-service"])
    }

    // snippet
    @Test func givesUpAfterTwoSeconds() async throws {
      try await withVirtualTime { clock in
        let timeout = Timeout(.seconds(2), clock: clock)
        let find = Script<User>([.hang], clock: clock)

        do {
          _ = try await timeout.run { try await find() }
          Issue.record("an answer")
        } catch let error as TimeoutError {
          #expect(error.limit == .seconds(2))
        }
        #expect(clock.now == .init(offset: .seconds(2)))
      }
    }
    // end snippet

    @Test("events are lines for a log")
    func events() async throws {
      let lines = try await withVirtualTime { clock in
        let events = EventRecorder()
        let timeout = Timeout(.seconds(2), clock: clock, observers: [events])
        let find = Script<User>([.hang], clock: clock)
        _ = try? await timeout.run { try await find() }
        _ = try? await Deadline(in: .zero, clock: clock).run {
          try await timeout.run { try await find() }
        }
        return events.descriptions
      }
      let shown = try blocks(inMarkdown: "\(catalog)/TimeoutGuide.md").filter { $0.info == "text" }
      #expect(shown.map(\.code) == [lines])
    }
  }
}

// MARK: - Over the wire

extension Documentation.TimeoutUsage {
  typealias Request = Documentation.Request
  typealias Response = Documentation.Response
  typealias Unavailable = Documentation.Unavailable

  @Test("a client sends what is left, and sends nothing when nothing is")
  func client() async throws {
    let (wire, clock) = (Documentation.Wire(), VirtualClock())
    // snippet
    func get(_ path: String) async throws -> Response {
      var request = Request(path: path)
      if let deadline = Deadline.current {
        if deadline.isExpired { throw Unavailable() }
        request.headers["grpc-timeout"] = deadline.grpcTimeout
      }
      return try await wire.send(request)
    }
    // end snippet
    for remaining in [Duration.milliseconds(50), .zero] {
      _ = try? await Deadline(in: remaining, clock: clock).run { try await get("/users/1") }
    }
    _ = try await get("/users/2")
    #expect(wire.requests.map(\.headers) == [["grpc-timeout": "50000000n"], [:]])
  }

  @Test("a server takes what is left, and believes no nonsense")
  func server() async throws {
    let clock = VirtualClock()
    var deadlines: [Duration?] = []
    func answer(_ request: Request) async throws -> Response {
      deadlines.append(Deadline.current?.remaining)
      return Response(status: 200)
    }
    // snippet
    func respond(to request: Request) async throws -> Response {
      guard let text = request.headers["grpc-timeout"] else { return try await answer(request) }
      guard let deadline = Deadline(grpcTimeout: text, clock: clock) else {
        return Response(status: 400)
      }
      return try await deadline.run { try await answer(request) }
    }
    // end snippet
    var statuses: [Int] = []
    for header in [nil, "50m", "a while", "123456789m", "-1m"] {
      var request = Request(path: "/users/1")
      request.headers["grpc-timeout"] = header
      statuses.append(try await respond(to: request).status)
    }
    #expect(statuses == [200, 200, 400, 400, 400])
    #expect(deadlines == [nil, .milliseconds(50)])
    #expect(Deadline(decimalMilliseconds: "50", clock: clock)?.decimalMilliseconds == "50")
  }
}

// MARK: - Figures

extension Documentation.TimeoutUsage {
  static let guide = "\(Documentation.catalog)/TimeoutGuide.md"

  @Test("the defaults are those in the tables", arguments: [guide, Documentation.readme])
  func defaults(file: String) throws {
    let rows = try Documentation.rows(inMarkdown: file)
    let row = rows.first { $0.first == "`maxAbandoned`" }
    #expect(row?[1] == "`\(AbandoningTimeout(.seconds(1)).maxAbandoned)`")
  }

  @Test("a timeout for each attempt leaves time for another")
  func attempts() async throws {
    let rows = try Documentation.rows(inMarkdown: Self.guide)
    let user = Documentation.User(id: 1)
    @Sendable func expect(_ name: String, _ find: Script<Documentation.User>, answers: Bool) {
      let row = rows.first { $0.first == name }
      #expect(row.map { Array($0.dropFirst()) } == ["\(find.calls)", answers ? "yes" : "no"])
    }
    try await withVirtualTime { clock in
      let budget = RetryBudget(clock: clock)
      let find = Script([.hang, .succeed(user)], clock: clock)
      // snippet
      let pipeline = Pipeline {
        Timeout(.seconds(1), name: "total", clock: clock)
        Retry(budget: budget, clock: clock)
      }
      // end snippet
      let answer = try? await pipeline.run { try await find() }
      expect("in total only, 1 s", find, answers: answer == user)
      #expect(pipeline.validate().map(\.kind) == [.noAttemptTimeout])
    }
    try await withVirtualTime { clock in
      let budget = RetryBudget(clock: clock)
      let find = Script([.hang, .succeed(user)], clock: clock)
      // snippet
      let pipeline = Pipeline {
        Timeout(.seconds(1), name: "total", clock: clock)
        Retry(budget: budget, clock: clock)
        Timeout(.milliseconds(250), name: "attempt", clock: clock)
      }
      // end snippet
      let answer = try? await pipeline.run { try await find() }
      expect("of each attempt, 250 ms, as well", find, answers: answer == user)
      #expect(pipeline.validate() == [])
    }
  }

  @Test("a breaker counts what the table says, on either side of a timeout")
  func breakers() async throws {
    let rows = try Documentation.rows(inMarkdown: Self.guide)
    @Sendable func word(_ breaker: CircuitBreaker) -> String {
      let totals = breaker.snapshot().totals
      if totals.failures > 0 { return "failure" }
      return totals.ignored > 0 ? "ignored" : "nothing"
    }
    @Sendable func expect(_ name: String, _ outside: CircuitBreaker, _ inside: CircuitBreaker) {
      let row = rows.first { $0.first == name }
      #expect(row.map { Array($0.dropFirst()) } == [word(outside), word(inside)], "\(name)")
    }
    try await withVirtualTime { clock in
      for (name, limit, givesUp) in [
        ("the limit passed", Duration.seconds(2), Duration.seconds(3600)),
        ("the caller cancelled", .seconds(2), .seconds(1)),
        ("there was no time at all", .zero, .seconds(3600)),
      ] {
        let outside = CircuitBreaker("outside", clock: clock)
        let inside = CircuitBreaker("inside", clock: clock)
        let pipeline = Pipeline {
          outside
          Timeout(limit, clock: clock)
          inside
        }
        await withTaskGroup { group in
          group.addTask { () async -> Void in
            _ = try? await pipeline.run { try await clock.sleep(for: .seconds(60)) }
          }
          await clock.advance(by: givesUp)
          group.cancelAll()
        }
        expect(name, outside, inside)
      }
    }
  }
}
