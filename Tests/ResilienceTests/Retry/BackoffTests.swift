import Testing

@testable import Resilience

@Suite("Backoff")
struct BackoffTests {
  private static func milliseconds(_ delays: Int...) -> [Duration] {
    delays.map { .milliseconds($0) }
  }

  @Test(
    "BO-1: each kind has its own course",
    arguments: [
      (Backoff.none, milliseconds(0, 0, 0, 0, 0)),
      (.constant(.milliseconds(7), jitter: .none), milliseconds(7, 7, 7, 7, 7)),
      (
        .linear(from: .milliseconds(10), step: .milliseconds(5), jitter: .none),
        milliseconds(10, 15, 20, 25, 30)
      ),
      (
        .linear(
          from: .milliseconds(10), step: .milliseconds(5), cap: .milliseconds(18), jitter: .none),
        milliseconds(10, 15, 18, 18, 18)
      ),
      (
        .exponential(from: .milliseconds(50), jitter: .none),
        milliseconds(50, 100, 200, 400, 800)
      ),
      (
        .exponential(
          from: .milliseconds(8), factor: 1.5, cap: .milliseconds(30), jitter: .none),
        milliseconds(8, 12, 18, 27, 30)
      ),
      (
        .exponential(from: .milliseconds(8), factor: 1, jitter: .none),
        milliseconds(8, 8, 8, 8, 8)
      ),
      (
        .exponential(from: .seconds(3), cap: .seconds(2), jitter: .none),
        milliseconds(2000, 2000, 2000, 2000, 2000)
      ),
      (
        .decorrelated(from: .seconds(3), cap: .seconds(2)),
        milliseconds(2000, 2000, 2000, 2000, 2000)
      ),
      (.custom { attempt, _ in .milliseconds(attempt * attempt) }, milliseconds(4, 9, 16, 25, 36)),
      (.custom { _, previous in previous + .milliseconds(2) }, milliseconds(2, 4, 6, 8, 10)),
      (.custom { attempt, _ in .milliseconds(4 - attempt) }, milliseconds(2, 1, 0, 0, 0)),
    ])
  func courses(backoff: Backoff, expected: [Duration]) {
    #expect(backoff.delays() == expected)
  }

  @Test("BO-1: the cap is 20 s and the factor 2, unless told otherwise")
  func defaults() {
    let exponential = Backoff.exponential(from: .milliseconds(50), jitter: .none)
    #expect(
      exponential.delays(beforeAttempts: 9...12) == Self.milliseconds(6400, 12_800, 20_000, 20_000))
    let linear = Backoff.linear(from: .seconds(1), step: .seconds(9), jitter: .none)
    #expect(linear.delays(beforeAttempts: 2...5) == Self.milliseconds(1000, 10_000, 19_000, 20_000))
    let decorrelated = Backoff.decorrelated(from: .seconds(1)).delays(beforeAttempts: 2...200)
    #expect(decorrelated.allSatisfy { $0 >= .seconds(1) && $0 <= .seconds(20) })
    #expect(decorrelated.contains { $0 > .seconds(19) })
  }

  @Test("BO-1: jitter is full unless told otherwise")
  func fullJitterIsTheDefault() {
    let second = Duration.seconds(1)
    #expect(
      Backoff.constant(second).delays() == Backoff.constant(second, jitter: .full).delays())
    #expect(
      Backoff.linear(from: second, step: second).delays()
        == Backoff.linear(from: second, step: second, jitter: .full).delays())
    #expect(
      Backoff.exponential(from: second).delays()
        == Backoff.exponential(from: second, jitter: .full).delays())
    #expect(Backoff.constant(second).delays() != Backoff.constant(second, jitter: .none).delays())
  }

  @Test("BO-2: before the first attempt nobody waits", arguments: [1, 0, -1, Int.min])
  func firstAttempt(attempt: Int) {
    var dice = NoDice()
    for backoff in [
      Backoff.constant(.seconds(1)), .linear(from: .seconds(1), step: .seconds(1)),
      .exponential(from: .seconds(1)), .decorrelated(from: .seconds(1)),
      .custom { _, _ in .seconds(1) },
    ] {
      #expect(backoff.delay(beforeAttempt: attempt, using: &dice) == .zero)
    }
  }

  @Test("BO-2: the same generator gives the same delays, and another one others")
  func purity() {
    for backoff in [
      Backoff.exponential(from: .seconds(1)), .decorrelated(from: .seconds(1)),
      .constant(.seconds(1), jitter: .equal), .constant(.seconds(1), jitter: .proportional(0.1)),
    ] {
      #expect(backoff.delays(seed: 7) == backoff.delays(seed: 7))
      #expect(backoff.delays(seed: 7) != backoff.delays(seed: 8))
    }
  }

  @Test("BO-2: without jitter nothing is drawn")
  func drawsNothing() {
    var dice = NoDice()
    let backoff = Backoff.exponential(from: .seconds(1), jitter: .none)
    #expect(backoff.delay(beforeAttempt: 4, using: &dice) == .seconds(4))
    let custom = Backoff.custom { _, _ in .seconds(1) }
    #expect(custom.delay(beforeAttempt: 4, using: &dice) == .seconds(1))
  }

  @Test("BO-1: a backoff says in words what it is")
  func descriptions() {
    let second = Duration.seconds(1)
    #expect(Backoff.none.description == "none")
    #expect(Backoff.constant(second).description == "1.0 seconds, full jitter")
    #expect(Backoff.constant(second, jitter: .none).description == "1.0 seconds")
    #expect(
      Backoff.linear(from: second, step: .seconds(2), jitter: .equal).description
        == "1.0 seconds + k × 2.0 seconds up to 20.0 seconds, equal jitter")
    #expect(
      Backoff.exponential(from: second, factor: 1.5, cap: .seconds(9), jitter: .proportional(0.07))
        .description == "1.0 seconds × 1.5ᵏ up to 9.0 seconds, jitter of ±0.07 of it")
    #expect(
      Backoff.decorrelated(from: second).description
        == "decorrelated from 1.0 seconds up to 20.0 seconds")
    #expect(Backoff.custom { _, _ in .zero }.description == "custom")
    #expect(Backoff.Jitter.none.description == "no jitter")
  }
}

