import Testing

@testable import Resilience

@Suite("Windows (CB-7, CB-11 to CB-13)")
struct WindowTests {
  static let shapes: [(start: Int64, length: Int64, buckets: Int)] = [
    (0, 7, 3), (0, 10, 10), (5, 1_000_003, 7), (-1_000, 1_000_000_007, 10), (0, 3, 2),
    (1_000_000_000_000, 60_000_000_001, 599), (0, 1_000, 1_000),
  ]

  // MARK: - Borders of buckets

  @Test(
    "CB-11: bucket k begins at the first instant t with ⌊(t − start)·n/d⌋ = k", arguments: shapes)
  func borders(start: Int64, length: Int64, buckets: Int) {
    var tally = RollingTally<UInt32>(start: start, length: length, buckets: buckets)
    for bucket in 1...Int64(3 * min(buckets, 50)) {
      // The smallest t − start with (t − start)·n ≥ k·d.
      let border = start + (bucket * length + Int64(buckets) - 1) / Int64(buckets)
      #expect(tally.end == border)
      _ = tally.advance(to: border - 1)
      #expect(tally.end == border)
      _ = tally.advance(to: border)
    }
  }

  @Test(
    "CB-11: a result is remembered for more than n − 1 buckets and at most n", arguments: shapes)
  func history(start: Int64, length: Int64, buckets: Int) {
    let (d, n) = (length, Int64(buckets))
    for offset in [0, 1, d / n, d / n + 1, d / 2, d - 1, d, d + 1, 3 * d + d / 3] {
      var window = OutcomeWindow(.rolling(length, buckets: buckets), at: start)
      let now = start + offset
      window.advance(to: now)
      window.add(Tally(failures: 1, slow: 1))
      // It leaves when its bucket's number is n less than the present one's.
      let bucket = offset * n / d
      let gone = start + ((bucket + n) * d + n - 1) / n
      #expect(window.tally(at: gone - 1) == Tally(failures: 1, slow: 1))
      #expect(window.tally(at: gone) == Tally())
      #expect((gone - now) * n > (n - 1) * d - n)
      #expect(gone - now <= d)

      window.advance(to: gone - 1)
      #expect(window.tally(at: gone - 1) == Tally(failures: 1, slow: 1))
      window.advance(to: gone)
      #expect(window.tally(at: gone) == Tally())
    }
  }

  @Test("CB-11: rings of buckets, narrow and wide, agree with a list of results", arguments: 1...12)
  func agreesWithList(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let buckets = Int.random(in: 2...40, using: &random)
    // Half of them have buckets that need wide counters.
    let longest: Int64 = seed % 2 == 0 ? 10_000 : 10_000_000_000_000
    let length = Int64.random(in: longest / 2...longest, using: &random)
    var window = OutcomeWindow(.rolling(length, buckets: buckets), at: 0)
    var results: [(bucket: Int64, tally: Tally)] = []
    var now: Int64 = 0
    for _ in 0..<300 {
      now += .random(
        in: 0...(.random(in: 0..<10, using: &random) == 0 ? 2 : length / 20), using: &random)
      let bucket = Int64(Int128(now) * Int128(buckets) / Int128(length))
      if Bool.random(using: &random) {
        let tally = Tally(
          successes: .random(in: 0...9, using: &random),
          failures: .random(in: 0...9, using: &random),
          ignored: .random(in: 0...1, using: &random), slow: .random(in: 0...1, using: &random))
        window.advance(to: now)
        window.add(tally)
        results.append((bucket, tally))
      }
      var expected = Tally()
      for result in results where result.bucket > bucket - Int64(buckets) {
        expected.add(result.tally)
      }
      guard window.tally(at: now) == expected else {
        Issue.record("seed \(seed) at \(now): \(window.tally(at: now)) instead of \(expected)")
        return
      }
    }
  }

  // MARK: - Idling

  @Test("CB-13: 60 000 buckets catch up after a century as fast as after a minute")
  func catchesUp() {
    let minute: Int64 = 60_000_000_000
    let century: Int64 = 100 * 365 * 86_400_000_000_000
    let afterMinute = Self.timeToCatchUp(after: minute)
    let afterCentury = Self.timeToCatchUp(after: century)
    // The clock is real and the bounds generous: what is meant is that the 3 trillion milliseconds
    // of a century are not walked through one by one.
    #expect(afterCentury < afterMinute * 5)
    #if DEBUG
      #expect(afterCentury < .seconds(1))
    #else
      #expect(afterCentury < .milliseconds(10))
    #endif
  }

