import Testing

@testable import Resilience

@Suite("Throttle: configuration", .timeLimit(.minutes(20)))
struct ThrottleConfigurationTests {
  typealias Configuration = Throttle.Configuration

  static let mistakes: [(configuration: Configuration, complaint: String)] =
    [1.nextDown, 0, -2, .infinity, .nan].map {
      (Configuration(multiplier: $0), "multiplier is \($0); allowed: 1 or more, finite")
    }
    + [Duration.zero, .nanoseconds(9), .seconds(-1), Duration(attoseconds: .min)].map {
      (
        Configuration(window: $0),
        "window is \($0); allowed: at least a nanosecond a bucket, 10 ns"
      )
    }
    + [0, -0.1, 1.nextUp, .infinity, .nan].map {
      (Configuration(maxRejection: $0), "maxRejection is \($0); allowed: above 0, at most 1")
    }

  @Test("TH-1: `validate()` names the parameter, the value and the range")
  func oneMistake() {
    for mistake in Self.mistakes {
      let error = #expect(throws: ConfigurationError.self) { try mistake.configuration.validate() }
      #expect(error?.violations.map(\.description) == [mistake.complaint])
    }
  }

  @Test("TH-1: `validate()` lists everything that is wrong at once")
  func everything() {
    let configuration = Configuration(multiplier: .nan, window: .zero, maxRejection: 0)
    let error = #expect(throws: ConfigurationError.self) { try configuration.validate() }
    #expect(
      error?.violations.map(\.description) == [
        "multiplier is nan; allowed: 1 or more, finite",
        "window is 0.0 seconds; allowed: at least a nanosecond a bucket, 10 ns",
        "maxRejection is 0.0; allowed: above 0, at most 1",
      ])
  }

  @Test("TH-1: what makes sense is allowed, and works")
  func valid() throws {
    for configuration in [
      Configuration(), Configuration(multiplier: 1), Configuration(window: .nanoseconds(10)),
      Configuration(multiplier: .greatestFiniteMagnitude, maxRejection: .leastNonzeroMagnitude),
      Configuration(window: Duration(attoseconds: .max), maxRejection: 1),
    ] {
      try configuration.validate()
      let throttle = Throttle(configuration: configuration, clock: SteppedClock())
      guard let permit = throttle.tryAcquire() else {
        Issue.record("refused")
        continue
      }
      permit.succeed()
      #expect(throttle.snapshot().accepts == 1)
    }
  }

  @Test("TH-1: a mistake in source code stops the program and says what it is")
  func stops() async {
    for index in [0, 5, 9] {
      let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        [index = index as Int] in
        let mistake = ThrottleConfigurationTests.mistakes[index].configuration
        if index == 0 { _ = Throttle("users", configuration: mistake) }
        _ = Throttle(
          "users", multiplier: mistake.multiplier, window: mistake.window,
          maxRejection: mistake.maxRejection)
      }
      let output = result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) } ?? ""
      let expected = "Fatal error: Throttle \"users\": \(Self.mistakes[index].complaint)\n"
      #expect(output.contains(expected))
    }
  }
}
