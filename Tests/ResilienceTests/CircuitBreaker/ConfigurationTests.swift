import Resilience
import ResilienceTesting
import Testing

@Suite("Configuration", .timeLimit(.minutes(20)))
struct ConfigurationTests {
  typealias Configuration = CircuitBreaker.Configuration
  typealias Recovery = CircuitBreaker.Recovery

  /// A configuration with one mistake in it.
  struct Mistake: Sendable {
    let configuration: Configuration
    let complaint: String

    static func tripping(_ condition: CircuitBreaker.TripCondition, _ complaint: String) -> Self {
      Self(configuration: Configuration(tripping: condition), complaint: complaint)
    }

    static func window(_ window: CircuitBreaker.Window, _ complaint: String) -> Self {
      Self(configuration: Configuration(over: window), complaint: complaint)
    }

    static func recovery(_ recovery: Recovery, _ complaint: String) -> Self {
      Self(configuration: Configuration(recovery: recovery), complaint: complaint)
    }
  }

  static let mistakes: [Mistake] =
    conditions + rates + windows + hungCalls + openings + probes + durations

  private static let conditions: [Mistake] =
    [
      .tripping(.any(), "tripping is any(); allowed: at least one condition"),
      .tripping(
        .consecutiveFailures(3, lasting: .nanoseconds(-1)),
        "consecutiveFailures(lasting:) is -1e-09 seconds; allowed: zero or more"),
      .tripping(
        .slowCallRate(0.5, slowerThan: .zero),
        "slowCallRate(slowerThan:) is 0.0 seconds; allowed: above zero"),
      .tripping(
        .slowCallRate(0.5, slowerThan: .seconds(-1)),
        "slowCallRate(slowerThan:) is -1.0 seconds; allowed: above zero"),
      .tripping(
        .any(
          .slowCallRate(0.5, slowerThan: .seconds(1)), .slowCallRate(1, slowerThan: .seconds(2))),
        "slowCallRate(slowerThan:) is 1.0 seconds and 2.0 seconds; "
          + "allowed: one threshold for all conditions of a breaker"),
    ]
    + [0, -1, Int.min].flatMap { count -> [Mistake] in
      [
        .tripping(
          .consecutiveFailures(count), "consecutiveFailures is \(count); allowed: 1..."),
        .tripping(
          .failureRate(0.5, minimumCalls: count),
          "failureRate(minimumCalls:) is \(count); allowed: 1..."),
        .tripping(
          .slowCallRate(0.5, slowerThan: .seconds(1), minimumCalls: count),
          "slowCallRate(minimumCalls:) is \(count); allowed: 1..."),
      ]
    }

  /// 5 of 3 (failsafe P19c) is among them.
  private static let rates: [Mistake] =
    [0, -0.0, -0.5, 1.nextUp, 5.0 / 3, .infinity, -.infinity, .nan].flatMap {
      rate -> [Mistake] in
      [
        .tripping(.failureRate(rate), "failureRate is \(rate); allowed: above 0, at most 1"),
        .tripping(
          .slowCallRate(rate, slowerThan: .seconds(1)),
          "slowCallRate is \(rate); allowed: above 0, at most 1"),
        .recovery(
          Recovery(reopening: .atFailureRate(rate, over: 10)),
          "atFailureRate is \(rate); allowed: above 0, at most 1"),
      ]
    }

  private static let windows: [Mistake] =
    [
      .window(.interval(.zero), "interval is 0.0 seconds; allowed: above zero"),
      .window(.interval(.seconds(-10)), "interval is -10.0 seconds; allowed: above zero"),
      .window(.rolling(.zero), "rolling is 0.0 seconds; allowed: at least a nanosecond a bucket"),
      .window(
        .rolling(.nanoseconds(9), buckets: 10),
        "rolling is 9e-09 seconds; allowed: at least a nanosecond a bucket"),
    ]
    + [Int.min, -1, 0, 1, 100_001].map {
      .window(
        .rolling(.seconds(10), buckets: $0), "rolling(buckets:) is \($0); allowed: 2...100000")
    }
    + [Int.min, -1, 0, 1_000_001, .max].map {
      .window(.calls($0), "calls is \($0); allowed: 1...1000000")
    }