  @Test("CB-13: catching up with a few buckets does not cost a pass over all of them")
  func catchesUpLittle() {
    #expect(Self.timeToCatchUp(after: 2_000_000) * 20 < Self.timeToCatchUp(after: 60_000_000_000))
  }

  /// The shortest of three tries, because others use this machine too.
  private static func timeToCatchUp(after idle: Int64) -> Duration {
    var shortest = Duration.seconds(60)
    for _ in 0..<3 {
      var window = OutcomeWindow(.rolling(60_000_000_000, buckets: 60_000), at: 0)
      window.add(Tally(failures: 1, slow: 1))
      shortest = min(shortest, ContinuousClock().measure { window.advance(to: idle) })
    }
    return shortest
  }

  @Test("CB-13: after idling the window counts on where the clock is")
  func countsOnAfterIdling() {
    let year: Int64 = 365 * 86_400_000_000_000
    var window = OutcomeWindow(.rolling(10_000_000_007, buckets: 10), at: 0)
    window.add(Tally(failures: 5))
    window.advance(to: year)
    window.add(Tally(failures: 2))
    #expect(window.tally(at: year + 9_000_000_000) == Tally(failures: 2))
    #expect(window.tally(at: year + 10_000_000_007) == Tally())
  }

  // MARK: - Reading

  @Test(
    "CB-3, CB-11: a reader sees no results of a window that is over, though nobody has touched it",
    arguments: [CircuitBreaker.Window.rolling(.milliseconds(100)), .interval(.milliseconds(100))])
  func readsExpired(window: CircuitBreaker.Window) throws {
    let isRolling = window == .rolling(.milliseconds(100))
    var core = Self.core(.consecutiveFailures(100), over: window)
    for _ in 0..<10 { try Self.call(&core, .failure, at: 0) }
    #expect(core.counts(at: 0) == .init(failures: 10, consecutiveFailures: 10))
    #expect(core.counts(at: 99_999_999) == .init(failures: 10, consecutiveFailures: 10))
    // CB-12: a streak goes on whatever the window forgets; an interval ends it too.
    #expect(
      core.counts(at: 500_000_000) == .init(consecutiveFailures: isRolling ? 10 : 0))
    #expect(core.totals == .init(failures: 10))
  }

  @Test("CB-11: reading an interval that is over does not start the next one")
  func readingStartsNothing() throws {
    var core = Self.core(.consecutiveFailures(100), over: .interval(.seconds(10)))
    try Self.call(&core, .failure, at: 0)
    #expect(core.counts(at: 15_000_000_000) == .init())
    // The next interval begins at the next call, whenever somebody looked.
    try Self.call(&core, .success, at: 18_000_000_000)
    let one = CircuitBreaker.Counts(successes: 1, consecutiveSuccesses: 1)
    #expect(core.counts(at: 27_999_999_999) == one)
    #expect(core.counts(at: 28_000_000_000) == .init())
  }

  // MARK: - What windows mean

  @Test("CB-7: 100 calls a second that fail after 11 s open a circuit with a window of 10 s")
  func outlivingCalls() throws {
    var core = Self.core(
      .failureRate(0.5, minimumCalls: 40), over: .rolling(.seconds(10), buckets: 10))
    var calls: [CircuitBreaker.Admission] = []
    for tick in 0..<Int64(1_200) where core.state == .closed {
      let now = tick * 10_000_000
      if case .admitted(let call) = core.admit(at: now) { calls.append(call) }
      if tick >= 1_100 {
        _ = core.record(.init(outcome: .failure), of: calls.removeFirst(), at: now)
      }
    }
    #expect(core.state == .open)
    #expect(core.totals.failures == 40)
  }

  @Test("CB-11: five failures in a row never meet in an interval of 10 s if one comes every 3 s")
  func intervalEndsStreaks() throws {
    var interval = Self.core(.consecutiveFailures(5), over: .interval(.seconds(10)))
    var rolling = Self.core(.consecutiveFailures(5), over: .rolling(.seconds(10)))
    for tick in 0..<Int64(5) { try Self.call(&rolling, .failure, at: tick * 3_000_000_000) }
    for tick in 0..<Int64(100) { try Self.call(&interval, .failure, at: tick * 3_000_000_000) }
    #expect(interval.state == .closed)
    #expect(rolling.state == .open)
  }

  static func core(
    _ tripping: CircuitBreaker.TripCondition, over window: CircuitBreaker.Window
  ) -> CircuitBreaker.Core {
    CircuitBreaker.Core(.init(.init(tripping: tripping, over: window)), seed: 0, at: 0)
  }

  static func call(
    _ core: inout CircuitBreaker.Core, _ outcome: Outcome, at now: Int64
  ) throws {
    guard case .admitted(let call) = core.admit(at: now) else { throw CancellationError() }
    _ = core.record(.init(outcome: outcome), of: call, at: now)
  }
}

