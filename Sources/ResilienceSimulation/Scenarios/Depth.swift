extension Scenario {
  /// 5. Three hops, each with 3 attempts: clients call a service that calls another that calls the one
  /// that fails, all requests for 30 s and 20 % of them for another 30 s.
  public static var stormInDepth: Scenario {
    var scenario = Scenario(
      "storm in depth",
      phases: [Phase(.seconds(30), .failing(1)), Phase(.seconds(30), .failing(0.2))])
    scenario.hops = 3
    scenario.maxAttempts = 3
    scenario.load.rate = .total(100)
    // An attempt of an outer hop holds all attempts of the inner ones.
    scenario.attemptTimeout = .seconds(1)
    scenario.watch = .seconds(60)
    return scenario
  }
}

extension FailureScenario {
  /// 5. How many requests reach the bottom of a chain of services for each user?
  public static var stormInDepth: FailureScenario {
    FailureScenario(
      number: 5, title: "Storm in depth",
      summary: """
        Three hops with 3 attempts each; at the bottom all requests fail for 30 s, then 20 % for 30 s. \
        How many requests reach the bottom for each call at the top?
        """,
      variants: [
        Variant(
          name: "", scenario: .stormInDepth,
          figures: [
            .amplification(.own(.atMost(1.2))),
            Figure("the same while all fail", .ratio) {
              $0.stretches[1].calls[.all]!.amplification
            },
            Figure("goodput while 20 % fail", .share) { $0.stretches[2].calls[.all]!.goodput },
            .timeToRecover(),
          ])
      ])
  }
}
