import Resilience
import ResilienceTesting
import Testing

extension Documentation {
  @Suite("Documentation: figures of retries")
  struct RetryFigures {
    typealias Default = FigureTests.Default

    static let guide = "\(catalog)/RetryGuide.md"

    static var defaults: [Default] {
      let settings = Retry.Configuration()
      let budget = RetryBudget.Configuration()
      let backoff = Backoff.exponential(
        from: .milliseconds(50), factor: 2, cap: .seconds(20), jitter: .full)
      return [
        Default("maxAttempts", "3", settings.maxAttempts == 3),
        Default(
          "backoff",
          ".exponential(from: .milliseconds(50), factor: 2, cap: .seconds(20), jitter: .full)",
          "\(settings.backoff)" == "\(backoff)"),
        Default("hintCap", ".seconds(30)", settings.hintCap == .seconds(30)),
        Default("rejections", ".stop", settings.rejections == .stop),
        Default("nesting", ".once", settings.nesting == .once),
        Default("ratio", "0.1", budget.ratio == 0.1),
        Default("window", ".seconds(10)", budget.window == .seconds(10)),
        Default("minimumCapacity", "1", budget.minimumCapacity == 1),
      ]
    }

    @Test("the defaults are those in the tables", arguments: [guide, readme])
    func defaults(file: String) throws {
      let rows = try rows(inMarkdown: file)
      for setting in Self.defaults {
        #expect(setting.holds, "\(setting.parameter) is not \(setting.value)")
        let row = rows.first { $0.first == "`\(setting.parameter)`" }
        #expect(row?[1] == "`\(setting.value)`")
      }
    }

    @Test("the initializers have the defaults of the configurations")
    func initializers() {
      let budget = RetryBudget("retry")
      #expect(
        Retry().layers.map(\.settings) == ["\(Retry.Configuration()), \(budget)"])
      #expect(
        Retry(configuration: .init()).layers == Retry().layers)
      #expect(
        Retry(budget: nil).layers.map(\.settings) == ["\(Retry.Configuration()), no budget"])
      let clock = VirtualClock()
      let budgets = [
        RetryBudget(clock: clock), RetryBudget(configuration: .init(), clock: clock),
      ]
      for budget in budgets {
        for _ in 1...1000 { budget.succeed() }
        #expect(budget.snapshot().capacity == 100)
      }
    }

    @Test("three attempts make 99.2 % of four in five")
    func attempts() async {
      let retry = Retry(
        backoff: .none, budget: RetryBudget(minimumCapacity: 10, clock: VirtualClock()))
      var (random, successes) = (Numbers(state: 1), 0)
      for _ in 1...20_000 {
        let isAnswered = try? await retry.run {
          guard Double.random(in: 0..<1, using: &random) >= 0.2 else { throw Unavailable() }
          return true
        }
        if isAnswered == true { successes += 1 }
      }
      #expect(abs(Double(successes) / 20_000 - 0.992) < 0.002)
    }

    @Test("three attempts have waited 75 ms on average, and 150 ms at most")
    func waits() {
      let waits = [2, 3].map { attempt in
        Self.waits(Retry.Configuration().backoff, beforeAttempt: attempt)
      }
      #expect(abs(waits.map { Self.mean($0) }.reduce(0, +) - 0.075) < 0.001)
      let longest = waits.map { $0.max() ?? .zero }
      #expect(longest[0] <= .milliseconds(50))
      #expect(longest[1] <= .milliseconds(100))
    }

    @Test("jitters spread as the table says")
    func jitter() throws {
      let rows = try rows(inMarkdown: Self.guide)
      let jitters: [(name: String, Backoff.Jitter, ClosedRange<Double>, mean: String)] = [
        (".none", .none, 1...1, "1"), (".full", .full, 0...1, "0.5"),
        (".equal", .equal, 0.5...1, "0.75"),
        (".proportional(0.2)", .proportional(0.2), 0.8...1.2, "1"),
      ]
      for (name, jitter, range, mean) in jitters {
        let row = try #require(rows.first { $0.first == "`\(name)`" })
        #expect(row[2] == "\(mean) × *d*")
        let waits = Self.waits(.constant(.seconds(1), jitter: jitter), beforeAttempt: 2)
        let expected = try #require(Double(mean))
        #expect(abs(Self.mean(waits) - expected) < 0.01, "\(name)")
        let bounds = Duration.seconds(range.lowerBound)...Duration.seconds(range.upperBound)
        #expect(waits.allSatisfy { bounds.contains($0) }, "\(name)")
      }
    }

    @Test("backoffs grow as the table says")
    func backoffs() {
      let delay = { (backoff: Backoff, attempt: Int) in
        Self.waits(backoff, beforeAttempt: attempt, count: 1)[0]
      }
      let linear = Backoff.linear(
        from: .seconds(2), step: .seconds(3), cap: .seconds(7), jitter: .none)
      #expect((2...5).map { delay(linear, $0) } == [2, 5, 7, 7].map { .seconds($0) })
      let exponential = Backoff.exponential(
        from: .seconds(2), factor: 3, cap: .seconds(20), jitter: .none)
      #expect((2...5).map { delay(exponential, $0) } == [2, 6, 18, 20].map { .seconds($0) })
    }

    private static func waits(
      _ backoff: Backoff, beforeAttempt attempt: Int, count: Int = 20_000
    ) -> [Duration] {
      var random = Numbers(state: 1)
      return (0..<count).map { _ in backoff.delay(beforeAttempt: attempt, using: &random) }
    }

    private static func mean(_ waits: [Duration]) -> Double {
      waits.reduce(.zero, +) / Duration.seconds(waits.count)
    }

    /// Marsaglia's xorshift64: the same numbers each time.
    private struct Numbers: RandomNumberGenerator {
      var state: UInt64

      mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
      }
    }
  }
}

