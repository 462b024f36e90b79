extension Scenario {
  /// 9. For a minute users call more than the service can answer; 10 % of the calls are critical, 30 %
  /// sheddable.
  ///
  /// - Parameters:
  ///   - load: the calls as a multiple of the service's capacity.
  ///   - refusalCost: what it costs the service to refuse one, of what an answer costs.
  public static func overload(_ load: Double, refusalCost: Double = 0) -> Scenario {
    var scenario = Scenario("overload of \(Int(load * 100)) %")
    scenario.service.refusalCost = refusalCost
    scenario.load.critical = 0.1
    scenario.load.sheddable = 0.3
    let factor = load * scenario.service.capacity / scenario.load.callsPerSecond(clients: 1)
    scenario.phases = [Phase(.seconds(60), .load(times: factor))]
    return scenario
  }
}

extension FailureScenario {
  /// 9. What is an overloaded service used for?
  public static var overload: FailureScenario {
    FailureScenario(
      number: 9, title: "Overload with priorities",
      summary: """
        Users call for 150 to 300 % of the service's capacity for 60 s; 10 % of the calls are critical, \
        30 % sheddable. Refusing a call costs the service nothing, or 30 % of an answer. How many \
        critical calls are answered, and how much of the capacity goes into good answers?
        """,
      variants: [1.5, 2, 3].flatMap { load in [0, 0.3].map { variant(load, refusalCost: $0) } })
  }

  private static func variant(_ load: Double, refusalCost: Double) -> Variant {
    let scenario = Scenario.overload(load, refusalCost: refusalCost)
    let capacity = scenario.service.capacity
    let cost = refusalCost > 0 ? ", refusals cost \(Int(refusalCost * 100)) %" : ""
    return Variant(
      name: "\(Int(load * 100)) %\(cost)", scenario: scenario,
      figures: [
        .goodput(
          "critical goodput", .critical, in: .trouble,
          load == 2 ? .only(["guarded"], .atLeast(0.99)) : nil),
        .goodput("normal goodput", .normal, in: .trouble),
        .goodput("sheddable goodput", .sheddable, in: .trouble),
        Figure(
          "capacity used for good answers", .share,
          load == 1.5 && refusalCost == 0 ? .only(["guarded"], .atLeast(0.85)) : nil
        ) { Double($0.calls(in: .trouble).good) / (60 * capacity) },
        .timeToRecover(),
      ])
  }
}
