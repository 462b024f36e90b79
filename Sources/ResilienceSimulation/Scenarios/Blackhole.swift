extension Scenario {
  /// 3. Requests are not answered for 30 s.
  ///
  /// - Parameters:
  ///   - attemptTimeout: how long an attempt waits. At 10 s that is also the user's deadline.
  ///   - cancelling: which share of the callers gives up, within 2 s.
  public static func blackhole(
    attemptTimeout: Duration = .seconds(10), cancelling: Double = 0
  ) -> Scenario {
    var scenario = Scenario(
      "blackhole, attempts of \(attemptTimeout)", phases: [Phase(.seconds(30), .silence())])
    scenario.attemptTimeout = attemptTimeout
    scenario.deadline = max(scenario.deadline, attemptTimeout)
    scenario.load.cancelling = cancelling
    return scenario
  }

  /// The service stands still for half a second every ten: long calls, and nothing wrong.
  public static func longServerPauses(attemptTimeout: Duration = .seconds(10)) -> Scenario {
    var scenario = Scenario(
      "server pauses",
      phases: [Phase(.seconds(60), .serverPauses(of: .milliseconds(500), every: .seconds(10)))])
    scenario.attemptTimeout = attemptTimeout
    scenario.deadline = max(scenario.deadline, attemptTimeout)
    scenario.watch = .seconds(30)
    return scenario
  }
}

extension FailureScenario {
  /// 3. How many calls hang in a service that does not answer?
  public static var blackhole: FailureScenario {
    let peak = Target.only(
      ["hung calls", "tuned"], .bySize(small: .atMost(410), large: .atMost(1_500)))
    return FailureScenario(
      number: 3, title: "Blackhole",
      summary: """
        No request is answered for 30 s. How many callers wait at once, and how soon do calls succeed \
        again? Waiting calls are evidence before they end (`hungAfter`).
        """,
      variants: [
        Variant(
          name: "attempts of 10 s", scenario: .blackhole(),
          figures: [
            .peakInFlight(peak), .timeToRecover(.only(["hung calls", "tuned"], .atMost(5))),
            .blocked, .leaks,
          ]),
        Variant(
          name: "the same, half of the callers give up within 2 s",
          scenario: .blackhole(cancelling: 0.5),
          figures: [
            .peakInFlight(peak), .timeToRecover(.only(["hung calls", "tuned"], .atMost(5))),
            .blocked, .leaks,
          ]),
        Variant(
          name: "attempts of 0.25 s",
          scenario: .blackhole(attemptTimeout: .milliseconds(250)),
          figures: [.peakInFlight(peak), .timeToRecover(.own(.atMost(5))), .blocked, .leaks]),
        Variant(
          name: "server pauses of 0.5 s every 10 s, attempts of 10 s",
          scenario: .longServerPauses(),
          figures: [
            .goodput(in: .trouble, .only(["recommended", "hung calls", "tuned"], .atLeast(0.99))),
            .collateral,
          ]),
      ])
  }
}
