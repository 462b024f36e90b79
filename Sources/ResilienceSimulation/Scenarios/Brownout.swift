extension Scenario {
  /// 1. The service does 40 % of its work for a while, at a load of 80 %.
  ///
  /// Calls time out and are tried again while the service still works on what nobody waits for. The
  /// trouble is over when it can do all of its work again; the retries are not.
  ///
  /// - Parameter length: how long; up to 2 s are added by seed.
  public static func brownout(lasting length: Duration = .seconds(10)) -> Scenario {
    Scenario("brownout of \(length)", phases: [Phase(length, spread: .seconds(2), .capacity(0.4))])
  }

  /// Requests fail at random, all the time, at a load of 60 %: what retries are for.
  public static func randomErrors(_ share: Double) -> Scenario {
    var scenario = Scenario("\(Int((share * 100).rounded())) % random errors")
    scenario.always = [.failing(share)]
    scenario.load.rate = .total(300)
    return scenario
  }
}

extension FailureScenario {
  /// 1. Does a brownout become a retry storm?
  public static var brownout: FailureScenario {
    FailureScenario(
      number: 1, title: "Brownout",
      summary: """
        The service does 40 % of its work for 1 to 10 s (and up to 2 s more) at 80 % load. Does it \
        recover, or do the retries keep it down?
        """,
      variants: [
        variant(lasting: 10), variant(lasting: 5), variant(lasting: 2), variant(lasting: 1),
      ]
        + [
          Variant(
            name: "20 % random errors instead", scenario: .randomErrors(0.2),
            figures: [
              .goodput(
                "goodput", in: .afterwards,
                .only(
                  Target.own + ["retry + budget"],
                  .bySize(small: .atLeast(0.998), large: nil))),
              Figure("requests per call", .ratio) { $0.calls().amplification },
            ])
        ])
  }

  private static func variant(lasting seconds: Int) -> Variant {
    let besideBare: Target =
      seconds == 10
      ? .atMostOf(stack: "bare", factor: 2, extra: 0)
      : .atMostOf(stack: "bare", factor: 1, extra: 6)
    return Variant(
      name: "\(seconds) s", scenario: .brownout(lasting: .seconds(seconds)),
      figures: [
        .timeToRecover(.own(.atMost(5))),
        Figure(
          "the same, retry + budget beside bare", .seconds, .only(["retry + budget"], besideBare)
        ) {
          $0.timeToRecover.map(Double.init)
        },
        .goodput(), .amplification(), .wasted, .collateral,
      ])
  }
}
