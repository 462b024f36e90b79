import Resilience
import ResilienceTesting
import Testing

extension Documentation.UserService {
  fileprivate func hints(_ id: Int) async throws -> [String] {
    _ = try await find(id)
    return ["hint"]
  }
}

extension Documentation {
  @Suite("Documentation: use of throttles")
  struct ThrottleUsage {
    static let guide = "\(catalog)/ThrottleGuide.md"

    let users = UserService()
    let id = 1

    enum Reply: Equatable {
      case ok
      case serviceUnavailable
    }

    /// A throttle that has counted so many calls that passed.
    private func counted(
      _ throttle: Throttle, successes: Int, failures: [Criticality: Int]
    ) async -> Throttle {
      for _ in 0..<successes { try? await Criticality.critical.run { try await throttle.run {} } }
      for (criticality, count) in failures {
        for _ in 0..<count {
          try? await criticality.run { try await throttle.run { throw Unavailable() } }
        }
      }
      return throttle
    }

    @Test("a call is throttled")
    func run() async throws {
      // snippet
      let throttle = Throttle("user-service")

      let user = try await throttle.run {
        try await users.find(id)
      }
      // end snippet
      #expect(user == User(id: 1))
      #expect(throttle.snapshot().accepts == 1)
    }

    @Test("a call says how much it matters")
    func criticality() async throws {
      let throttle = Throttle()
      // snippet
      let hints = try? await Criticality.sheddable.run {
        try await throttle.run { try await users.hints(id) }
      }
      let user = try await throttle.run { try await users.find(id) }
      // end snippet
      #expect(hints == ["hint"])
      #expect(user == User(id: 1))
      #expect(throttle.snapshot().accepts == 2)
    }

    @Test("a permit reports success and failure")
    func permit() async throws {
      let throttle = Throttle()
      func handle(_ request: Int, send: (Int) async throws -> Reply) async throws -> Reply {
        // snippet
        guard let permit = throttle.tryAcquire() else { return .serviceUnavailable }
        do {
          let reply = try await send(request)
          permit.succeed()
          return reply
        } catch {
          permit.end(throwing: error)
          throw error
        }
        // end snippet
      }
      let reply = try await handle(1) { _ in .ok }
      #expect(reply == .ok)
      await #expect(throws: Unavailable.self) { try await handle(1) { _ in throw Unavailable() } }
      let totals = throttle.snapshot().totals
      #expect([totals.admitted, totals.successes, totals.failures] == [2, 1, 1])
    }

    @Test("an error that is the caller's own fault is an answer")
    func classify() async {
      // snippet
      let throttle = Throttle("user-service") { error in
        error is BadRequest ? .success : nil
      }
      // end snippet
      try? await throttle.run { throw BadRequest() }
      try? await throttle.run { throw Unavailable() }
      let totals = throttle.snapshot().totals
      #expect([totals.successes, totals.failures] == [1, 1])
    }

    @Test("criticalities are refused as the table says")
    func shares() async throws {
      let rows = try rows(inMarkdown: Self.guide)
      let cases: [(String, sheddable: Int, normal: Int)] = [
        ("100 sheddable, 100 normal, 100 critical", 100, 100),
        ("50 sheddable, 150 normal, 100 critical", 50, 150),
      ]
      for (name, sheddable, normal) in cases {
        // 120 of 300 succeed. The first rows have 100 critical calls, and 20 more successes are
        // among the normal ones.
        let throttle = Throttle(multiplier: 2, maxRejection: 0.9, clock: VirtualClock(), seed: 1)
        var permits: [Call] = []
        for (criticality, count) in [
          (Criticality.sheddable, sheddable), (.normal, normal), (.critical, 100),
        ] {
          try await criticality.run {
            for _ in 0..<count { permits.append(Call(throttle)) }
          }
        }
        for (index, permit) in permits.enumerated() { permit.end(succeeds: index >= 180) }
        try expect(throttle, rows, name)
      }
      let throttle = Throttle(clock: VirtualClock(), seed: 1)
      let permits = (0..<300).map { _ in Call(throttle) }
      for (index, permit) in permits.enumerated() { permit.end(succeeds: index >= 180) }
      try expect(throttle, rows, "300 normal")
    }

    private func expect(_ throttle: Throttle, _ rows: [[String]], _ name: String) throws {
      let shares = throttle.snapshot().rejectionShares
      let row = rows.first { $0.first == name }
      let words = Criticality.allCases.map { "\(Int(((shares[$0] ?? 0) * 100).rounded())) %" }
      #expect(row.map { Array($0.dropFirst()) } == words, "\(name)")
    }

    /// A call in flight. Permits cannot be copied and arrays copy, so it holds one for them.
    private final class Call {
      private var permit: Throttle.Permit?

      init(_ throttle: Throttle) { permit = throttle.tryAcquire() }

