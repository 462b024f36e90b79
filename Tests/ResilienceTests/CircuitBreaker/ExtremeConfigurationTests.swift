import Resilience
import ResilienceTesting
import Testing

@Suite("Configurations at the ends of their ranges", .timeLimit(.minutes(20)))
struct ExtremeConfigurationTests {
  typealias Recovery = CircuitBreaker.Recovery

  static let longest = Duration(attoseconds: .max)
  static let shortest = Duration(attoseconds: 1)

  struct Mishap: RetryAfterHint {
    var retryAfter: Duration?
  }

  static let conditions: [CircuitBreaker.TripCondition] = [
    .consecutiveFailures(.max, lasting: longest), .consecutiveFailures(1, lasting: shortest),
    .failureRate(.leastNonzeroMagnitude, minimumCalls: .max),
    .failureRate(.leastNonzeroMagnitude, minimumCalls: 1), .failureRate(1, minimumCalls: 1),
    .slowCallRate(.leastNonzeroMagnitude, slowerThan: shortest, minimumCalls: 1),
    .slowCallRate(1.nextDown, slowerThan: longest, minimumCalls: 1),
  ]

  static let windows: [CircuitBreaker.Window] = [
    .sinceTransition, .interval(shortest), .interval(longest), .rolling(longest, buckets: 2),
    .rolling(.nanoseconds(2), buckets: 2), .rolling(.nanoseconds(100), buckets: 100),
    .rolling(longest, buckets: 100), .calls(1), .calls(1_000_000),
  ]

  static let recoveries: [Recovery] = [
    Recovery(openFor: .constant(shortest), probes: 10_000, successesToClose: .max),
    Recovery(openFor: .constant(longest), probation: longest, probeLease: shortest),
    Recovery(openFor: .seconds(.infinity), probeLease: longest, maxRetryAfter: longest),
    Recovery(openFor: .seconds(.greatestFiniteMagnitude), probation: .zero, maxRetryAfter: .zero),
    Recovery(
      openFor: .exponential(
        from: shortest, factor: .greatestFiniteMagnitude, cap: longest, jitter: 1.nextDown),
      reopening: .atFailureRate(.leastNonzeroMagnitude, over: .max), maxRetryAfter: longest),
    Recovery(
      openFor: .exponential(from: longest, factor: 1, cap: longest, jitter: 0.5),
      reopening: .atFailureRate(1, over: 1), probation: shortest),
  ]

  /// Takes a breaker through its states, with pauses between them.
  private static func use(
    _ condition: CircuitBreaker.TripCondition, _ window: CircuitBreaker.Window,
    hungAfter: Duration? = nil, hungCalls: Int = 1, _ recovery: Recovery,
    pausing pauses: [Duration]
  ) async throws {
    let clock = VirtualClock()
    let configuration = CircuitBreaker.Configuration(
      tripping: condition, over: window, hungAfter: hungAfter, hungCalls: hungCalls,
      recovery: recovery)
    try configuration.validate()
    let breaker = CircuitBreaker("users", configuration: configuration, clock: clock, seed: 1)
    for pause in pauses {
      for hint in [nil, shortest, longest, Duration(attoseconds: .min)] {
        for _ in 1...2 { try? await breaker.run { clock.advance(by: .seconds(1)) } }
        try? await breaker.run { throw Mishap(retryAfter: hint) }
        breaker.tryAcquire()?.ignore()
        breaker.trip(for: hint)
        await clock.advance(by: pause)
        let snapshot = breaker.snapshot()
        #expect(snapshot.state == breaker.state)
        #expect(snapshot.running == 0)
        #expect(snapshot.openUntil.map { $0.remaining > .zero } != false)
      }
      breaker.observe()
      try? await breaker.run { throw Mishap() }
      breaker.reset()
      #expect(breaker.state == .closed)
      #expect(breaker.snapshot().counts.calls == 0)
      #expect(breaker.snapshot().admittedShare == 1)
    }
  }

  private static func use(window: Int, pausing pauses: [Duration]) async throws {
    for (index, recovery) in recoveries.enumerated() {
      for condition in [window + index, 2 * window + index + 3].map({ conditions[$0 % 7] }) {
        try await use(condition, windows[window], recovery, pausing: pauses)
      }
    }
  }

  @Test("they build a breaker that works", arguments: windows.indices)
  func work(window: Int) async throws {
    let pauses = [
      .zero, Self.shortest, .seconds(1), .seconds(2_000_000_000), .seconds(Int64.max), Self.longest,
    ]
    try await Self.use(window: window, pausing: pauses)
  }

  @Test("CB-16: watching for calls that hang", arguments: [longest, shortest], [1, Int.max])
  func hungCalls(after limit: Duration, count: Int) async throws {
    for condition in Self.conditions {
      try await Self.use(
        condition, .rolling(.seconds(10)), hungAfter: limit, hungCalls: count, Recovery(),
        pausing: [.zero, Self.shortest, .seconds(1), Self.longest])
    }
  }

  @Test("as many buckets as there may be")
  func buckets() async throws {
    for length in [Duration.nanoseconds(100_000), Self.longest] {
      try await Self.use(
        Self.conditions[4], .rolling(length, buckets: 100_000), Recovery(), pausing: [.seconds(1)])
    }
  }

  @Test("no clock goes too far: at the end of 64 bits of nanoseconds time stands still")
  func endOfTime() async throws {
    let clock = VirtualClock()
    let breaker = CircuitBreaker("users", clock: clock)
    for _ in 1...3 {
      await clock.advance(by: .seconds(Int64.max))
      try await breaker.run {}
      try? await breaker.run { throw Mishap() }
    }
    #expect(breaker.snapshot().counts.failures == 3)
  }
}
