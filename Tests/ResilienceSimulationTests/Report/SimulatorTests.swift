import Resilience
import Testing

@testable import ResilienceSimulation

@Suite struct SimulatorTests {
  struct Outcome: Hashable, Sendable {
    var code: Simulator.ExitCode
    var output = ""
    var errors = ""
    var progress: [String] = []
  }

  private func outcome(of line: String...) async -> Outcome {
    let target = Target.atMost(1)
    let measured = Measured(byStack: ["recommended": [1, 1, 1], "bare": [2, 2, 2]])
    let choices = Choices(
      scenarios: [.fixture(1, "Outage", Figure("ups", .count, target) { measured($0) })],
      stacks: [.recommended, .bare, Stack("careless") { _ in CircuitBreaker("real") }])
    let heard = ResilienceSimulation.Lock(Outcome(code: .success))
    let simulator = Simulator(
      choices: choices, output: { text in heard.withLock { $0.output += text } },
      errors: { text in heard.withLock { $0.errors += text } },
      progress: { line in heard.withLock { $0.progress.append(line) } })
    let code = await simulator.run(line)
    return heard.withLock { outcome in
      outcome.code = code
      return outcome
    }
  }

  @Test("CLI-3: a run ends with its report, progress beside it, and success unless it is checked")
  func comparison() async {
    let met = await outcome(of: "--seeds", "1", "--check")
    #expect(met.code == .success)
    #expect(met.errors.isEmpty)
    #expect(met.progress == ["1 of 1 trials   1. Outage: recommended"])
    #expect(met.output.contains("1. Outage    1 of 1 ✓\n"))
  }

  @Test("CLI-4: --check fails a run with a missed target, and reports it all the same")
  func check() async {
    let unchecked = await outcome(of: "--seeds", "1", "--stack", "bare")
    let checked = await outcome(of: "--seeds", "1", "--stack", "bare", "--check")
    #expect([unchecked.code, checked.code] == [.success, .missed])
    #expect(checked.output == unchecked.output)
    #expect(checked.output.contains("1. Outage    0 of 1 ✗\n"))
  }

  @Test("CLI-5: help and lists are output; what is not understood is an error of usage")
  func help() async {
    #expect(await outcome(of: "--help") == Outcome(code: .success, output: Usage.text + "\n"))
    #expect(
      await outcome(of: "--list")
        == Outcome(
          code: .success,
          output: "Scenarios\n   1  Outage\n\nStacks\n  recommended\n  bare\n  careless\n"))
    #expect(
      await outcome(of: "--seeds")
        == Outcome(code: .usage, errors: "--seeds needs a number from 1 on.\nTry --help.\n"))
    #expect(Usage.flags.allSatisfy { Usage.text.contains("  \($0) ") })
  }

  @Test("CLI-6: a stack that cannot be simulated is an error of its own")
  func careless() async {
    #expect(
      await outcome(of: "--stack", "careless")
        == Outcome(
          code: .failed, errors: "\(SimulationError.realClock(stack: "careless"))\n"))
  }
}
