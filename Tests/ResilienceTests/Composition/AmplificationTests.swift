import Resilience
import ResilienceTesting
import Testing

/// Promise 2: what a dependency gets to do while it is down.
@Suite("Retries do not add to an outage", .timeLimit(.minutes(20)))
struct AmplificationTests {
  /// How a dependency is down.
  enum Outage: CaseIterable {
    case refuses, hangs
  }

  /// A dependency that answers after 20 ms, but for a minute in the middle.
  final class Dependency: Sendable {
    static let outage = Duration.seconds(30)..<Duration.seconds(90)
    let clock: VirtualClock
    let kind: Outage
    let attempts = Shared(0)
    let attemptsInOutage = Shared(0)

    init(_ kind: Outage, _ clock: VirtualClock) {
      self.kind = kind
      self.clock = clock
    }

    func answer() async throws {
      attempts.value += 1
      guard Self.outage.contains(clock.now.offset) else {
        return try await clock.sleep(for: .milliseconds(20))
      }
      attemptsInOutage.value += 1
      if kind == .hangs { try await clock.sleep(for: .seconds(3600)) }
      throw Unavailable()
    }
  }

  /// What a fleet of clients did.
  struct Outcome: Sendable {
    var calls = 0
    var answers = 0
    var callsInOutage = 0
  }

  static let clients = 3
  static let interval = Duration.milliseconds(50)

  /// Twenty calls a second from each client, every client with a pipeline of its own.
  static func run(
    _ dependency: Dependency, _ pipeline: @Sendable (_ client: Int) -> some ResiliencePolicy
  ) async -> Outcome {
    await withTaskGroup(of: Outcome.self) { fleet in
      for client in 0..<clients {
        let pipeline = pipeline(client)
        fleet.addTask { await call(dependency, through: pipeline, client) }
      }
      return await fleet.reduce(into: Outcome()) { sum, outcome in
        sum.calls += outcome.calls
        sum.answers += outcome.answers
        sum.callsInOutage += outcome.callsInOutage
      }
    }
  }

  private static func call(
    _ dependency: Dependency, through pipeline: some ResiliencePolicy, _ client: Int
  ) async -> Outcome {
    await withTaskGroup(of: Bool.self) { calls in
      var outcome = Outcome()
      // Clients do not call in step.
      try? await dependency.clock.sleep(for: interval / clients * client)
      while dependency.clock.now.offset < .seconds(120) {
        outcome.calls += 1
        if Dependency.outage.contains(dependency.clock.now.offset) { outcome.callsInOutage += 1 }
        calls.addTask { (try? await pipeline.run { try await dependency.answer() }) != nil }
        try? await dependency.clock.sleep(for: interval)
      }
      for await isAnswered in calls where isAnswered { outcome.answers += 1 }
      return outcome
    }
  }

  /// Whatever is down, the attempts stay below this share of the calls.
  private static func expectFew(
    _ dependency: Dependency, _ outcome: Outcome, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let overall = Double(dependency.attempts.value) / Double(outcome.calls)
    let inside = Double(dependency.attemptsInOutage.value) / Double(outcome.callsInOutage)
    #expect(overall <= 1.1, sourceLocation: sourceLocation)
    #expect(inside <= 1.1, sourceLocation: sourceLocation)
    // The outage is over; all is well again.
    #expect(outcome.calls == clients * 2400, sourceLocation: sourceLocation)
    #expect(outcome.callsInOutage == clients * 1200, sourceLocation: sourceLocation)
    #expect(outcome.answers > clients * 1150, sourceLocation: sourceLocation)
  }

  @Test("promise 2: timeouts, retry and breaker at their defaults", arguments: Outage.allCases)
  func wholePipeline(_ kind: Outage) async throws {
    try await withVirtualTime(jobLimit: 20_000_000) { clock in
      let dependency = Dependency(kind, clock)
      let outcome = await Self.run(dependency) { client in
        Pipeline {
          Timeout(.seconds(1), name: "total", clock: clock)
          Retry(maxAttempts: 3, clock: clock, seed: UInt64(client))
          CircuitBreaker("dependency", clock: clock, seed: UInt64(client))
          Timeout(.milliseconds(250), name: "attempt", clock: clock)
        }
      }
      Self.expectFew(dependency, outcome)
      // The breaker spares it nearly all of the calls.
      let inside = dependency.attemptsInOutage.value
      #expect(inside * 3 <= outcome.callsInOutage)
      #expect(clock.sleeperCount == 0)
    }
  }

  @Test("promise 2: a retry with its budget alone", arguments: Outage.allCases)
  func budgetAlone(_ kind: Outage) async throws {
    try await withVirtualTime(jobLimit: 20_000_000) { clock in
      let dependency = Dependency(kind, clock)
      let outcome = await Self.run(dependency) { client in
        Pipeline {
          Timeout(.seconds(1), name: "total", clock: clock)
          Retry(maxAttempts: 3, clock: clock, seed: UInt64(client))
          Timeout(.milliseconds(250), name: "attempt", clock: clock)
        }
      }
      Self.expectFew(dependency, outcome)
    }
  }
}
