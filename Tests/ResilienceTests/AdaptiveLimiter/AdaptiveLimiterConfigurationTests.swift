import Testing

@testable import Resilience

@Suite("Adaptive limiter: settings")
struct AdaptiveLimiterConfigurationTests {
  typealias Algorithm = AdaptiveLimiter.Algorithm

  private static func mistakes(in algorithm: Algorithm) -> [String] {
    do throws(ConfigurationError) {
      try AdaptiveLimiter.Configuration(algorithm: algorithm).validate()
      return []
    } catch {
      return error.violations.map { "\($0)" }
    }
  }

  @Test("what is wrong is listed at once")
  func violations() {
    #expect(
      Self.mistakes(
        in: .aimd(initial: 0, maximum: -1, backoff: 1, cooldown: .seconds(-1)))
        == [
          "maximum is -1; allowed: 1...1000000",
          "initial is 0; allowed: at least 1, at most the maximum, -1",
          "backoff is 1.0; allowed: above 0, below 1",
          "cooldown is -1.0 seconds; allowed: zero or more",
        ])
    let latency = [
      "window is -1.0 seconds; allowed: zero or more",
      "probeInterval is 0.0 seconds; allowed: above zero",
    ]
    #expect(
      Self.mistakes(in: .vegas(window: .seconds(-1), probeInterval: .zero)) == latency)
    #expect(
      Self.mistakes(
        in: .gradient(tolerance: 0.5, window: .seconds(-1), probeInterval: .zero))
        == ["tolerance is 0.5; allowed: 1...10"] + latency)
  }

  @Test("what is not a number is none", arguments: [Double.nan, .infinity, -.infinity, 0, -1, 11])
  func numbers(_ number: Double) {
    #expect(Self.mistakes(in: .aimd(backoff: number)).count == 1)
    #expect(Self.mistakes(in: .gradient(tolerance: number)).count == 1)
  }

  @Test("an initial limit beyond the maximum is a mistake", arguments: [201, Int.max])
  func initial(_ initial: Int) {
    for algorithm in [
      Algorithm.aimd(initial: initial), .vegas(initial: initial), .gradient(initial: initial),
    ] {
      #expect(
        Self.mistakes(in: algorithm) == [
          "initial is \(initial); allowed: at least 1, at most the maximum, 200"
        ])
    }
  }

  @Test("what can work is valid, at its extremes too")
  func valid() {
    let forever = Duration(attoseconds: .max)
    for algorithm in [
      Algorithm.aimd(), .vegas(), .gradient(), .aimd(initial: 1, maximum: 1, cooldown: .zero),
      .aimd(maximum: 1_000_000, backoff: 0.999_999, cooldown: forever),
      .vegas(window: forever, probeInterval: forever),
      .gradient(tolerance: 10, window: .zero, probeInterval: .nanoseconds(1)),
    ] {
      #expect(Self.mistakes(in: algorithm) == [])
    }
  }

  @Test("a mistake in source code stops the program, and says what is allowed")
  func stops() async throws {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      _ = AdaptiveLimiter("users", algorithm: .aimd(initial: 0, backoff: 2))
    }
    let output = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    #expect(output.contains("AdaptiveLimiter \"users\""))
    #expect(output.contains("initial is 0; allowed: at least 1, at most the maximum, 200"))
    #expect(output.contains("backoff is 2.0; allowed: above 0, below 1"))
  }

  @Test("defaults read well in a log")
  func descriptions() {
    #expect(
      AdaptiveLimiter().layers == [
        PolicyLayer(
          role: .adaptiveLimiter, name: "adaptive-limiter",
          settings: "AIMD from 4 up to 200, × 0.7 at overload, once in 0.1 seconds")
      ])
    #expect(
      AdaptiveLimiter("users", configuration: .init(algorithm: .vegas())).layers.map(\.settings)
        == ["Vegas from 4 up to 200, windows of 0.1 seconds, probes every 30.0 seconds"])
    #expect(
      "\(Algorithm.gradient(tolerance: 2))"
        == "gradient from 4 up to 200, tolerance 2.0, windows of 0.1 seconds, "
        + "probes every 30.0 seconds")
  }
}
