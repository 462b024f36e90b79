import Testing

@testable import Resilience

@Suite("AC-1: limits by latency")
struct LatencyFeedbackTests {
  typealias Reading = AdaptiveLimiter.LatencyReading

  static let millisecond: Int64 = 1_000_000
  static let pace = AdaptiveLimiter.Algorithm.Pace(
    window: .milliseconds(100), probeInterval: .seconds(30))

  // MARK: - Formulas

  @Test(
    "Vegas: in flight × (1 − baseline/observed) wait; below √limit up, above 2 √limit down",
    arguments: [
      // Brakmo and Peterson 1995 §3.2: expected and actual rate differ by the calls that wait.
      (limit: 16.0, inFlight: 16.0, observed: 10.0, expected: 20.0),  // 0 wait
      (16, 16, 12.5, 20),  // 3.2
      (16, 16, 16, 16),  // 6
      (16, 16, 20, 16),  // 8, which is not more than 8
      (16, 16, 25, 12),  // 9.6
      (16, 8, 20, 16),  // 4, of the 8 that there are
      (100, 100, 8, 110),  // faster than without load
      (4, 4, 1e9, 4),  // at most 4 of 4
    ])
  func vegas(limit: Double, inFlight: Double, observed: Double, expected: Double) {
    let reading = Reading(baseline: 10, observed: observed, inFlight: inFlight)
    #expect(AdaptiveLimiter.Vegas().next(after: limit, reading) == expected)
  }

  @Test(
    "Gradient: limit × tolerance × baseline/observed, from half of it up to all, and √limit",
    arguments: [
      // Envoy, adaptive concurrency filter: "gradient × limit + headroom", headroom √limit.
      (observed: 10.0, expected: 20.0), (12.5, 20), (20, 14), (25, 12), (1e9, 12), (5, 20),
    ])
  func gradient(observed: Double, expected: Double) {
    let reading = Reading(baseline: 10, observed: observed, inFlight: 16)
    let gradient = AdaptiveLimiter.Gradient(tolerance: 1.25)
    #expect(gradient.next(after: 16, reading) == expected)
  }

  // MARK: - Windows and probes

  /// A limit that has its first baseline, of 10 ms, at its initial limit.
  struct Vegas {
    var feedback = AdaptiveLimiter.LatencyFeedback(
      AdaptiveLimiter.Vegas(), initial: 16, maximum: 200, pace: pace, at: 0)
    var now: Int64 = 0

    /// Calls that end one after the other, a millisecond apart.
    mutating func succeed(_ count: Int, latency: Int = 10, inFlight: Int = 16) {
      for _ in 0..<count {
        now += millisecond
        feedback.record(latency: Int64(latency) * millisecond, inFlight: inFlight, at: now)
      }
    }

    /// Nine calls began before it all, 32 are passed over, 64 are four rounds.
    static func measured() -> Vegas {
      var vegas = Vegas()
      vegas.succeed(9 + 32 + 64)
      return vegas
    }

    /// The first baseline took 105 ms, and is doubted after twice as long: with the third window.
    static func probing() -> Vegas {
      var vegas = Vegas.measured()
      for inFlight in [16, 20, 24] { vegas.succeed(100, inFlight: inFlight) }
      return vegas
    }
  }

  @Test("the first baseline is the mean of four rounds at the initial limit, after two rounds")
  func firstBaseline() {
    var vegas = Vegas()
    vegas.succeed(9, latency: 500)
    vegas.succeed(32, latency: 3)
    vegas.succeed(63)
    #expect(vegas.feedback.baseline == nil)
    vegas.succeed(1)
    #expect(vegas.feedback.baseline == 10_000_000)
    #expect(vegas.feedback.limit == 16)
  }

  @Test("a window is four rounds, 20 calls and 100 ms at least")
  func window() {
    var vegas = Vegas.measured()
    // After a change of the limit a round is passed over, but its time counts.
    vegas.succeed(99)
    #expect(vegas.feedback.limit == 16)
    #expect(vegas.feedback.observed == nil)
    vegas.succeed(1)
    #expect(vegas.feedback.value == 20)
    #expect(vegas.feedback.observed == 10_000_000)
  }

