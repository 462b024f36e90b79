extension Scenario {
  /// 6. One key of many fails all its requests for three minutes. The others have nothing to do with it.
  ///
  /// - Parameters:
  ///   - keys: how many keys there are: shards, endpoints, tenants.
  ///   - rate: calls a second, all clients together.
  public static func partialFailure(keys: Int, rate: Double) -> Scenario {
    var scenario = Scenario(
      "1 of \(keys) keys dead", phases: [Phase(.seconds(180), .failing(keys: 0..<1))])
    scenario.load.keys = keys
    scenario.load.rate = .total(rate)
    // Each key is a service of its own, with workers to spare.
    scenario.service.workers = 10_000
    scenario.warmUp = .seconds(15)
    scenario.watch = .seconds(15)
    return scenario
  }
}

extension FailureScenario {
  /// 6. Do calls for a dead shard harm the calls for the others?
  public static var partialFailure: FailureScenario {
    FailureScenario(
      number: 6, title: "Partial failure",
      summary: """
        One of ten shards, one of five endpoints or one of a thousand tenants fails all its requests \
        for three minutes. Are calls for the others harmed, and how many for the dead one are refused \
        before they are sent? (Ten shards at 400 calls/s from 20 clients are 2 calls/s for a key and \
        client, 800 are 4, and two shards at 800 are 20.)
        """,
      variants: [
        variant("1 of 10 shards, 400 calls/s", keys: 10, rate: 400, refused: 0.75),
        variant("1 of 10 shards, 800 calls/s", keys: 10, rate: 800, refused: 0.85),
        variant("1 of 2 shards, 800 calls/s", keys: 2, rate: 800, refused: 0.95),
        variant("1 of 5 endpoints, 400 calls/s", keys: 5, rate: 400, refused: 0.85),
        variant("1 of 1 000 tenants, 400 calls/s", keys: 1_000, rate: 400, refused: nil),
      ])
  }

  private static func variant(_ name: String, keys: Int, rate: Double, refused: Double?) -> Variant
  {
    let target = refused.map {
      Target.only(["tuned"], .bySize(small: .atLeast($0), large: nil))
    }
    return Variant(
      name: name, scenario: .partialFailure(keys: keys, rate: rate),
      figures: [
        .goodput(
          "goodput of the healthy keys", .untroubled, in: .trouble,
          .only(["tuned"], .atLeast(0.999))),
        Figure("refused on the dead key", .share, target) {
          $0.calls(.troubled, in: .trouble).refusedShare
        },
      ])
  }
}
