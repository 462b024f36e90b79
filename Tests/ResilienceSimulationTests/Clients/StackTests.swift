import Resilience
import ResilienceTesting
import Testing

@testable import ResilienceSimulation

@Suite("Stacks")
struct StackTests {
  @Test("each client makes its policies once, with its own number, hop and seeds")
  func clients() async throws {
    let made = ResilienceSimulation.Lock([String]())
    let seeds = ResilienceSimulation.Lock(Set<UInt64>())
    var scenario = Scenario.brief
    scenario.hops = 2
    scenario.attemptTimeout = .milliseconds(70)
    scenario.deadline = .milliseconds(700)
    scenario.maxAttempts = 7
    let stack = Stack("counting") { client in
      made.withLock { $0.append("\(client.hop)/\(client.number)") }
      seeds.withLock { $0.formUnion([client.seed(), client.seed()]) }
      #expect(client.attemptTimeout == .milliseconds(70))
      #expect(client.deadline == .milliseconds(700))
      #expect(client.maxAttempts == 7)
      return Direct()
    }
    _ = try await Trial(scenario, stack, clients: 3).run()
    #expect(made.withLock { $0 } == ["0/0", "0/1", "0/2", "1/0", "1/1", "1/2"])
    #expect(seeds.withLock { $0.count } == 12)
  }

  @Test("a stack that routes is asked about each request")
  func routing() async throws {
    let asked = ResilienceSimulation.Lock([Int: Int]())
    var scenario = Scenario.brief
    scenario.load.keys = 2
    scenario.load.rate = .total(100)
    let stack = Stack(
      "routing",
      routing: { client in
        { request in
          #expect(request.client == client.number)
          asked.withLock { $0[request.key, default: 0] += 1 }
          return Direct()
        }
      })
    let result = try await Trial(scenario, stack).run()
    let counts = asked.withLock { $0 }
    #expect(Set(counts.keys) == [0, 1])
    #expect(counts.values.reduce(0, +) == result.calls().offered)
  }

  @Test("every own stack is listed once, under a name that fits a column")
  func names() {
    #expect(
      Stack.own.map(\.name) == [
        "bare", "naive retry", "retry + budget", "recommended", "hung calls", "tuned", "hedged",
        "guarded",
      ])
  }

  private static func healthy(
    _ stack: Stack, warmUp: Duration = .seconds(1)
  ) async throws -> TrialResult {
    var scenario = Scenario("nothing wrong")
    scenario.load.rate = .total(200)
    scenario.warmUp = warmUp
    scenario.watch = .seconds(5)
    let result = try await Trial(scenario, stack).run()
    #expect(result.calls(in: .afterwards).offered > 800)
    #expect(result.calls(in: .afterwards).goodput >= 0.999)
    #expect(result.circuits == CircuitCounts())
    #expect(result.leftoverTimers == 0)
    #expect(result.unfinishedCalls == 0)
    return result
  }

  @Test(
    "where nothing is wrong, no stack costs anything",
    arguments: ["bare", "naive retry", "retry + budget", "recommended", "hung calls", "tuned"])
  func healthy(_ stack: String) async throws {
    let calls = try await Self.healthy(.named(stack)).calls()
    #expect(calls.goodput >= 0.999)
    #expect((calls.amplification * 100).rounded() == 100)
  }

  @Test("hedges cost a few requests in a hundred")
  func hedged() async throws {
    let calls = try await Self.healthy(.hedged).calls()
    #expect(calls.goodput >= 0.999)
    #expect((1.01...1.06).contains(calls.amplification))
  }

  @Test("a service that finds its limit by itself refuses some calls until it has found it")
  func guarded() async throws {
    let result = try await Self.healthy(.guarded, warmUp: .seconds(12))
    #expect((0.9..<0.999).contains(result.calls(in: .warmUp).goodput))
    #expect((result.calls(in: .afterwards).amplification * 100).rounded() == 100)
  }
}
