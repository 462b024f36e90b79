extension Scenario {
  /// 7. After an outage of 30 s the service comes back with 15 % of its capacity, and warms with the
  /// work that it does.
  public static var herdOnRecovery: Scenario {
    var scenario = Scenario(
      "herd on recovery", phases: [Phase(.seconds(30), spread: .seconds(5), .failing(1))])
    scenario.afterwards = [.warming(from: 0.15, over: 4_000)]
    return scenario
  }
}

extension FailureScenario {
  /// 7. Does the fleet let a cold service warm up?
  public static var herdOnRecovery: FailureScenario {
    FailureScenario(
      number: 7, title: "Herd on recovery",
      summary: """
        After an outage of 30 s (and up to 5 s more) the service comes back with 15 % of its capacity \
        and warms with work, 4 000 requests long. How soon do calls succeed, and how often does a \
        circuit that has closed open again?
        """,
      variants: [
        Variant(
          name: "", scenario: .herdOnRecovery,
          figures: [
            .timeToRecover(.own(.atMost(30))), .retrips(.own(.atMost(30))), .failedProbes, .wasted,
            .peakArrivals,
            Figure("goodput of the first 60 s after", .share) { result in
              let seconds = result.timeline[result.firstSecondAfter...].prefix(60)
              let offered = seconds.reduce(0) { $0 + $1.offered }
              return Double(seconds.reduce(0) { $0 + $1.good }) / Double(max(1, offered))
            },
          ])
      ])
  }
}
