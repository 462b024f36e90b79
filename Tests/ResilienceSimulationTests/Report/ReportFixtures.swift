@testable import ResilienceSimulation

/// What is measured of a trial does not depend on the trial here: it is the stack's, by seed.
struct Measured {
  let byStack: [String: [Double?]]

  func callAsFunction(_ result: TrialResult) -> Double? {
    (byStack[result.stack] ?? [])[Int(result.seed) - 1]
  }
}

extension Scenario {
  /// As little as a trial can be: a second in which nothing is wrong.
  static var brief: Scenario {
    var scenario = Scenario("brief")
    scenario.load.rate = .total(10)
    scenario.warmUp = .milliseconds(100)
    scenario.watch = .milliseconds(900)
    return scenario
  }
}

extension FailureScenario {
  static func fixture(
    _ number: Int = 1, _ title: String = "Outage", _ figures: Figure...
  ) -> FailureScenario {
    FailureScenario(
      number: number, title: title, summary: "Nothing is wrong.",
      variants: [Variant(name: "", scenario: .brief, figures: figures)])
  }

  /// Figures that depend on what happens.
  static var real: FailureScenario {
    var crowded = Scenario.brief
    crowded.load.rate = .total(600)
    let figures: [Figure] = [.goodput(), .peakInFlight(.atMost(2)), .wasted]
    return FailureScenario(
      number: 2, title: "Crowd", summary: "Too many call.",
      variants: [
        Variant(name: "few", scenario: .brief, figures: figures),
        Variant(name: "many", scenario: crowded, figures: figures),
      ])
  }
}

extension Report {
  /// Two scenarios, two stacks, two numbers of clients in the first scenario, each verdict.
  static var fixture: Report {
    func cells(
      _ bare: ([Double?], Verdict), _ mine: ([Double?], Verdict)
    ) -> [Cell] {
      [
        Cell(stack: "bare", values: bare.0, verdict: bare.1),
        Cell(stack: "my|own", values: mine.0, verdict: mine.1),
      ]
    }
    let recovery = { (clients: Int, cells: [Cell]) in
      Row(
        variant: "10 s", figure: "time to recover", unit: .seconds, clients: clients,
        target: "≤ 5 s (my|own)", cells: cells)
    }
    return Report(
      stacks: ["bare", "my|own"], clients: [20, 200], seeds: [1, 2, 3], model: "A model.",
      sections: [
        Section(
          number: 1, title: "Brownout", summary: "Slow for 10 s.",
          rows: [
            recovery(20, cells(([nil, nil, nil], .notJudged), ([1, 2, 4.5], .met))),
            recovery(200, cells(([19, nil, 26], .notJudged), ([3, 7, nil], .missed))),
            Row(
              variant: "20 % errors", figure: "goodput", unit: .share, clients: 20,
              target: "mean ≥ 0.998", cells: cells(([0.8, 0.8, 0.8], .missed), ([1, 1, 1], .met))),
          ]),
        Section(
          number: 2, title: "Outage", summary: "Dead for 60 s.",
          rows: [
            Row(
              variant: "", figure: "requests per call", unit: .ratio, clients: 20, target: nil,
              cells: cells(([1, 1.02, 1.04], .notJudged), ([], .notJudged)))
          ]),
      ])
  }
}
