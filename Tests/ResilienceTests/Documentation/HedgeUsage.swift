import Resilience
import ResilienceTesting
import Testing

extension Documentation {
  @Suite("Documentation: use of hedges")
  struct HedgeUsage {
    typealias Default = FigureTests.Default

    static let guide = "\(catalog)/HedgeGuide.md"

    let users = UserService()
    let id = 1

    @Test("a call is hedged")
    func run() async throws {
      let (users, id) = (users, id)
      // snippet
      let hedge = Hedge("users")

      let user = try await hedge.run { try await users.find(id) }
      // end snippet
      #expect(user == User(id: 1))
    }

    @Test("a server is told which attempt it gets")
    func numbers() async throws {
      let wire = Wire()
      let hedge = Hedge("users")
      // snippet
      let response = try await hedge.run { execution in
        var request = Request(path: "/users/1")
        request.headers["x-hedge"] = "\(execution.hedge)"
        return try await wire.send(request)
      }
      // end snippet
      #expect(response.status == 200)
      #expect(wire.requests.map(\.headers) == [["x-hedge": "0"]])
    }

    @Test("a fixed delay holds from the first call on")
    func fixed() async throws {
      try await withVirtualTime { clock in
        let users = UnevenService([.seconds(1), .seconds(1), .milliseconds(5)], clock: clock)
        // snippet
        let hedge = Hedge("users", delay: .fixed(.milliseconds(50)), maxHedges: 2, clock: clock)
        // end snippet
        _ = try await hedge.run { try await users.find(1) }
        #expect(clock.now.offset == .milliseconds(105))
        #expect(users.calls == 3)
      }
    }

    @Test("an error that is an answer ends the call")
    func classify() async throws {
      let users = UserService(.failing(NoSuchUser()))
      // snippet
      let hedge = Hedge(
        "users",
        delay: .fixed(.milliseconds(50)),
        classify: { error in error is NoSuchUser ? .success : nil }
      )
      // end snippet
      await #expect(throws: NoSuchUser.self) { try await hedge.run { try await users.find(1) } }
      #expect(users.calls == 1)
    }

    @Test("a budget in common pays for retries and hedges")
    func shared() async throws {
      let clock = VirtualClock()
      let (users, id) = (users, id)
      // snippet
      let budget = RetryBudget("users", clock: clock)
      let pipeline = Pipeline {
        Retry(budget: budget, clock: clock)
        Hedge(budget: budget, clock: clock)
        CircuitBreaker("users", clock: clock)
      }
      // end snippet
      let user = try await pipeline.run { try await users.find(id) }
      #expect(user == User(id: 1))
      #expect(budget.snapshot().successes == 1)
      #expect(pipeline.validate() == [])
    }

    // snippet
    @Test func asksAgainAfterFiftyMilliseconds() async throws {
      try await withVirtualTime { clock in
        let hedge = Hedge(delay: .fixed(.milliseconds(50)), clock: clock)
        let find = Script<User>([.hang, .succeed(User(id: 1))], clock: clock)

        let user = try await hedge.run { try await find() }

        #expect(user == User(id: 1))
        #expect(find.calls == 2)
        #expect(clock.now == .init(offset: .milliseconds(50)))
      }
    }
    // end snippet

    @Test("events are lines for a log")
    func events() async throws {
      let lines = try await withVirtualTime { clock in
        let events = EventRecorder()
        let hedge = Hedge(
          "users", delay: .fixed(.milliseconds(50)), clock: clock, observers: [events])
        let find = Script<User>(
          [.hang, .succeed(User(id: 1), after: .milliseconds(4))], clock: clock)
        _ = try await hedge.run { try await find() }
        return events.descriptions
      }
      let shown = try blocks(inMarkdown: Self.guide).filter { $0.info == "text" }
      #expect(shown.map(\.code) == [lines])
    }
  }
}

// MARK: - Figures

extension Documentation.HedgeUsage {
  static var defaults: [Default] {
    let settings = Hedge.Configuration()
    let delay = Hedge.Delay.percentile(0.98, window: 100, minimum: 20)
    let budget = Hedge().budget.map { "\($0)" }
    let own = RetryBudget("hedge", ratio: 0.0125, window: .seconds(10), minimumCapacity: 5)
    return [
      Default(
        "delay", ".percentile(0.98, window: 100, minimum: 20)", settings.delay == delay),
      Default("maxHedges", "1", settings.maxHedges == 1),
      Default(
        "budget", "RetryBudget(ratio: 0.0125, window: .seconds(10), minimumCapacity: 5)",
        budget == "\(own)"),
    ]
  }

  @Test("the defaults are those in the table")
  func defaults() throws {
    let rows = try Documentation.rows(inMarkdown: Self.guide)
    for setting in Self.defaults {
      #expect(setting.holds, "\(setting.parameter) is not \(setting.value)")
      let row = rows.first { $0.first == "`\(setting.parameter)`" }
      #expect(row?[1] == "`\(setting.value)`")
    }
    #expect(Hedge.Delay.percentile() == Hedge.Configuration().delay)
  }

  @Test("the slow end is what the table says")
  func tail() async throws {
    let rows = try Documentation.rows(inMarkdown: Self.guide)
    try await withVirtualTime { clock in
      for (name, hedge) in [("none", nil), ("the default", Hedge(clock: clock))] {
        let (sorted, attempts) = try await HedgeTailTests.latencies(
          under: hedge, seed: 1, on: clock)
        let row = rows.first { $0.first == name }
        let percentiles = [sorted[4_999], sorted[9_899], sorted[9_989]].map { latency in
          "\(Int((latency / .milliseconds(1)).rounded())) ms"
        }
        let extra = "\((Double(attempts - 10_000) / 10).rounded() / 10) %"
        #expect(row.map { Array($0.dropFirst()) } == percentiles + [extra])
      }
    }
  }

  @Test("who answers is what the table says")
  func answers() async throws {
    struct First: Error {}
    struct Second: Error {}
    typealias Step = Script<Int>.Step
    let rows = try Documentation.rows(inMarkdown: Self.guide)
    let late = Duration.milliseconds(80)
    let cases: [(String, [Step])] = [
      ("answers in time", [.succeed(1), .succeed(2)]),
      ("answers late, and before the hedge", [.succeed(1, after: late), .hang]),
      ("is slower than the hedge", [.hang, .succeed(2)]),
      ("fails, and the hedge answers", [.fail(First()), .succeed(2)]),
      ("answers late, and the hedge fails", [.succeed(1, after: late), .fail(Second())]),
      ("fails, and the hedge fails as well", [.fail(First()), .fail(Second())]),
    ]
    for (name, steps) in cases {
      try await withVirtualTime { clock in
        let hedge = Hedge(delay: .fixed(.milliseconds(50)), clock: clock)
        let script = Script(steps, clock: clock)
        let answer: String
        do {
          let winner = try await hedge.run { try await script() }
          answer = winner == 1 ? "the first attempt's answer" : "the hedge's answer"
        } catch {
          answer = error is First ? "the first attempt's error" : "the hedge's error"
        }
        let row = rows.first { $0.first == name }
        #expect(row?[1] == answer, "\(name)")
        let spent = hedge.snapshot().budget.map { $0.withdrawn - $0.givenBack }
        #expect(row?[2] == "\(spent ?? -1)", "\(name)")
      }
    }
  }
}
