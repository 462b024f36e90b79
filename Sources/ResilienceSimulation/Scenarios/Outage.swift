extension Scenario {
  /// 2. Every request fails after 2 ms, for a while.
  ///
  /// - Parameters:
  ///   - length: how long; up to 5 s are added by seed.
  ///   - share: how many requests fail.
  public static func outage(lasting length: Duration = .seconds(60), failing share: Double = 1)
    -> Scenario
  {
    Scenario(
      "outage of \(length)", phases: [Phase(length, spread: .seconds(5), .failing(share))])
  }
}

extension FailureScenario {
  /// 2. How many requests does a service get that answers none, and how soon is it used again?
  public static var outage: FailureScenario {
    FailureScenario(
      number: 2, title: "Outage",
      summary: """
        Every request fails after 2 ms for 60 s (and up to 5 s more). How many are sent all the same, \
        and how soon do calls succeed again?
        """,
      variants: [
        Variant(
          name: "all requests", scenario: .outage(),
          figures: [
            .amplification(.own(.atMost(0.3))), .timeToRecover(.own(.atMost(3))), .collateral,
            .blocked,
          ]),
        Variant(
          name: "90 % of them", scenario: .outage(failing: 0.9),
          figures: [.amplification(), .timeToRecover(.own(.atMost(3)))]),
      ])
  }
}
