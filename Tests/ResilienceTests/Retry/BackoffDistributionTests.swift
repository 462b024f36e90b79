import Testing

@testable import Resilience

/// How far a sample is from an even distribution over a range.
///
/// The seed is fixed, so these tests are not a matter of luck. With an even distribution the
/// Kolmogorov distance of 20 000 draws exceeds 0.0115 once in a hundred seeds.
private struct Evenness {
  let meanError: Double
  let distance: Double

  init(_ sample: [Double], over range: ClosedRange<Double>) {
    let width = range.upperBound - range.lowerBound
    let places = sample.sorted().map { ($0 - range.lowerBound) / width }
    let count = Double(places.count)
    meanError = places.reduce(0, +) / count - 0.5
    distance = places.enumerated().reduce(0) { farthest, place in
      let (rank, value) = (Double(place.offset), place.element)
      return max(farthest, value - rank / count, (rank + 1) / count - value)
    }
  }

  /// The mean of 20 000 even draws has a standard deviation of 0.002.
  var isEven: Bool { abs(meanError) < 0.006 && distance < 0.0115 }
}

@Suite("Backoff: how delays are spread (BO-3)")
struct BackoffDistributionTests {
  @Test("BO-3: the measure tells an even distribution from others")
  func measure() {
    let even = (0..<20_000).map { (Double($0) + 0.5) / 20_000 }
    #expect(Evenness(even, over: 0...1).isEven)
    #expect(!Evenness(even.map { min($0 * 1.05, 1) }, over: 0...1).isEven)
    #expect(!Evenness(even.map { $0 * $0 }, over: 0...1).isEven)
    #expect(!Evenness(even.map { $0 < 0.5 ? 0 : 1 }, over: 0...1).isEven)
  }

  @Test(
    "BO-3: jitter draws evenly, before the second attempt and before one that is capped",
    arguments: [
      (Backoff.Jitter.full, 0.0...1.0), (.equal, 0.5...1), (.proportional(0.1), 0.9...1.1),
      (.proportional(1), 0...2),
    ])
  func jitter(jitter: Backoff.Jitter, range: ClosedRange<Double>) {
    let second = Duration.seconds(1)
    let capped = Backoff.exponential(from: .milliseconds(10), cap: second, jitter: jitter)
    for (backoff, attempt) in [
      (Backoff.constant(second, jitter: jitter), 2),
      (.linear(from: second, step: second, jitter: jitter), 2),
      (.exponential(from: second, jitter: jitter), 2),
      (capped, 12), (capped, .max),
    ] {
      let sample = backoff.sample(beforeAttempt: attempt)
      #expect(Evenness(sample, over: range).isEven, "\(backoff)")
      #expect(sample.allSatisfy(range.contains))
    }
  }

  @Test(
    "BO-3: a decorrelated delay lies evenly between the first and three times the one before",
    arguments: [(0.0, 1.0...3.0), (1, 1...3), (2.5, 1...7.5), (4, 1...10), (60, 1...10)])
  func decorrelated(previous: Double, range: ClosedRange<Double>) {
    let backoff = Backoff.decorrelated(from: .seconds(1), cap: .seconds(10))
    let sample = backoff.sample(beforeAttempt: 5, previous: .seconds(previous))
    #expect(Evenness(sample, over: range).isEven)
    #expect(sample.allSatisfy(range.contains))
  }

  // MARK: - No mass on the cap

  @Test(
    "BO-1: no mass sits on the cap, as where delays are capped after the jitter (resilience4j)",
    arguments: [Backoff.Jitter.full, .equal, .proportional(0.2)])
  func noMassOnTheCap(jitter: Backoff.Jitter) {
    let cap = Duration.seconds(1)
    let backoff = Backoff.exponential(from: .milliseconds(100), cap: cap, jitter: jitter)
    // 3.2 s before the cap.
    let sample = backoff.sample(beforeAttempt: 7)
    #expect(share(of: sample, near: 1) < 0.06)
    let uncapped = Backoff.exponential(from: .milliseconds(100), jitter: jitter)
    let cappedAfterwards = uncapped.sample(beforeAttempt: 7).map { min($0, 1) }
    #expect(share(of: cappedAfterwards, near: 1) > 0.6)
  }