      func end(succeeds: Bool) {
        if succeeds { permit.take()?.succeed() } else { permit.take()?.fail() }
      }
    }

    @Test("calls in flight count as the table says")
    func inFlight() async throws {
      let rows = try rows(inMarkdown: Self.guide)
      let cases: [(String, Int, Int)] = [
        ("none failed, or there are none", 0, 0), ("none failed, or there are none", 4, 0),
        ("one in four failed", 3, 1), ("all failed", 0, 1),
      ]
      for (name, successes, failures) in cases {
        let throttle = await counted(
          Throttle(maxRejection: 1e-9, clock: VirtualClock(), seed: 1), successes: successes,
          failures: [.normal: failures])
        let before = throttle.snapshot().requests
        try await throttle.run {
          let counts = throttle.snapshot().requests - before
          let row = rows.first { $0.first == name }
          #expect(row?[1] == (counts == counts.rounded() ? "\(Int(counts))" : "\(counts)"))
        }
      }
    }

    @Test("the defaults are those in the table")
    func defaults() throws {
      let rows = try rows(inMarkdown: Self.guide)
      let value = { (parameter: String) in rows.first { $0.first == "`\(parameter)`" }?[1] }
      let settings = Throttle.Configuration()
      #expect(value("name") == "`\"\(Throttle().name)\"`")
      #expect(value("multiplier") == "`\(settings.multiplier)`")
      #expect(settings.window == .seconds(10))
      #expect(value("window") == "`.seconds(10)`")
      #expect(value("maxRejection") == "`\(settings.maxRejection)`")
      #expect(Throttle().layers == Throttle(configuration: settings).layers)
      #expect(Throttle().layers.map(\.settings) == ["\(settings)"])
    }

    @Test("events are lines for a log")
    func events() async throws {
      let events = EventRecorder()
      let throttle = Throttle(
        "user-service", clock: VirtualClock(), seed: 1, observers: [events])
      try? await throttle.run { throw Unavailable() }
      // Half of the calls are refused now; those that pass say nothing.
      while events.events.isEmpty { throttle.tryAcquire()?.ignore() }
      let shown = try blocks(inMarkdown: Self.guide).filter { $0.info == "text" }
      #expect(shown.last?.code == events.descriptions)
    }
  }
}

// MARK: - Anti-patterns

extension Documentation.ThrottleUsage {
  /// The share of calls that are answered 35 to 40 s after an outage of a minute.
  private func recovery(_ throttle: Throttle, _ clock: VirtualClock) -> (share: Double, Int) {
    var (answered, calls, passedInOutage) = (0, 0, 0)
    for call in 0..<50_000 {
      let isOutage = call < 30_000
      if let permit = throttle.tryAcquire() {
        if isOutage { permit.fail() } else { permit.succeed() }
        if isOutage { passedInOutage += 1 } else if call >= 47_500 { answered += 1 }
      }
      if call >= 47_500 { calls += 1 }
      clock.advance(by: .milliseconds(2))
    }
    return (Double(answered) / Double(calls), passedInOutage)
  }

  @Test("without a limit it locks out")
  func lockOut() {
    let clock = VirtualClock()
    // snippet
    let throttle = Throttle("user-service", maxRejection: 1, clock: clock, seed: 1)
    // end snippet
    #expect(recovery(throttle, clock).share < 0.5)
    let limitedClock = VirtualClock()
    #expect(recovery(Throttle(clock: limitedClock, seed: 1), limitedClock).share >= 0.95)
  }

  @Test("outside a retry it does not see the attempts")
  func outside() async {
    let clock = VirtualClock()
    let users = Documentation.UserService(.failing(Documentation.Unavailable()))
    // snippet
    let pipeline = Pipeline {
      Throttle("user-service", clock: clock)
      Retry(backoff: .none, budget: nil)
    }
    // end snippet
    _ = try? await pipeline.run { try await users.find(id) }
    #expect(users.calls == 3)
    #expect(pipeline.validate().map(\.kind) == [.limitOutsideRetry])
  }

  @Test("inside a retry it sees each attempt")
  func inside() async {
    let clock = VirtualClock()
    // snippet
    let pipeline = Pipeline {
      Retry(backoff: .none, budget: nil)
      Throttle("user-service", clock: clock)
    }
    // end snippet
    #expect(pipeline.validate() == [])
  }

  @Test("one for each call refuses nothing")
  func oneEach() async throws {
    let users = Documentation.UserService(.failing(Documentation.Unavailable()))
    for _ in 1...100 {
      do {
        // snippet
        let user = try await Throttle("user-service").run { try await users.find(id) }
        // end snippet
        Issue.record("\(user)")
      } catch { #expect(error is Documentation.Unavailable) }
    }
    #expect(users.calls == 100)
  }
}
