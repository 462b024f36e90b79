import Testing

@testable import ResilienceSimulation

@Suite("Arrivals")
struct ArrivalTests {
  private static func counts(_ scenario: Scenario, clients: Int = 2) async throws -> [Double] {
    try await Trial(scenario, .direct, clients: clients).run().timeline
      .map { Double($0.offered) }
  }

  private static func mean(_ numbers: some Collection<Double>) -> Double {
    numbers.reduce(0, +) / Double(numbers.count)
  }

  private static var steady: Scenario {
    var scenario = Scenario("steady")
    scenario.load.rate = .total(40)
    scenario.warmUp = .zero
    scenario.watch = .seconds(300)
    return scenario
  }

  @Test("calls of a second are distributed as Poisson says: their variance is their mean")
  func poisson() async throws {
    let counts = try await Self.counts(Self.steady)
    let mean = Self.mean(counts)
    let variance = Self.mean(counts.map { ($0 - mean) * ($0 - mean) })
    #expect(counts.count == 300)
    // Three standard errors: √(40 / 300) of the mean, √(2 / 300) of its share of the variance.
    #expect(abs(mean - 40) < 1.1)
    #expect(abs(variance / mean - 1) < 0.25)
  }

  @Test("the rate may be said for each client")
  func perClient() async throws {
    var scenario = Self.steady
    scenario.load.rate = .perClient(4)
    let each = try await Self.counts(scenario, clients: 10)
    let together = try await Self.counts(Self.steady, clients: 10)
    #expect(each == together)
  }

  @Test("a load doubles while it is a trouble, and is the same again afterwards")
  func doubled() async throws {
    var scenario = Scenario("doubled", phases: [.init(.seconds(100), .load(times: 2))])
    scenario.load.rate = .total(40)
    scenario.warmUp = .seconds(100)
    scenario.watch = .seconds(100)
    let counts = try await Self.counts(scenario)
    #expect(abs(Self.mean(counts[..<100]) - 40) < 1.9)
    #expect(abs(Self.mean(counts[100..<200]) - 80) < 2.7)
    #expect(abs(Self.mean(counts[200...]) - 40) < 1.9)
  }

  @Test("keys and criticalities are drawn by their shares")
  func shares() async throws {
    var scenario = Self.steady
    scenario.load.keys = 4
    scenario.load.critical = 0.2
    scenario.load.sheddable = 0.3
    scenario.always = [.failing(keys: 0..<1)]
    let result = try await Trial(scenario, .direct, clients: 2).run()
    let offered = Double(result.calls().offered)
    func share(_ group: CallGroup) -> Double { Double(result.calls(group).offered) / offered }
    // Four standard errors of a share near a half are 0.018.
    #expect(abs(share(.critical) - 0.2) < 0.015)
    #expect(abs(share(.sheddable) - 0.3) < 0.017)
    #expect(abs(share(.normal) - 0.5) < 0.018)
    #expect(abs(share(.troubled) - 0.25) < 0.016)
    #expect(result.calls(.untroubled).offered + result.calls(.troubled).offered == Int(offered))
    #expect(result.calls(.troubled).failed == result.calls(.troubled).offered)
    #expect(result.calls(.untroubled).good == result.calls(.untroubled).offered)
  }
}