  @Test("BO-1: a decorrelated backoff does not come to rest on its cap, as the published one does")
  func decorrelatedNoMassOnTheCap() {
    let cap = Duration.seconds(1)
    let backoff = Backoff.decorrelated(from: .milliseconds(10), cap: cap)
    let chain = backoff.delays(beforeAttempts: 2...20_001).map { $0 / .seconds(1) }
    #expect(share(of: chain, near: 1) < 0.03)
    #expect(chain.contains { $0 > 0.99 })

    var dice = Dice(seed: 1)
    var previous = 0.01
    let published = (0..<20_000).map { _ in
      previous = min(1, Double.random(in: 0.01...(3 * previous), using: &dice))
      return previous
    }
    #expect(share(of: published, near: 1) > 0.3)
  }

  private func share(of sample: [Double], near cap: Double) -> Double {
    Double(sample.count { abs($0 - cap) < 0.01 * cap }) / Double(sample.count)
  }
}

// MARK: - What went wrong elsewhere

extension BackoffDistributionTests {
  @Test("BO-3: a delay of nothing has no jitter and does not trap (ph1ps)")
  func jitterOfNothing() {
    let jitters: [Backoff.Jitter] = [.none, .full, .equal, .proportional(0.5), .proportional(1)]
    for jitter in jitters {
      for backoff in [
        Backoff.constant(.zero, jitter: jitter), .exponential(from: .zero, jitter: jitter),
        .linear(from: .zero, step: .zero, jitter: jitter),
        .exponential(from: .seconds(1), cap: .zero, jitter: jitter), .decorrelated(from: .zero),
      ] {
        #expect(backoff.delays() == Array(repeating: .zero, count: 5))
      }
    }
  }

  @Test("BO-2: doubling does not overflow at attempts 60 to 200 (ph1ps, soto)")
  func doublingForLong() {
    for cap in [Duration.seconds(20), .seconds(Int64.max)] {
      for attempt in 60...200 {
        let longest = min(cap, .nanoseconds(Int64.max))
        var dice = Dice(seed: UInt64(attempt))
        let exact = Backoff.exponential(from: .milliseconds(50), cap: cap, jitter: .none)
        #expect(exact.delay(beforeAttempt: attempt, using: &dice) == longest)
        let spread = Backoff.exponential(from: .milliseconds(50), cap: cap)
        let delay = spread.delay(beforeAttempt: attempt, using: &dice)
        #expect(delay >= .zero && delay <= longest)
      }
    }
  }

  @Test("BO-1: the default jitter spreads delays (it does nothing in valkey)")
  func defaultJitterSpreads() {
    for backoff in [
      Backoff.constant(.seconds(1)), .exponential(from: .seconds(1)),
      .linear(from: .seconds(1), step: .seconds(1)), .decorrelated(from: .seconds(1)),
    ] {
      #expect(Set(backoff.sample(of: 1_000, beforeAttempt: 3)).count == 1_000)
    }
  }

  @Test("BO-3: delays from 0 to 10 ms are spread over all of it (failsafe P08: they are all 0)")
  func shortDelays() {
    let sample = Backoff.constant(.milliseconds(10)).sample(beforeAttempt: 2)
    #expect(Evenness(sample, over: 0...0.01).isEven)
  }

  @Test("BO-1: a backoff is of one kind, whatever was made before it (failsafe Q6)")
  func oneKind() {
    var backoff = Backoff.exponential(from: .milliseconds(3), jitter: .none)
    backoff = .constant(.milliseconds(1), jitter: .none)
    #expect(backoff.delays() == Array(repeating: .milliseconds(1), count: 5))
  }

  @Test("BO-3: jitter is bounded by the delay, so short ones do not become 0 (failsafe Q6c)")
  func boundedJitter() {
    let backoff = Backoff.constant(.milliseconds(2), jitter: .proportional(1))
    let sample = backoff.sample(beforeAttempt: 2)
    #expect(Evenness(sample, over: 0...0.004).isEven)
    #expect(sample.count { $0 == 0 } < 10)
  }

  @Test("BO-2: a custom delay below zero is none (in resilience4j it ends the retries)")
  func negativeDelay() {
    #expect(Backoff.custom { _, _ in .seconds(-1) }.delays() == Backoff.none.delays())
  }

  @Test(
    "BO-2: the cost does not grow with the attempt (resilience4j walks through all before it)",
    arguments: [1.000_000_1, 2])
  func cost(factor: Double) {
    let backoff = Backoff.exponential(from: .nanoseconds(1), factor: factor, jitter: .full)
    // Would not end before the sun does.
    let sample = backoff.sample(of: 1_000, beforeAttempt: .max)
    #expect(sample.allSatisfy { (0...20).contains($0) })
    #expect(sample.contains { $0 > 19 })
  }
}
