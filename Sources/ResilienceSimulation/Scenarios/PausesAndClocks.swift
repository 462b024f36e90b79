extension Scenario {
  /// 8. All clients stand still once.
  public static func clientPause(of length: Duration) -> Scenario {
    var scenario = Scenario(
      "client pause of \(length)", phases: [Phase(length, .clientPause(of: length))])
    scenario.watch = .seconds(60)
    return scenario
  }

  /// 8. In the middle of an outage of 20 s the clock that clients read jumps.
  public static func clockStep(by step: Duration) -> Scenario {
    var scenario = Scenario(
      "clock step of \(step) in an outage",
      phases: [
        Phase(.seconds(10), .failing(1)), Phase(.seconds(10), .failing(1), .clockStep(by: step)),
      ])
    scenario.watch = .seconds(60)
    return scenario
  }

  /// 8. The service stands still for half a second every ten.
  public static var serverPauses: Scenario {
    var scenario = Scenario(
      "server pauses",
      phases: [Phase(.seconds(60), .serverPauses(of: .milliseconds(500), every: .seconds(10)))])
    scenario.watch = .seconds(60)
    return scenario
  }
}

extension FailureScenario {
  /// 8. Does a pause or a clock that jumps leave anything stuck?
  public static var pausesAndClocks: FailureScenario {
    FailureScenario(
      number: 8, title: "Pauses and clocks",
      summary: """
        Clients stand still for 2 or 30 s; their clock jumps an hour in the middle of an outage; the \
        service stands still for 0.5 s every 10 s. Is anything stuck afterwards, or any probe early?
        """,
      variants: [
        // What users have called meanwhile is sent at once: a small brownout.
        variant("client pause of 2 s", .clientPause(of: .seconds(2)), recovery: 5),
        variant("client pause of 30 s", .clientPause(of: .seconds(30)), recovery: 5),
        // An outage takes 2 s at most, and an error of one bucket of the window another.
        variant("clock + 1 h in an outage", .clockStep(by: .seconds(3_600)), recovery: 3),
        variant("clock - 1 h in an outage", .clockStep(by: .seconds(-3_600)), recovery: 3),
        variant("server pauses", .serverPauses, recovery: 3),
      ])
  }

  private static func variant(_ name: String, _ scenario: Scenario, recovery: Double) -> Variant {
    Variant(
      name: name, scenario: scenario,
      figures: [
        .timeToRecover(.own(.atMost(recovery))),
        Figure("early probes", .count, .own(.atMost(0))) { Double($0.circuits.earlyProbes) },
        .goodput(), .leaks,
      ])
  }
}
