import Testing

@testable import Resilience

@Suite("Retry budget: configuration", .timeLimit(.minutes(20)))
struct RetryBudgetConfigurationTests {
  typealias Configuration = RetryBudget.Configuration

  static let mistakes: [(configuration: Configuration, complaint: String)] =
    [0, -0.1, 1.1, 1.nextUp, .infinity, .nan].map {
      (Configuration(ratio: $0), "ratio is \($0); allowed: above 0, at most 1")
    }
    + [Duration.zero, .nanoseconds(19), .seconds(-1), Duration(attoseconds: .min)].map {
      (
        Configuration(window: $0),
        "window is \($0); allowed: at least a nanosecond a slice, 20 ns"
      )
    }
    + [0, -1, Int.min].map {
      (Configuration(minimumCapacity: $0), "minimumCapacity is \($0); allowed: 1...")
    }

  @Test("RB-1: `validate()` names the parameter, the value and the range")
  func oneMistake() {
    for mistake in Self.mistakes {
      let error = #expect(throws: ConfigurationError.self) { try mistake.configuration.validate() }
      #expect(error?.violations.map(\.description) == [mistake.complaint])
    }
  }

  @Test("RB-1: `validate()` lists everything that is wrong at once")
  func everything() {
    let configuration = Configuration(ratio: .nan, window: .zero, minimumCapacity: 0)
    let error = #expect(throws: ConfigurationError.self) { try configuration.validate() }
    #expect(
      error?.violations.map(\.description) == [
        "ratio is nan; allowed: above 0, at most 1",
        "window is 0.0 seconds; allowed: at least a nanosecond a slice, 20 ns",
        "minimumCapacity is 0; allowed: 1...",
      ])
  }

  @Test("RB-1: what makes sense is allowed, and works")
  func valid() throws {
    for configuration in [
      Configuration(), Configuration(ratio: 1), Configuration(ratio: .leastNonzeroMagnitude),
      Configuration(window: .nanoseconds(20)),
      Configuration(window: Duration(attoseconds: .max), minimumCapacity: .max),
    ] {
      try configuration.validate()
      let budget = RetryBudget(configuration: configuration, clock: SteppedClock())
      budget.succeed()
      #expect(budget.withdraw())
    }
  }

  @Test("RB-1: a mistake in source code stops the program and says what it is")
  func stops() async throws {
    for index in Self.mistakes.indices {
      let result = await #expect(
        processExitsWith: .failure, observing: [\.standardErrorContent]
      ) { [index = index as Int] in
        let mistake = RetryBudgetConfigurationTests.mistakes[index]
        _ = RetryBudget("users", configuration: mistake.configuration)
      }
      let output = result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) } ?? ""
      let expected = "Fatal error: RetryBudget \"users\": \(Self.mistakes[index].complaint)\n"
      #expect(output.contains(expected))
    }
  }

  @Test("RB-1: settings given one by one are checked as well")
  func stopsOneByOne() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = RetryBudget("b", ratio: 2, window: .zero, minimumCapacity: -1)
    }
    let output = result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) } ?? ""
    #expect(
      output.contains(
        "RetryBudget \"b\": ratio is 2.0; allowed: above 0, at most 1; "
          + "window is 0.0 seconds; allowed: at least a nanosecond a slice, 20 ns; "
          + "minimumCapacity is -1; allowed: 1...\n"))
  }
}
