extension Scenario {
  /// 10. One answer in a hundred comes 300 ms later.
  ///
  /// - Parameter load: the work of all calls, as a share of the capacity.
  public static func stragglers(load: Double) -> Scenario {
    var scenario = Scenario("stragglers at \(Int((load * 100).rounded())) % load")
    scenario.always = [.stragglers(0.01, delay: .milliseconds(300))]
    scenario.load.rate = .total(load * scenario.service.capacity)
    // Until the quietest client has made a hundred calls, by which a hedge decides.
    scenario.warmUp = .seconds(150)
    // An attempt timeout below the stragglers' time would hedge them in its own way.
    scenario.attemptTimeout = .seconds(1)
    return scenario
  }
}

extension FailureScenario {
  /// 10. Do hedges help, and when do they harm?
  public static var stragglers: FailureScenario {
    FailureScenario(
      number: 10, title: "Stragglers under load",
      summary: """
        One answer in a hundred comes 300 ms later, at loads from 30 to 105 %. How long does the slowest \
        answer in a thousand take, and what do hedges cost?
        """,
      variants: [0.3, 0.57, 0.8, 0.92, 1.05].map(variant(load:)))
  }

  private static func variant(load: Double) -> Variant {
    let isTheCase = load == 0.57
    func beside(_ target: Target) -> Target { .only(["hedged"], target) }
    return Variant(
      name: "\(Int((load * 100).rounded())) % load", scenario: .stragglers(load: load),
      figures: [
        Figure(
          "p99.9", .milliseconds,
          isTheCase ? beside(.atMostOf(stack: "recommended", factor: 0.5, extra: 0)) : nil,
          isMean: true
        ) { $0.stretches.last.map { $0.latencies.p999 * 1_000 } },
        Figure(
          "requests per call", .ratio,
          isTheCase ? beside(.atMostOf(stack: "recommended", factor: 1, extra: 0.03)) : nil,
          isMean: true
        ) { $0.calls(in: .afterwards).amplification },
        Figure(
          "goodput", .share,
          beside(.atLeastOf(stack: "recommended", factor: 1, margin: 0.01)), isMean: true
        ) { $0.calls(in: .afterwards).goodput },
      ])
  }
}