@Suite("The last n calls (CB-11)")
struct CallRingTests {
  @Test("CB-11: two bits a call remember what a list does", arguments: [1, 2, 31, 32, 33, 64, 100])
  func agreesWithList(capacity: Int) {
    var random = SplitMix64(seed: UInt64(capacity))
    var window = OutcomeWindow(.calls(capacity), at: 0)
    var list: [Tally] = []
    for step in 0..<(capacity * 6) {
      if Int.random(in: 0..<8, using: &random) == 0 {
        // Takes no place.
        window.add(Tally(ignored: 1))
      } else {
        let call = Tally(isFailure: .random(using: &random), isSlow: .random(using: &random))
        window.add(call)
        list.append(call)
      }
      var expected = Tally()
      for call in list.suffix(capacity) { expected.add(call) }
      guard window.tally(at: .max) == expected else {
        Issue.record("step \(step): \(window.tally(at: .max)) instead of \(expected)")
        return
      }
    }
  }

  @Test("CB-15: a minimum that the window can never hold is clamped to its size")
  func clampsMinimum() throws {
    var core = WindowTests.core(.failureRate(1, minimumCalls: 1_000), over: .calls(3))
    for _ in 0..<3 {
      #expect(core.state == .closed)
      try WindowTests.call(&core, .failure, at: 0)
    }
    #expect(core.state == .open)
  }
}

@Suite("Windows at the top of their counters")
struct WindowSaturationTests {
  @Test("Counters stay at the top instead of wrapping")
  func staysAtTheTop() {
    var counts = Tally(successes: .max, failures: .max, ignored: .max, slow: .max)
    counts.add(counts)
    #expect(counts == Tally(successes: .max, failures: .max, ignored: .max, slow: .max))
    counts.subtract(counts)
    #expect(counts == Tally())
    counts.subtract(Tally(successes: .max, failures: .max, ignored: .max, slow: .max))
    #expect(counts == Tally())
  }

  @Test("Buckets of 32 bits stay at the top, and what leaves is what they held")
  func narrowBuckets() {
    let top = Int(UInt32.max)
    var tally = RollingTally<UInt32>(start: 0, length: 20, buckets: 2)
    tally.add(Tally(successes: top - 1, failures: .max, ignored: top, slow: 1))
    tally.add(Tally(successes: 5, failures: 1, ignored: 1, slow: 1))
    let leaving = Tally(successes: top, failures: top, ignored: top, slow: 2)
    #expect(tally.expired(at: 20) == leaving)
    #expect(tally.advance(to: 20) == leaving)
    #expect(tally.advance(to: 40) == Tally())
  }

  @Test("Buckets of 64 bits hold what the total can", arguments: [2, 10])
  func wideBuckets(buckets: Int) {
    let length = Int64(buckets) << 32
    var window = OutcomeWindow(.rolling(length, buckets: buckets), at: 0)
    for _ in 0..<2 { window.add(Tally(successes: .max, failures: .max - 1)) }
    #expect(window.tally(at: 0) == Tally(successes: .max, failures: .max))
    window.advance(to: length)
    #expect(window.tally(at: length) == Tally())
  }

  @Test("A window of the last calls and one without end keep counting at the top")
  func otherWindows() {
    var window = OutcomeWindow(.sinceTransition, at: 0)
    for _ in 0..<2 { window.add(Tally(successes: .max, failures: .max - 1)) }
    #expect(window.tally(at: .max) == Tally(successes: .max, failures: .max))
    var counts = CircuitBreaker.Counts(successes: .max, failures: .max, ignored: 1, slow: .max)
    #expect(counts.calls == .max)
    #expect(counts.failureRate == 0.5)
    counts.successes = 0
    #expect(counts.slowCallRate == 1)
  }

  @Test(
    "Windows of 292 years neither trap nor forget",
    arguments: [OutcomeWindow.Shape.interval(.max), .rolling(.max, buckets: 2)])
  func longestWindows(shape: OutcomeWindow.Shape) {
    var window = OutcomeWindow(shape, at: 1_000)
    window.add(Tally(failures: 1))
    window.advance(to: .max - 1)
    #expect(window.tally(at: .max - 1) == Tally(failures: 1))
  }
}
