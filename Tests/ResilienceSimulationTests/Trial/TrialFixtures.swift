import Resilience

@testable import ResilienceSimulation

extension Scenario {
  /// Thirty calls a second for so long, with nothing wrong.
  static func quiet(
    warmUp: Duration = .seconds(2), watch: Duration = .seconds(2), phases: [Phase] = []
  ) -> Scenario {
    var scenario = Scenario("quiet", phases: phases)
    scenario.service = .steady(workers: 10)
    scenario.load.rate = .total(30)
    scenario.warmUp = warmUp
    scenario.watch = watch
    return scenario
  }

  /// An outage of three seconds, of which a circuit breaker and retries have something to do.
  static var smallOutage: Scenario {
    var scenario = Scenario.quiet(
      watch: .seconds(6), phases: [Phase(.seconds(3), spread: .seconds(1), .failing(1))])
    scenario.name = "small outage"
    scenario.load.rate = .total(60)
    scenario.load.keys = 3
    scenario.load.critical = 0.2
    scenario.load.sheddable = 0.2
    return scenario
  }

  /// Three seconds with a fifth of the capacity, at a load of 60 %, while callers give up.
  static var smallBrownout: Scenario {
    var scenario = Scenario.quiet(
      watch: .seconds(6), phases: [Phase(.seconds(3), .capacity(0.2))])
    scenario.name = "small brownout"
    scenario.service = ServiceModel(workers: 2)
    scenario.load.rate = .total(60)
    scenario.load.cancelling = 0.2
    return scenario
  }
}

extension Stack {
  static func named(_ name: String) -> Stack {
    Stack.own.first { $0.name == name }!
  }
}