// MARK: - Outages and nesting

extension Documentation.RetryFigures {
  private func callsInOutage(_ budget: RetryBudget?) async -> Int {
    let users = Documentation.UserService(.failing(Documentation.Unavailable()))
    let retry = Retry("user-service", backoff: .none, budget: budget)
    for id in 1...1000 { _ = try? await retry.run { try await users.find(id) } }
    return users.calls
  }

  @Test("a thousand calls in an outage are as many as the table says")
  func outage() async throws {
    let rows = try Documentation.rows(inMarkdown: Self.guide)
    let clock = VirtualClock()
    let earned = RetryBudget(clock: clock)
    for _ in 1...1000 { earned.succeed() }
    let budgets = [
      ("`budget: nil`", nil), ("a new one", RetryBudget(clock: clock)),
      ("one with 1000 successes just before", earned),
    ]
    var counted: [Int] = []
    for (name, budget) in budgets {
      let calls = await callsInOutage(budget)
      let row = rows.first { $0.first == name }
      #expect(row?[1] == "\(calls)", "\(name)")
      counted.append(calls)
    }
    let text = try Documentation.lines(of: Documentation.readme).joined(separator: " ")
    let claim = "become \(counted[1]) with a new budget, and \(counted[0]) without any"
    #expect(text.contains(claim))
  }

  @Test("three retries inside each other make as many calls as the table says")
  func nesting() async throws {
    let rows = try Documentation.rows(inMarkdown: Self.guide)
    for (name, nesting) in [("`.allowed`", Retry.Nesting.allowed), ("`.once`", .once)] {
      let users = Documentation.UserService(.failing(Documentation.Unavailable()))
      let layers = (1...3).map { _ in Retry(backoff: .none, nesting: nesting, budget: nil) }
      _ = try? await layers[0].run {
        try await layers[1].run { try await layers[2].run { try await users.find(1) } }
      }
      let row = rows.first { $0.first == name }
      #expect(row?[1] == "\(users.calls)", "\(name)")
    }
  }

  @Test("a retry that was started in an attempt and outlives it retries by itself")
  func mark() async throws {
    let users = Documentation.UserService(.failing(Documentation.Unavailable()))
    let (outer, inner) = (Retry(), Retry(backoff: .none, budget: nil))
    let (ended, hasEnded) = AsyncStream<Void>.makeStream()
    let upkeep = try await outer.run {
      Task {
        for await _ in ended {}
        return try? await inner.run { try await users.find(1) }
      }
    }
    hasEnded.finish()
    _ = await upkeep.value
    #expect(users.calls == 3)
  }
}
