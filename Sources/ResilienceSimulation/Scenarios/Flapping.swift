extension Scenario {
  /// 4. The service fails everything for one period, is well for the next, and so on for 96 s.
  public static func flapping(every period: Duration) -> Scenario {
    var scenario = Scenario(
      "flapping every \(period)", phases: [Phase(.seconds(96), .flapping(every: period))])
    scenario.watch = .seconds(30)
    return scenario
  }

  /// An outage of 60 s, where each client makes one call a second.
  public static var trickle: Scenario {
    var scenario = Scenario.outage()
    scenario.name = "outage, one call a second"
    scenario.load.rate = .perClient(1)
    return scenario
  }
}

extension FailureScenario {
  /// 4. Does a breaker use the time in which the service is well?
  public static var flapping: FailureScenario {
    FailureScenario(
      number: 4, title: "Flapping",
      summary: """
        The service fails everything for 0.5 to 16 s, is well for as long, and so on. How many calls \
        succeed while it is well? And how do clients fare that call once a second?
        """,
      variants: [0.5, 1, 2, 3, 4, 5, 6, 8, 12, 16].map(variant(every:)) + [
        Variant(
          name: "outage of 60 s, one call a second each", scenario: .trickle,
          figures: [
            .goodput("goodput outside of it", .untroubled, .own(.atLeast(0.98))),
            .timeToRecover(.own(.atMost(3))),
          ])
      ])
  }

  private static func variant(every seconds: Double) -> Variant {
    let least = seconds == 2 || seconds == 8 ? 0.9 : 0.85
    let length = seconds < 1 ? "\(seconds)" : "\(Int(seconds))"
    return Variant(
      name: "\(length) s", scenario: .flapping(every: .seconds(seconds)),
      figures: [
        .goodput("goodput while it is well", .untroubled, in: .trouble, .own(.atLeast(least)))
      ])
  }
}