  @Test("no growth while less than half of the limit is in use")
  func unused() {
    var vegas = Vegas.measured()
    vegas.succeed(500, inFlight: 7)
    #expect(vegas.feedback.value == 16)
  }

  @Test("a single fast call is no baseline, and a single slow one no queue")
  func outliers() {
    var vegas = Vegas.measured()
    vegas.succeed(50)
    vegas.succeed(1, latency: 0)
    vegas.succeed(1, latency: 100)
    vegas.succeed(48)
    #expect(vegas.feedback.baseline == 10_000_000)
    #expect(vegas.feedback.value == 20)
  }

  @Test("a probe lowers the limit to a quarter; its mean is the new baseline, also a higher one")
  func probe() {
    var vegas = Vegas.probing()
    #expect(vegas.feedback.limit == 7)
    // Fourteen of them began under the old limit, and as many more are passed over.
    vegas.succeed(14, latency: 15, inFlight: 7)
    vegas.succeed(14, latency: 1, inFlight: 7)
    vegas.succeed(99, latency: 15, inFlight: 7)
    #expect(vegas.feedback.limit == 7)
    vegas.succeed(1, latency: 15, inFlight: 7)
    #expect(vegas.feedback.baseline == 15_000_000)
    #expect(vegas.feedback.limit == 29)
  }

  @Test("a probe that finds too few calls is given up, and the baseline stays")
  func patience() {
    var vegas = Vegas.probing()
    vegas.succeed(14, latency: 15, inFlight: 7)
    vegas.now += 29_985 * Self.millisecond
    vegas.succeed(1, latency: 15, inFlight: 7)
    #expect(vegas.feedback.limit == 29)
    #expect(vegas.feedback.baseline == 10_000_000)
  }

  @Test(
    "the next probe comes after its interval, or 25 times as long as the last one took",
    arguments: [(1, 29_999, 34), (1, 30_000, 8), (100, 284_999, 34), (100, 285_000, 8)])
  func interval(apart: Int64, milliseconds: Int64, expected: Int) {
    var vegas = Vegas.probing()
    let start = vegas.now
    while vegas.feedback.limit == 7 {
      vegas.now += (apart - 1) * Self.millisecond
      vegas.succeed(1, inFlight: 7)
    }
    #expect(vegas.now == start + (apart == 1 ? 123 : 11_400) * Self.millisecond)
    let end = vegas.now
    vegas.succeed(29 + 4 * 29 - 1, inFlight: 29)
    #expect(vegas.feedback.limit == 29)
    vegas.now = end + (milliseconds - 1) * Self.millisecond
    vegas.succeed(1, inFlight: 29)
    #expect(vegas.feedback.limit == expected)
  }

  @Test("a limit that has come down to half is measured anew at once")
  func halved() {
    var vegas = Vegas.probing()
    vegas.succeed(9 + 14 + 100, inFlight: 7)
    #expect(vegas.feedback.limit == 29)
    // 22 of 29 wait.
    var limits: [Int] = []
    vegas.succeed(29, latency: 40, inFlight: 29)
    for _ in 0..<5 {
      vegas.succeed(4 * 29, latency: 40, inFlight: 29)
      limits.append(vegas.feedback.limit)
    }
    #expect(limits == [23, 19, 14, 10 / 4, 10 / 4])
  }

  @Test("overload lowers the limit by 0.7 as in AIMD, and begins a new window")
  func drop() {
    var vegas = Vegas.measured()
    vegas.succeed(50, latency: 1000)
    vegas.feedback.drop(latency: 0, at: vegas.now)
    vegas.feedback.drop(latency: 0, at: vegas.now)
    #expect(vegas.feedback.value == 16 * 0.7)
    vegas.succeed(100, inFlight: 11)
    #expect(vegas.feedback.observed == 10_000_000)
  }
}
