import Testing

@testable import Resilience

@Suite("Backoff at any input (BO-2)")
struct BackoffExtremesTests {
  private static let attempts: [Int] = [
    .min, -1, 0, 1, 2, 3, 60, 64, 200, 1 << 53, .max - 1, .max,
  ]

  private static let durations: [Duration] = [
    .zero, .nanoseconds(1), .milliseconds(50), .seconds(20), .nanoseconds(Int64.max),
    .seconds(Int64.max), Duration(attoseconds: .max), Duration(attoseconds: 1),
    .seconds(-1), .seconds(Int64.min), Duration(attoseconds: .min),
  ]

  private static let caps: [Duration] = [
    .seconds(-1), .zero, .nanoseconds(1), .seconds(20), Duration(attoseconds: .max),
  ]

  private static let factors: [Double] = [
    1, 1.000_000_1, 1.5, 2, 1e308, .infinity, .nan, 0, -2, -.infinity, .leastNonzeroMagnitude,
  ]

  private static let shares: [Double] = [0, 0.1, 0.5, 1, 2, -1, .infinity, .nan]

  private static let jitters: [Backoff.Jitter] =
    [.none, .full, .equal] + shares.map { .proportional($0) }

  /// A backoff, and what its delays must not exceed.
  private struct Case {
    let backoff: Backoff
    let cap: Duration
    let jitter: Backoff.Jitter

    /// The cap, held within what a delay can be, and half as much again for the jitter's share.
    var longest: Duration {
      let cap = max(.zero, min(cap, .nanoseconds(Int64.max)))
      let reach = BackoffExtremesTests.shares.first { jitter == .proportional($0) } ?? 0
      return reach > 0 ? cap + cap * min(reach, 1) + .nanoseconds(1) : cap
    }
  }

  private static func cases(_ jitter: Backoff.Jitter) -> [Case] {
    durations.flatMap { first in
      caps.flatMap { other in
        [
          Case(backoff: .constant(first, jitter: jitter), cap: first, jitter: jitter),
          Case(
            backoff: .linear(from: first, step: first, cap: other, jitter: jitter), cap: other,
            jitter: jitter),
          Case(
            backoff: .linear(from: .zero, step: first, cap: other, jitter: jitter), cap: other,
            jitter: jitter),
          Case(backoff: .decorrelated(from: first, cap: other), cap: other, jitter: .none),
          Case(
            backoff: .custom { _, previous in previous }, cap: .nanoseconds(Int64.max),
            jitter: .none),
        ]
          + factors.map { factor in
            Case(
              backoff: .exponential(from: first, factor: factor, cap: other, jitter: jitter),
              cap: other, jitter: jitter)
          }
      }
    }
  }

  @Test(
    "BO-2: never negative, never above the cap, never a trap", arguments: jitters,
    [0, .max])
  private func bounds(jitter: Backoff.Jitter, first: UInt64) {
    for example in Self.cases(jitter) {
      for attempt in Self.attempts {
        for previous in [Duration.zero, Self.durations[6], Self.durations[10]] {
          var dice = LoadedDice(first: first)
          let delay = example.backoff.delay(
            beforeAttempt: attempt, previous: previous, using: &dice)
          if delay < .zero || delay > example.longest {
            Issue.record("\(example.backoff) before attempt \(attempt): \(delay)")
          }
        }
      }
    }
  }

  @Test("BO-2: without jitter delays never become shorter", arguments: factors)
  func monotone(factor: Double) {
    var dice = NoDice()
    var random = Dice(seed: 5)
    let attempts: [Int] =
      [1, .max - 1] + Array(2..<200) + (1...61).map { 1 << $0 }
      + (0..<300).map { _ in Int.random(in: 2...500_000_000, using: &random) }
    for first in Self.durations.prefix(5) {
      for cap in Self.caps.suffix(2) {
        for backoff in [
          Backoff.exponential(from: first, factor: factor, cap: cap, jitter: .none),
          .linear(from: first, step: .nanoseconds(1), cap: cap, jitter: .none),
        ] {
          for attempt in attempts {
            let delay = backoff.delay(beforeAttempt: attempt, using: &dice)
            let next = backoff.delay(beforeAttempt: attempt + 1, using: &dice)
            if next < delay { Issue.record("\(backoff): \(delay) at \(attempt), then \(next)") }
          }
        }
      }
    }
  }

  @Test("BO-2: what is held at the bounds is held exactly")
  func saturation() {
    var dice = NoDice()
    let longest = Duration.nanoseconds(Int64.max)
    let endless = Duration(attoseconds: .max)
    for backoff in [
      Backoff.constant(endless, jitter: .none),
      .linear(from: endless, step: endless, cap: endless, jitter: .none),
      .linear(from: .zero, step: .nanoseconds(2), cap: endless, jitter: .none),
      .exponential(from: .nanoseconds(1), factor: 1e308, cap: endless, jitter: .none),
      .exponential(from: .nanoseconds(1), factor: .infinity, cap: endless, jitter: .none),
      .custom { _, _ in endless },
    ] {
      #expect(backoff.delay(beforeAttempt: .max, using: &dice) == longest)
    }
    // Whole nanoseconds are exact where a `Double` no longer counts them.
    let linear = Backoff.linear(
      from: .nanoseconds(1), step: .nanoseconds(1), cap: endless, jitter: .none)
    #expect(linear.delay(beforeAttempt: .max, using: &dice) == .nanoseconds(Int64.max - 1))
  }

  @Test("BO-2: values that make no sense count as the nearest that do")
  func nonsense() {
    var dice = NoDice()
    for factor in [0, -2, .nan, -.infinity, 0.5] as [Double] {
      let backoff = Backoff.exponential(from: .seconds(1), factor: factor, jitter: .none)
      #expect(backoff.delay(beforeAttempt: 9, using: &dice) == .seconds(1))
    }
    for cap in [Duration.seconds(-1), .zero] {
      let backoff = Backoff.exponential(from: .seconds(1), cap: cap, jitter: .none)
      #expect(backoff.delay(beforeAttempt: 9, using: &dice) == .zero)
    }
    for share in [-1, .nan, -.infinity] as [Double] {
      let backoff = Backoff.constant(.seconds(1), jitter: .proportional(share))
      #expect(backoff.delays() == Array(repeating: .seconds(1), count: 5))
    }
    for share in [2, .infinity] as [Double] {
      let backoff = Backoff.constant(.seconds(1), jitter: .proportional(share))
      #expect(backoff.delays() == Backoff.constant(.seconds(1), jitter: .proportional(1)).delays())
    }
  }
}
