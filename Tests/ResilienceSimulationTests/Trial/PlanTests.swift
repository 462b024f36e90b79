import Resilience
import ResilienceTesting
import Testing

@testable import ResilienceSimulation

@Suite("The plan of a trial")
struct PlanTests {
  private static func plan(_ scenario: Scenario, seed: UInt64 = 1) -> Plan {
    var dice = Dice(seed: seed)
    return Plan(scenario, &dice)
  }

  private static var twoPhases: Scenario {
    var scenario = Scenario(
      "two", phases: [.init(.seconds(10), .silence()), .init(.milliseconds(2_500), .failing())])
    scenario.warmUp = .seconds(3)
    scenario.watch = .seconds(20)
    scenario.always = [.load(times: 2)]
    scenario.afterwards = [.capacity(0.5)]
    return scenario
  }

  @Test("a trial is warm-up, the phases one after another, and what comes afterwards")
  func stretches() {
    let plan = Self.plan(Self.twoPhases)
    #expect(plan.roles == [.warmUp, .trouble, .trouble, .afterwards])
    #expect(
      plan.ends.map(\.offset) == [
        .seconds(3), .seconds(13), .milliseconds(15_500), .milliseconds(35_500),
      ])
    #expect(plan.troubleEnd.offset == .milliseconds(15_500))
    #expect(plan.end.offset == .milliseconds(35_500))
  }

  @Test("without a phase there is warm-up and afterwards")
  func withoutPhases() {
    let plan = Self.plan(Scenario("quiet"))
    #expect(plan.roles == [.warmUp, .afterwards])
    #expect(plan.ends.map(\.offset) == [.seconds(30), .seconds(167)])
  }

  @Test("an instant lies in the stretch that ends after it; the end of the trial in the last")
  func stretchOfInstant() {
    let plan = Self.plan(Self.twoPhases)
    let milliseconds = [0, 2_999, 3_000, 12_999, 13_000, 15_499, 15_500, 35_499, 35_500, 99_000]
    #expect(
      milliseconds.map { plan.stretch(of: .init(offset: .milliseconds($0))) } == [
        0, 0, 1, 1, 2, 2, 3, 3, 3, 3,
      ])
  }

  @Test("seconds are counted so that the trouble ends with one")
  func seconds() {
    let plan = Self.plan(Self.twoPhases)
    // The end at 15.5 s is the beginning of second 16.
    let milliseconds = [0, 499, 500, 15_499, 15_500, 16_499, 16_500, 35_500]
    #expect(
      milliseconds.map { plan.second(of: .init(offset: .milliseconds($0))) } == [
        0, 0, 1, 15, 16, 16, 17, 36,
      ])
  }

  @Test("the timeline ends with the last second in which somebody may call")
  func lastSecond() {
    var scenario = Scenario("whole")
    scenario.warmUp = .seconds(3)
    scenario.watch = .seconds(20)
    #expect(Self.plan(scenario).seconds == 23)
    scenario.watch = .milliseconds(20_500)
    #expect(Self.plan(scenario).seconds == 24)
    scenario.watch = .zero
    #expect(Self.plan(scenario).seconds == 3)
  }

  @Test("a phase is longer by up to its spread, by seed", arguments: 1...20 as ClosedRange<UInt64>)
  func spread(_ seed: UInt64) {
    let scenario = Scenario("spread", phases: [.init(.seconds(10), spread: .seconds(4))])
    let plan = Self.plan(scenario, seed: seed)
    let length = plan.ends[0].duration(to: plan.ends[1])
    #expect((.seconds(10) ..< .seconds(14)).contains(length))
    #expect(Self.plan(scenario, seed: seed + 1).ends[1] != plan.ends[1])
    #expect(plan.troubleEnd.duration(to: plan.end) == scenario.watch)
    // Whatever the length: the last instant of the trouble and the first after it are apart.
    let second = plan.second(of: plan.troubleEnd)
    #expect(plan.second(of: plan.troubleEnd.advanced(by: .nanoseconds(-1))) == second - 1)
    #expect(plan.second(of: plan.troubleEnd.advanced(by: .nanoseconds(999_999_999))) == second)
  }
}
