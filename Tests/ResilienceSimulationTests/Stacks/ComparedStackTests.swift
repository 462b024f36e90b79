import ResilienceSimulation
import Testing

@Suite("Stacks that are compared")
struct ComparedStackTests {
  @Test("every stack is listed once, under a name that fits a column")
  func names() {
    #expect(
      Stack.compared.map(\.name) == [
        "gRPC throttle", "AWS quota", "AWS-14", "Finagle budget", "Envoy budget",
        "gobreaker", "resilience4j", "Polly v8", "classic breaker",
        "SRE throttle", "SRE uncapped",
      ])
  }

  @Test("where nothing is wrong, no stack costs anything", arguments: Stack.compared.indices)
  func healthy(_ index: Int) async throws {
    var scenario = Scenario("nothing wrong")
    scenario.load.rate = .total(200)
    scenario.warmUp = .seconds(1)
    scenario.watch = .seconds(5)
    let result = try await Trial(scenario, Stack.compared[index]).run()
    #expect(result.calls().offered > 1_000)
    #expect(result.calls().goodput >= 0.999)
    #expect((result.calls().amplification * 100).rounded() == 100)
    #expect(result.circuits.trips == 0)
    #expect(result.leftoverTimers == 0)
    #expect(result.unfinishedCalls == 0)
  }

  /// A brownout of three seconds, small so that it takes little time: a fifth of the usual workers,
  /// at a load of 60 % because two workers at 80 % would be late now and then without any trouble.
  private static var smallBrownout: Scenario {
    var scenario = Scenario("small brownout", phases: [.init(.seconds(3), .capacity(0.2))])
    scenario.service.workers = 2
    scenario.load.rate = .total(60)
    scenario.warmUp = .seconds(3)
    scenario.watch = .seconds(24)
    return scenario
  }

  @Test(
    "what pays retries by calls or by time never recovers, what pays them by successes does",
    arguments: [
      ("naive retry", false), ("Finagle budget", false), ("Envoy budget", false),
      ("gRPC throttle", true), ("AWS-14", true), ("retry + budget", true),
      ("classic breaker", true),
    ])
  func ranking(_ name: String, _ recovers: Bool) async throws {
    let stack = try #require((Stack.own + Stack.compared).first { $0.name == name })
    let result = try await Trial(Self.smallBrownout, stack, clients: 8).run()
    #expect((result.timeToRecover != nil) == recovers)
    #expect(result.isMetastable != recovers)
  }
}