  private static let hungCalls: [Mistake] = [
    Mistake(
      configuration: Configuration(hungAfter: .zero),
      complaint: "hungAfter is 0.0 seconds; allowed: above zero"),
    Mistake(
      configuration: Configuration(hungAfter: .seconds(-1)),
      complaint: "hungAfter is -1.0 seconds; allowed: above zero"),
    Mistake(
      configuration: Configuration(hungAfter: .seconds(1), hungCalls: 0),
      complaint: "hungCalls is 0; allowed: 1..."),
    Mistake(
      configuration: Configuration(hungCalls: .min),
      complaint: "hungCalls is \(Int.min); allowed: 1..."),
  ]

  private static let openings: [Mistake] =
    [
      .recovery(
        Recovery(openFor: .exponential(from: .seconds(2), factor: 2, cap: .seconds(1))),
        "openFor(cap:) is 1.0 seconds; allowed: at least the first open period, 2.0 seconds")
    ]
    + [.seconds(0), .seconds(.nan), .milliseconds(0), .constant(.zero)].map {
      .recovery(Recovery(openFor: $0), "openFor is 0.0 seconds; allowed: above zero")
    }
    + [.seconds(-1), .milliseconds(-1000), .constant(.seconds(-1))].map {
      .recovery(Recovery(openFor: $0), "openFor is -1.0 seconds; allowed: above zero")
    }
    + [0, 1.nextDown, -2, .infinity, .nan].map {
      .recovery(
        Recovery(openFor: .exponential(from: .seconds(1), factor: $0, cap: .seconds(9))),
        "openFor(factor:) is \($0); allowed: 1 or more, finite")
    }
    + [1, -0.1, 2, .infinity, .nan].map {
      .recovery(
        Recovery(openFor: .constant(.seconds(1), jitter: $0)),
        "openFor(jitter:) is \($0); allowed: 0..<1")
    }

  private static let probes: [Mistake] =
    [
      .recovery(
        Recovery(successesToClose: 2, reopening: .atFailureRate(0.5, over: 4)),
        "successesToClose is 2; allowed: nil with atFailureRate(_:over:), "
          + "which decides when to close")
    ]
    + [Int.min, -1, 0, 10_001, .max].map {
      .recovery(Recovery(probes: $0), "probes is \($0); allowed: 1...10000")
    }
    + [Int.min, -1, 0].flatMap { count -> [Mistake] in
      [
        .recovery(
          Recovery(successesToClose: count), "successesToClose is \(count); allowed: 1..."),
        .recovery(
          Recovery(reopening: .atFailureRate(0.5, over: count)),
          "atFailureRate(over:) is \(count); allowed: 1..."),
      ]
    }

  private static let durations: [Mistake] = [
    .recovery(
      Recovery(probation: .seconds(-1)), "probation is -1.0 seconds; allowed: zero or more"),
    .recovery(Recovery(probeLease: .zero), "probeLease is 0.0 seconds; allowed: above zero"),
    .recovery(
      Recovery(probeLease: .seconds(-1)), "probeLease is -1.0 seconds; allowed: above zero"),
    .recovery(
      Recovery(maxRetryAfter: .seconds(-1)), "maxRetryAfter is -1.0 seconds; allowed: zero or more"),
  ]
}

// MARK: - At run time

extension ConfigurationTests {
  @Test("`validate()` names the parameter, the value and the range")
  func oneMistake() {
    for mistake in Self.mistakes {
      do {
        try mistake.configuration.validate()
        Issue.record("no complaint: \(mistake.complaint)")
      } catch {
        #expect("\(error)" == mistake.complaint)
        #expect(error.violations.map(\.description) == [mistake.complaint])
      }
    }
  }

