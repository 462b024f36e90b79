import Resilience
import ResilienceTesting
import Testing

@Suite("CB-23: the error of a refused call", .timeLimit(.minutes(20)))
struct CircuitOpenErrorTests {
  struct Mishap: Error {}

  let clock = VirtualClock()

  private func breaker(
    _ recovery: CircuitBreaker.Recovery = .init(openFor: .seconds(10), probeLease: .seconds(60))
  ) -> CircuitBreaker {
    CircuitBreaker(
      "users", tripping: .consecutiveFailures(2), over: .sinceTransition, recovery: recovery,
      clock: clock)
  }

  private func open(_ breaker: CircuitBreaker) async {
    try? await breaker.run {}
    for _ in 1...2 { try? await breaker.run { throw Mishap() } }
  }

  private func refusal(_ breaker: CircuitBreaker) async throws -> CircuitOpenError {
    do {
      _ = try await breaker.run { Issue.record("the operation ran") }
    } catch let error as CircuitOpenError {
      return error
    }
    throw Mishap()
  }

  /// Which object an error stands for: the one word that it is.
  private func identity(_ error: CircuitOpenError) -> UInt {
    // Reads the word as a number, and no further.
    unsafe withUnsafeBytes(of: error) { unsafe $0.load(as: UInt.self) }
  }

  @Test("it is one word wide")
  func size() {
    #expect(MemoryLayout<CircuitOpenError>.size == MemoryLayout<UInt>.size)
    #expect(MemoryLayout<CircuitOpenError>.stride == MemoryLayout<UInt>.size)
  }

  @Test("it says who refused, why, until when, and over which counts")
  func contents() async throws {
    let breaker = breaker()
    await open(breaker)
    let error = try await refusal(breaker)
    #expect(error.policy == "users")
    #expect(error.reason == .open)
    #expect(error.retryAfter == .seconds(10))
    #expect(error.counts == .init(successes: 1, failures: 2, consecutiveFailures: 2))
    #expect(
      "\(error)" == "circuit breaker \"users\" refused the call: open; retry after 10.0 seconds")
    breaker.isolate()
    #expect(
      "\(try await refusal(breaker))" == "circuit breaker \"users\" refused the call: isolated")
  }

  @Test("it is known as a rejection, and as a hint, wherever it is caught")
  func rejection() async throws {
    let breaker = breaker()
    breaker.trip()
    do {
      try await breaker.run {}
    } catch let error as any RejectionError {
      #expect(error.policy == "users")
      #expect("\(error.reason)" == "open")
    }
    #expect(
      (try await refusal(breaker) as any Error as? any RetryAfterHint)?.retryAfter == .seconds(10))
  }

  @Test("it counts down with the clock, never below zero, whatever the breaker does meanwhile")
  func countdown() async throws {
    let breaker = breaker()
    await open(breaker)
    let error = try await refusal(breaker)
    await clock.advance(by: .milliseconds(2500))
    #expect(error.retryAfter == .milliseconds(7500))
    await clock.advance(by: .milliseconds(7499))
    #expect(error.retryAfter == .milliseconds(1))
    await clock.advance(by: .milliseconds(1))
    #expect(error.retryAfter == .zero)
    try await breaker.run {}
    await clock.advance(by: .seconds(1_000_000))
    #expect(error.retryAfter == .zero)
    #expect(error.reason == .open)
    #expect(error.counts == .init(successes: 1, failures: 2, consecutiveFailures: 2))
  }

  @Test("nobody knows when: isolated, half-open full, on probation")
  func reasonsWithoutEnd() async throws {
    let breaker = breaker()
    await open(breaker)
    await clock.advance(by: .seconds(10))
    let probe = breaker.tryAcquire()
    let full = try await refusal(breaker)
    probe?.succeed()
    try? await breaker.run { throw Mishap() }
    let probation = try await refusal(breaker)
    breaker.isolate()
    let isolated = try await refusal(breaker)
    #expect(
      [full, probation, isolated].map(\.reason) == [.halfOpenFull, .probation, .isolated])
    #expect([full, probation, isolated].map(\.retryAfter) == [nil, nil, nil])
    let opening = CircuitBreaker.Counts(successes: 1, failures: 2, consecutiveFailures: 2)
    #expect([full, probation].map(\.counts) == [opening, opening])
    #expect(isolated.counts.failures == 1)
    #expect(
      [full, probation, isolated].map { "\($0.reason)" } == [
        "half-open, all probes taken", "on probation", "isolated",
      ])
  }

  @Test("it is built once a generation, and anew in the next")
  func builtOnce() async throws {
    let breaker = breaker()
    var errors: [CircuitOpenError] = []
    for _ in 1...3 {
      breaker.reset()
      await open(breaker)
      let first = try await refusal(breaker)
      errors.append(first)
      for _ in 1...5 {
        await clock.advance(by: .seconds(1))
        #expect(identity(try await refusal(breaker)) == identity(first))
      }
    }
    breaker.isolate()
    errors.append(try await refusal(breaker))
    #expect(identity(try await refusal(breaker)) == identity(errors[3]))
    #expect(Set(errors.map(identity)).count == 4)
  }

  @Test("a control that changes nothing leaves it as it is")
  func unchanged() async throws {
    let breaker = breaker()
    breaker.isolate()
    let first = try await refusal(breaker)
    breaker.isolate()
    let second = try await refusal(breaker)
    #expect(identity(second) == identity(first))
  }

  @Test("`trip(for:)` on an open breaker moves the end: to sooner, to later, in a new error")
  func rebuilt() async throws {
    let breaker = breaker()
    await open(breaker)
    let first = try await refusal(breaker)
    breaker.trip(for: .seconds(60))
    let later = try await refusal(breaker)
    breaker.trip(for: .seconds(2))
    let sooner = try await refusal(breaker)
    breaker.trip()
    let usual = try await refusal(breaker)
    let errors = [first, later, sooner, usual]
    #expect(Set(errors.map(identity)).count == 4)
    #expect(errors.map(\.retryAfter) == [10, 60, 2, 10].map { .seconds($0) })
    #expect(errors.map(\.counts) == Array(repeating: first.counts, count: 4))
    #expect(breaker.snapshot().generation == 1)
    #expect(breaker.snapshot().openUntil?.remaining == .seconds(10))
  }

  @Test("a reopened circuit tells the counts of its probes")
  func reopened() async throws {
    let breaker = breaker(.init(openFor: .seconds(10), probes: 3))
    await open(breaker)
    await clock.advance(by: .seconds(10))
    try await breaker.run {}
    try? await breaker.run { throw Mishap() }
    let error = try await refusal(breaker)
    #expect(error.reason == .open)
    #expect(error.counts == .init(successes: 1, failures: 1, consecutiveFailures: 1))
  }

  @Test("extreme open periods: what remains is what 64 bits of nanoseconds can say")
  func extremes() async throws {
    for duration in [Duration(attoseconds: .max), .seconds(Int64.max), .nanoseconds(Int64.max)] {
      let breaker = breaker(.init(openFor: .constant(duration)))
      breaker.trip()
      #expect(try await refusal(breaker).retryAfter == .nanoseconds(Int64.max))
      breaker.trip(for: duration)
      await clock.advance(by: .seconds(1))
      let remaining = try await refusal(breaker).retryAfter ?? .zero
      #expect(remaining > .seconds(9_000_000_000) && remaining < .nanoseconds(Int64.max))
    }
  }
}