// MARK: - Validation

extension BackoffTests {
  private func violations(of backoff: Backoff) -> [String] {
    var validation = Validation()
    backoff.validate(&validation)
    return validation.violations.map(\.description)
  }

  @Test("BO-1: what makes sense is allowed, a cap below the first delay among it")
  func valid() {
    for backoff in [
      Backoff.none, .constant(.zero), .constant(.seconds(Int64.max), jitter: .equal),
      .linear(from: .zero, step: .zero, cap: .zero),
      .exponential(from: .seconds(3), factor: 1, cap: .seconds(2)),
      .exponential(from: .zero, factor: .greatestFiniteMagnitude, jitter: .proportional(0)),
      .exponential(from: .zero, jitter: .proportional(1)),
      .decorrelated(from: .seconds(3), cap: .seconds(2)), .custom { _, _ in .seconds(-1) },
    ] {
      #expect(violations(of: backoff) == [])
    }
  }

  @Test("BO-1: everything that is wrong is listed, with parameter, value and range")
  func invalid() {
    let negative = Duration.seconds(-1)
    #expect(
      violations(of: .constant(negative, jitter: .proportional(1.5))) == [
        "backoff is -1.0 seconds; allowed: zero or more",
        "backoff(jitter:) is 1.5; allowed: a share in 0...1",
      ])
    #expect(
      violations(of: .linear(from: negative, step: negative, cap: negative)) == [
        "backoff(from:) is -1.0 seconds; allowed: zero or more",
        "backoff(step:) is -1.0 seconds; allowed: zero or more",
        "backoff(cap:) is -1.0 seconds; allowed: zero or more",
      ])
    #expect(
      violations(
        of: .exponential(
          from: negative, factor: 0.5, cap: negative, jitter: .proportional(-0.5))) == [
          "backoff(from:) is -1.0 seconds; allowed: zero or more",
          "backoff(factor:) is 0.5; allowed: 1 or more, finite",
          "backoff(cap:) is -1.0 seconds; allowed: zero or more",
          "backoff(jitter:) is -0.5; allowed: a share in 0...1",
        ])
    #expect(
      violations(of: .decorrelated(from: negative, cap: negative)) == [
        "backoff(from:) is -1.0 seconds; allowed: zero or more",
        "backoff(cap:) is -1.0 seconds; allowed: zero or more",
      ])
  }

  @Test(
    "BO-1: a factor must grow and a share must be one",
    arguments: [1.nextDown, 0, -2, .infinity, -.infinity, .nan])
  func invalidNumbers(number: Double) {
    #expect(
      violations(of: .exponential(from: .zero, factor: number))
        == ["backoff(factor:) is \(number); allowed: 1 or more, finite"])
    guard !(0...1).contains(number) else { return }
    #expect(
      violations(of: .constant(.zero, jitter: .proportional(number)))
        == ["backoff(jitter:) is \(number); allowed: a share in 0...1"])
  }
}
