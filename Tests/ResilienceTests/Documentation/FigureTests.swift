import Resilience
import ResilienceTesting
import Testing

extension Documentation {
  @Suite("Documentation: figures")
  struct FigureTests {
    typealias TripCondition = CircuitBreaker.TripCondition

    /// A default as the documentation writes it, and whether the library has it.
    struct Default {
      let parameter: String
      let value: String
      let holds: Bool

      init(_ parameter: String, _ value: String, _ holds: Bool) {
        (self.parameter, self.value, self.holds) = (parameter, value, holds)
      }
    }

    var settings: [Default] {
      let settings = CircuitBreaker.Configuration()
      let recovery = settings.recovery
      let tripping = TripCondition.any(
        .consecutiveFailures(6, lasting: .seconds(3)), .failureRate(0.8, minimumCalls: 40))
      return [
        Default(
          "tripping",
          ".any(.consecutiveFailures(6, lasting: .seconds(3)), .failureRate(0.8, minimumCalls: 40))",
          "\(settings.tripping)" == "\(tripping)"),
        Default(
          "over", ".rolling(.seconds(10), buckets: 10)",
          settings.window == .rolling(.seconds(10), buckets: 10)),
        Default("hungAfter", "nil", settings.hungAfter == nil),
        Default("hungCalls", "2", settings.hungCalls == 2),
        Default(
          "openFor",
          ".exponential(from: .milliseconds(500), factor: 1.2, cap: .seconds(2), jitter: 0.1)",
          recovery.openFor
            == .exponential(
              from: .milliseconds(500), factor: 1.2, cap: .seconds(2), jitter: 0.1)),
        Default("probes", "1", recovery.probes == 1),
        Default("successesToClose", "nil", recovery.successesToClose == nil),
        Default("reopening", ".onFirstFailure", recovery.reopening == .onFirstFailure),
        Default("probation", ".seconds(2)", recovery.probation == .seconds(2)),
        Default("probeLease", ".seconds(30)", recovery.probeLease == .seconds(30)),
        Default("maxRetryAfter", ".seconds(30)", recovery.maxRetryAfter == .seconds(30)),
      ]
    }

    var parts: [Default] {
      let streak = TripCondition.consecutiveFailures(1)
      let rate = TripCondition.failureRate(0.5)
      let slow = TripCondition.slowCallRate(0.5, slowerThan: .seconds(1))
      let rolling = CircuitBreaker.Window.rolling(.seconds(1))
      return [
        Default(
          "lasting", ".zero",
          "\(streak)" == "\(TripCondition.consecutiveFailures(1, lasting: .zero))"),
        Default(
          "minimumCalls", "20",
          "\(rate)" == "\(TripCondition.failureRate(0.5, minimumCalls: 20))"
            && "\(slow)"
              == "\(TripCondition.slowCallRate(0.5, slowerThan: .seconds(1), minimumCalls: 20))"
        ),
        Default("buckets", "10", rolling == .rolling(.seconds(1), buckets: 10)),
      ]
    }

    @Test("the defaults are those in the tables of the guide")
    func defaultsInGuide() throws {
      let rows = try rows(inMarkdown: guide)
      for setting in settings + parts {
        #expect(setting.holds, "\(setting.parameter) is not \(setting.value)")
        let row = rows.first { $0.first == "`\(setting.parameter)`" }
        #expect(row?[1] == "`\(setting.value)`")
      }
    }

    @Test("the defaults are those in the README")
    func defaultsInReadme() throws {
      let text = try lines(of: readme).joined(separator: " ")
      for setting in settings.prefix(2) { #expect(text.contains("`\(setting.value)`")) }
      for part in parts { #expect(text.contains("`\(part.parameter)` `\(part.value)`")) }
    }

    @Test("the README quotes the default breaker")
    func defaultsInWords() throws {
      let quotes = try blocks(inMarkdown: readme).filter { $0.info == "text" }
        .map { $0.code.joined(separator: " ") }
      #expect(quotes.contains("\(CircuitBreaker.Configuration())"))
    }

    @Test("the clock is read as often as the guide says")
    func clockReadings() async throws {
      let rows = try rows(inMarkdown: guide)
      let streak = TripCondition.consecutiveFailures(5)
      let slow = TripCondition.slowCallRate(0.5, slowerThan: .seconds(1))
      let settings: [(name: String, CircuitBreaker.Configuration, [any ResilienceObserver])] = [
        (
          "`.consecutiveFailures(5)` over `.sinceTransition`",
          .init(tripping: streak, over: .sinceTransition), []
        ),
        ("`.consecutiveFailures(5)` over `.rolling`", .init(tripping: streak), []),
        ("the default (`lasting:` over `.rolling`)", .init(), []),
        (
          "any condition over `.interval`", .init(tripping: streak, over: .interval(.seconds(10))),
          []
        ),
        ("`.slowCallRate`, over any window", .init(tripping: slow, over: .sinceTransition), []),
        ("`.slowCallRate`, over any window", .init(tripping: slow), []),
        ("any condition over `.calls`", .init(tripping: streak, over: .calls(100)), []),
        (
          "any, with `hungAfter`",
          .init(tripping: streak, over: .sinceTransition, hungAfter: .milliseconds(500)), []
        ),
        (
          "any, with an observer", .init(tripping: streak, over: .sinceTransition),
          [EventRecorder()]
        ),
      ]
      for (name, configuration, observers) in settings {
        let clock = CountingClock()
        let breaker = CircuitBreaker(
          "user-service", configuration: configuration, clock: clock, observers: observers)
        try await breaker.run {}
        let before = clock.readings
        try await breaker.run {}
        let row = rows.first { $0.first == name }
        #expect(row?[1] == "\(clock.readings - before)", "\(name)")
      }
    }
  }
}
