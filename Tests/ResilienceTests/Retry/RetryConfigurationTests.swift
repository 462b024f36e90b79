import Testing

@testable import Resilience

@Suite("Retry: settings")
struct RetryConfigurationTests {
  private static func mistakes(in configuration: Retry.Configuration) -> [String] {
    do throws(ConfigurationError) {
      try configuration.validate()
      return []
    } catch {
      return error.violations.map { "\($0)" }
    }
  }

  @Test("what is wrong is listed at once, the backoff's mistakes among it")
  func violations() {
    let configuration = Retry.Configuration(
      maxAttempts: 0,
      backoff: .exponential(
        from: .seconds(-1), factor: 0.5, cap: .seconds(-2), jitter: .proportional(2)),
      hintCap: .seconds(-3))
    #expect(
      Self.mistakes(in: configuration) == [
        "maxAttempts is 0; allowed: 1...",
        "backoff(from:) is -1.0 seconds; allowed: zero or more",
        "backoff(factor:) is 0.5; allowed: 1 or more, finite",
        "backoff(cap:) is -2.0 seconds; allowed: zero or more",
        "backoff(jitter:) is 2.0; allowed: a share in 0...1",
        "hintCap is -3.0 seconds; allowed: zero or more",
      ])
  }

  @Test("each mistake alone", arguments: [Int.min, -1, 0])
  func attempts(_ count: Int) {
    #expect(
      Self.mistakes(in: .init(maxAttempts: count)) == ["maxAttempts is \(count); allowed: 1..."])
  }

  @Test("what can work is valid, at its extremes too")
  func valid() {
    let configurations: [Retry.Configuration] = [
      .init(), .init(maxAttempts: 1), .init(maxAttempts: .max), .init(hintCap: .zero),
      .init(hintCap: Duration(attoseconds: .max)), .init(backoff: .none),
      .init(rejections: .waitForRetryAfter, nesting: .allowed),
    ]
    for configuration in configurations {
      #expect(Self.mistakes(in: configuration) == [])
    }
  }

  @Test("a mistake in source code stops the program, and says what is allowed")
  func stops() async throws {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      _ = Retry("users", maxAttempts: 0, hintCap: .seconds(-1))
    }
    let output = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    #expect(output.contains("Retry \"users\""))
    #expect(output.contains("maxAttempts is 0; allowed: 1..."))
    #expect(output.contains("hintCap is -1.0 seconds; allowed: zero or more"))
  }

  @Test("defaults are those that the documentation states, and read well in a log")
  func defaults() {
    let retry = Retry()
    #expect(
      retry.layers == [
        PolicyLayer(
          role: .retry(maxAttempts: 3, nests: false), name: "retry",
          settings: "3 attempts, backoff 0.05 seconds × 2.0ᵏ up to 20.0 seconds, full jitter, "
            + "hints up to 30.0 seconds, stops at rejections, one attempt inside another retry, "
            + #"budget "retry" (0.1 of the successes in 10.0 seconds, at least 1)"#)
      ])
    #expect(
      Retry.Configuration(
        maxAttempts: .max, backoff: .none, hintCap: .zero, rejections: .waitForRetryAfter,
        nesting: .allowed
      ).description
        == "attempts without end, backoff none, hints up to 0.0 seconds, waits for rejections, "
        + "all attempts inside another retry")
    #expect(
      retry.snapshot()
        == Retry.Snapshot(
          name: "retry", totals: .init(),
          budget: .init(
            name: "retry", tokens: 1, capacity: 1, successes: 0, withdrawn: 0, refused: 0,
            givenBack: 0)))
    #expect(Retry(budget: nil).snapshot().budget == nil)
  }
}
