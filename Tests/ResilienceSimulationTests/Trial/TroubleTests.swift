import Resilience
import ResilienceTesting
import Testing

@testable import ResilienceSimulation

@Suite("Troubles of a trial")
struct TroubleTests {
  private static func run(_ scenario: Scenario) async throws -> TrialResult {
    try await Trial(scenario, .direct, clients: 2).run()
  }

  // MARK: - What is wrong all the time

  @Test("a load that is wrong all the time is so from the beginning")
  func load() async throws {
    var scenario = Scenario.quiet(warmUp: .seconds(20), watch: .seconds(20))
    let before = try await Self.run(scenario).stretches.map { Double($0.calls[.all]!.offered) }
    scenario.always = [.load(times: 2)]
    let doubled = try await Self.run(scenario).stretches.map { Double($0.calls[.all]!.offered) }
    // Four standard errors of a count of 1 200.
    #expect(abs(doubled[0] - 2 * before[0]) < 240)
    #expect(abs(doubled[1] - 2 * before[1]) < 240)
  }

  @Test("so are pauses of the service, and they keep their rhythm")
  func serverPauses() async throws {
    var scenario = Scenario.quiet(
      warmUp: .milliseconds(1_500), watch: .milliseconds(1_500),
      phases: [.init(.milliseconds(1_500))])
    scenario.load.rate = .total(300)
    scenario.always = [.serverPauses(of: .milliseconds(500), every: .seconds(1))]
    let trace = try await Trial(scenario, .direct, clients: 2).trace()
    let completions = trace.filter { $0.contains(" completion ") }
      .map { Int($0.prefix { $0 != " " })! / 1_000_000 }
    #expect(completions.allSatisfy { $0 % 1_000 >= 500 || $0 > 4_500 })
    for second in 0..<4 {
      #expect(completions.contains { $0 == second * 1_000 + 500 })
    }
  }

  @Test("a trouble's time is counted from its own beginning, through all phases")
  func elapsed() async throws {
    let noting = Noting()
    var scenario = Scenario.quiet(
      phases: [
        .init(.seconds(2), noting.trouble("phase")), .init(.seconds(2), .load(times: 1.5)),
      ])
    scenario.always = [noting.trouble("always")]
    _ = try await Self.run(scenario)
    #expect((.milliseconds(7_700) ..< .seconds(8)).contains(noting.longest("always")))
    #expect((.milliseconds(1_700) ..< .seconds(2)).contains(noting.longest("phase")))
  }

  /// Notes for how long its troubles have lasted.
  private final class Noting: Sendable {
    private let lock = ResilienceSimulation.Lock([String: Duration]())

    func trouble(_ name: String) -> Trouble {
      .custom(name) { [self] _, elapsed, _ in
        lock.withLock { $0[name] = max($0[name] ?? .zero, elapsed) }
        return nil
      }
    }

    func longest(_ name: String) -> Duration { lock.withLock { $0[name] ?? .zero } }
  }

  @Test("a clock that jumps once jumps once, and stands still once")
  func onceOnly() async throws {
    let shown = ResilienceSimulation.Lock([Duration]())
    var scenario = Scenario.quiet(
      phases: [.init(.seconds(2), .load(times: 1)), .init(.seconds(2), .load(times: 1))])
    scenario.always = [.clockStep(by: .seconds(3_600)), .clientPause(of: .seconds(1))]
    let stack = Stack(
      "reading",
      routing: { client in
        let clock = client.clock as! ClientClock
        let start = clock.now
        return { _ in
          shown.withLock { $0.append(start.duration(to: clock.now)) }
          return Direct()
        }
      })
    let result = try await Trial(scenario, stack, clients: 2).run()
    let times = shown.withLock { $0 }
    #expect(times.min()! >= .seconds(3_601))
    #expect(times.max()! < .seconds(3_608))
    #expect(result.stretches[0].latencies.p999 > 0.5)
    #expect(result.stretches[1].latencies.p999 == 0.01)
    #expect(result.stretches[2].latencies.p999 == 0.01)
  }

  @Test("a service that has warmed does not cool because something else goes wrong")
  func warming() async throws {
    var scenario = Scenario.quiet(phases: [.init(.seconds(2), .load(times: 1))])
    scenario.always = [.warming(from: 0.1, over: 20)]
    let result = try await Self.run(scenario)
    #expect(result.stretches[0].latencies.p999 > 0.05)
    #expect(result.stretches[1].latencies.p999 == 0.01)
    #expect(result.stretches[2].latencies.p999 == 0.01)
  }

  // MARK: - Phases

  @Test("what goes wrong in a phase ends with it")
  func phases() async throws {
    var scenario = Scenario.quiet(
      phases: [
        .init(.seconds(2), .failing(1)), .init(.seconds(2)), .init(.seconds(2), .capacity(0.5)),
      ])
    scenario.afterwards = [.stragglers(1, delay: .milliseconds(90))]
    let result = try await Self.run(scenario)
    #expect(result.stretches.map { $0.calls[.all]!.goodput } == [1, 0, 1, 1, 1])
    #expect(result.stretches.map(\.latencies.median) == [0.01, 0, 0.01, 0.02, 0.1])
    #expect(
      result.stretches.map { $0.calls[.troubled]!.offered > 0 } == [
        false, true, false, false, true,
      ])
  }

  @Test("calls in a pause of the clients begin at its end; users who wait too long give up")
  func clientPause() async throws {
    var scenario = Scenario.quiet(phases: [.init(.seconds(4), .clientPause(of: .seconds(3)))])
    scenario.load.rate = .total(100)
    let result = try await Self.run(scenario)
    let calls = result.calls(in: .trouble)
    // Of the first two seconds nobody waits any more; all in the third are made together.
    #expect(result.timeline[2].good == 0)
    #expect(result.timeline[3].good == 0)
    #expect(calls.attempts == calls.offered - calls.failed)
    #expect(result.timeline[5].attempts == calls.attempts)
    #expect(result.timeline[5].attempts > result.timeline[5].offered)
  }

  @Test("a period of no length is held at a millisecond")
  func periods() async throws {
    let flapping = Scenario.quiet(phases: [.init(.seconds(1), .flapping(every: .zero))])
    let share = try await Self.run(flapping).calls(in: .trouble).goodput
    #expect((0.2...0.8).contains(share))
    let pauses = Scenario.quiet(
      phases: [.init(.seconds(1), .serverPauses(of: .microseconds(1), every: .seconds(-1)))])
    #expect(try await Self.run(pauses).calls(in: .trouble).goodput == 1)
  }
}