  @Test("`validate()` lists everything that is wrong at once, in the order of the parameters")
  func everything() {
    let configuration = Configuration(
      tripping: .any(
        .consecutiveFailures(0, lasting: .seconds(-1)), .failureRate(.nan, minimumCalls: 0),
        .slowCallRate(2, slowerThan: .zero, minimumCalls: -1), .when { _ in true }),
      over: .rolling(.nanoseconds(1), buckets: .max), hungAfter: .zero, hungCalls: 0,
      recovery: Recovery(
        openFor: .exponential(from: .zero, factor: 0, cap: .seconds(-1), jitter: 1), probes: 0,
        successesToClose: 0, reopening: .atFailureRate(0, over: 0), probation: .seconds(-1),
        probeLease: .zero, maxRetryAfter: .seconds(-1)))
    let error = #expect(throws: ConfigurationError.self) { try configuration.validate() }
    #expect(
      error?.violations.map(\.description) == [
        "consecutiveFailures is 0; allowed: 1...",
        "consecutiveFailures(lasting:) is -1.0 seconds; allowed: zero or more",
        "failureRate is nan; allowed: above 0, at most 1",
        "failureRate(minimumCalls:) is 0; allowed: 1...",
        "slowCallRate is 2.0; allowed: above 0, at most 1",
        "slowCallRate(slowerThan:) is 0.0 seconds; allowed: above zero",
        "slowCallRate(minimumCalls:) is -1; allowed: 1...",
        "rolling(buckets:) is \(Int.max); allowed: 2...100000",
        "rolling is 1e-09 seconds; allowed: at least a nanosecond a bucket",
        "hungAfter is 0.0 seconds; allowed: above zero", "hungCalls is 0; allowed: 1...",
        "openFor is 0.0 seconds; allowed: above zero",
        "openFor(factor:) is 0.0; allowed: 1 or more, finite",
        "openFor(cap:) is -1.0 seconds; allowed: at least the first open period, 0.0 seconds",
        "openFor(jitter:) is 1.0; allowed: 0..<1",
        "probes is 0; allowed: 1...10000",
        "successesToClose is 0; allowed: 1...",
        "atFailureRate is 0.0; allowed: above 0, at most 1",
        "atFailureRate(over:) is 0; allowed: 1...",
        "successesToClose is 0; allowed: nil with atFailureRate(_:over:), which decides when to close",
        "probation is -1.0 seconds; allowed: zero or more",
        "probeLease is 0.0 seconds; allowed: above zero",
        "maxRetryAfter is -1.0 seconds; allowed: zero or more",
      ])
    #expect(error.map { "\($0)" } == error?.violations.map(\.description).joined(separator: "; "))
    #expect(error?.violations.first?.parameter == "consecutiveFailures")
    #expect(error?.violations.first?.value == "0")
    #expect(error?.violations.first?.allowed == "1...")
  }
}

// MARK: - In source code

extension ConfigurationTests {
  @Test("a mistake in source code stops the program and says what it is", arguments: 0..<6)
  func stops(part: Int) async throws {
    for index in Self.mistakes.indices where index % 6 == part {
      let result = await #expect(
        processExitsWith: .failure, observing: [\.standardErrorContent]
      ) { [index = index as Int] in
        _ = CircuitBreaker("users", configuration: ConfigurationTests.mistakes[index].configuration)
      }
      let output = result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) } ?? ""
      let expected = "Fatal error: CircuitBreaker \"users\": \(Self.mistakes[index].complaint)"
      #expect(output.contains(expected + "\n"))
    }
  }

  @Test("settings given one by one are checked as well (failsafe P19b)")
  func stopsOneByOne() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = CircuitBreaker(
        "b", tripping: .consecutiveFailures(0), over: .calls(0), recovery: .init(probes: 0))
    }
    let output = result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) } ?? ""
    #expect(
      output.contains(
        "CircuitBreaker \"b\": consecutiveFailures is 0; allowed: 1...; "
          + "calls is 0; allowed: 1...1000000; probes is 0; allowed: 1...10000\n"))
  }
}
