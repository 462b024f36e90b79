import Testing

@testable import Resilience

/// A core that trips at each failure, so that its openings follow each other quickly.
private struct Opener {
  private(set) var core: CircuitBreaker.Core
  private(set) var now: Int64 = 0

  init(
    _ openFor: CircuitBreaker.OpenDuration, maxRetryAfter: Duration = .seconds(30),
    seed: UInt64 = 1
  ) {
    let recovery = CircuitBreaker.Recovery(
      openFor: openFor, probation: .zero, maxRetryAfter: maxRetryAfter)
    core = CircuitBreaker.Core(
      .init(.init(tripping: .consecutiveFailures(1), over: .sinceTransition, recovery: recovery)),
      seed: seed, at: 0)
  }

  /// Lets a call end, at the end of an open period if there is one.
  ///
  /// - Returns: the length of the open period that followed, if one did.
  @discardableResult
  mutating func call(
    _ outcome: Outcome, after idle: Int64 = 0, retryAfter: Int64 = 0
  ) -> Int64? {
    if core.state == .open { now = core.incident.openUntil }
    now += idle
    guard case .admitted(let call) = core.admit(at: now) else { return nil }
    _ = core.record(.init(outcome: outcome, retryAfter: retryAfter), of: call, at: now)
    return core.state == .open ? core.incident.openUntil - now : nil
  }

  mutating func trip(for length: Int64?) -> Int64 {
    core.trip(for: length, at: now)
    return core.incident.openUntil - now
  }

  mutating func reset() { core.reset(at: now) }

  mutating func failures(_ count: Int) -> [Int64] { (0..<count).compactMap { _ in call(.failure) } }
}

@Suite("How long a circuit stays open (CB-18)")
struct OpenDurationTests {
  private static let second: Int64 = 1_000_000_000
  private static let doubling = CircuitBreaker.OpenDuration.exponential(
    from: .seconds(1), factor: 2, cap: .seconds(5), jitter: 0)

  // MARK: - The series

  @Test("CB-18: a constant open period is the same each time")
  func constant() {
    var opener = Opener(.constant(.milliseconds(30)))
    #expect(opener.failures(5) == Array(repeating: 30_000_000, count: 5))
  }

  @Test("CB-18: an exponential open period grows by its factor up to its cap")
  func exponential() {
    var opener = Opener(Self.doubling)
    #expect(opener.failures(6) == [1, 2, 4, 5, 5, 5].map { $0 * Self.second })
    #expect(opener.core.totals.trips == 1)
    #expect(opener.core.totals.reopenings == 5)
  }

  @Test("CB-18: the default is 0.5 s, a fifth longer each time, 2 s at most")
  func defaultSeries() {
    var opener = Opener(
      .exponential(from: .milliseconds(500), factor: 1.2, cap: .seconds(2), jitter: 0))
    let expected = [500, 600, 720, 864, 1036.8, 1244.16, 1492.992, 1791.5904, 2000, 2000]
    #expect(opener.failures(10) == expected.map { Int64(($0 * 1e6).rounded()) })
  }

  @Test(
    "CB-18: the series goes on if the circuit was closed for a nanosecond less than it was open")
  func seriesGoesOn() {
    var opener = Opener(Self.doubling)
    _ = opener.failures(2)
    opener.call(.success)
    #expect(opener.core.state == .closed)
    #expect(opener.call(.failure, after: 2 * Self.second - 1) == 4 * Self.second)
  }

  @Test("CB-18: the series starts anew once the circuit was closed for as long as it was last open")
  func seriesStartsAnew() {
    var opener = Opener(Self.doubling)
    _ = opener.failures(2)
    opener.call(.success)
    #expect(opener.call(.failure, after: 2 * Self.second) == Self.second)
    #expect(opener.call(.failure) == 2 * Self.second)
  }

  @Test("CB-19: reset() starts the series anew at once")
  func resetStartsAnew() {
    var opener = Opener(Self.doubling)
    _ = opener.failures(3)
    opener.reset()
    #expect(opener.call(.failure) == Self.second)

    // Also on a circuit that has closed by itself.
    _ = opener.failures(2)
    opener.call(.success)
    opener.reset()
    #expect(opener.call(.failure) == Self.second)
  }

  @Test("CB-19: trip(for:) is the next opening of the series, with its own length")
  func tripTakesPlace() {
    var opener = Opener(Self.doubling)
    #expect(opener.trip(for: 7) == 7)
    #expect(opener.trip(for: nil) == 2 * Self.second)
    #expect(opener.trip(for: 0) == 0)
    #expect(opener.call(.failure) == 5 * Self.second)
  }

  // MARK: - Jitter

  @Test(
    "CB-18: jitter spreads open periods evenly over its range, and no mass sits on the cap",
    arguments: [0.1, 0.5, 0.999])
  func jitter(_ jitter: Double) {
    let count = 2_000
    var opener = Opener(
      .exponential(from: .seconds(1), factor: 3, cap: .seconds(9), jitter: jitter), seed: 18)
    let lengths = opener.failures(count + 2)
    let early = zip(lengths, [1e9, 3e9])
    #expect(early.allSatisfy { abs(Double($0) / $1 - 1) <= jitter })

    // From the third on the cap holds; as shares of their range they are uniform.
    let shares = lengths.dropFirst(2).map { (Double($0) / 9e9 - 1 + jitter) / (2 * jitter) }
      .sorted()
    #expect(shares.count == count)
    #expect(shares.allSatisfy { -1e-9...1 + 1e-9 ~= $0 })
    #expect(Set(shares).count > count - 3)
    let mean = shares.reduce(0, +) / Double(count)
    #expect(abs(mean - 0.5) < 0.02)
    // Kolmogorov and Smirnov: 1.63 / √n is the distance that one sample in a hundred exceeds.
    let distance = shares.enumerated().map { place, share in
      max(share - Double(place) / Double(count), Double(place + 1) / Double(count) - share)
    }.max()
    #expect(distance.map { $0 < 1.63 / Double(count).squareRoot() } == true)
  }

  @Test("X-3: a seed repeats the jitter, and another seed does not")
  func seeds() {
    let openFor = CircuitBreaker.OpenDuration.constant(.seconds(1), jitter: 0.1)
    var (first, again, other) = (
      Opener(openFor, seed: 5), Opener(openFor, seed: 5), Opener(openFor, seed: 6)
    )
    let lengths = first.failures(20)
    #expect(lengths == again.failures(20))
    #expect(lengths != other.failures(20))
  }

  @Test("CB-18: jitter never makes an open period of nothing")
  func jitterLeavesSomething() {
    var opener = Opener(.constant(.nanoseconds(1), jitter: 0.999))
    #expect(opener.failures(200).allSatisfy { 1...2 ~= $0 })
  }

  // MARK: - What a server asks for

  @Test(
    "CB-18: a retryAfter lengthens the open period, never shortens it, and is clamped",
    arguments: [
      (Int64.min, 1.0), (-5, 1), (0, 1), (999_999_999, 1), (1_500_000_000, 1.5),
      (4_000_000_000, 4), (4_000_000_001, 4), (365 * 86_400_000_000_000, 4), (.max, 4),
    ])
  func retryAfter(hint: Int64, seconds: Double) {
    var opener = Opener(Self.doubling, maxRetryAfter: .seconds(4))
    let expected = Int64(seconds * 1e9)
    #expect(opener.call(.failure, retryAfter: hint) == expected)
    // On a failed probe as well, and the series does not notice.
    #expect(opener.call(.failure, retryAfter: hint) == max(expected, 2 * Self.second))
    #expect(opener.call(.failure) == 4 * Self.second)
  }

  @Test("CB-18: an open period longer than the longest hint stays as it is")
  func longerThanHints() {
    var opener = Opener(.constant(.seconds(60)), maxRetryAfter: .seconds(30))
    #expect(opener.call(.failure, retryAfter: .max) == 60 * Self.second)
  }

  @Test("CB-18: with a longest hint of zero hints are ignored")
  func ignoresHints() {
    var opener = Opener(Self.doubling, maxRetryAfter: .zero)
    #expect(opener.call(.failure, retryAfter: .max) == Self.second)
  }

  @Test("CB-18: the open period that a hint lengthened is the one to stay closed for")
  func hintCountsForSeries() {
    for (closedFor, next) in [
      (4 * Self.second - 1, 2 * Self.second), (4 * Self.second, Self.second),
    ] {
      var opener = Opener(Self.doubling)
      opener.call(.failure, retryAfter: 4 * Self.second)
      opener.call(.success)
      #expect(opener.call(.failure, after: closedFor) == next)
    }
  }

  // MARK: - Extremes

  private static let extremes: [Duration] = [
    Duration(attoseconds: .max), .seconds(Int64.max), .nanoseconds(Int64.max),
  ]

  @Test(
    "An open period beyond 292 years is held at that and does not stop the program",
    arguments: extremes)
  func longest(duration: Duration) {
    for openFor in [
      CircuitBreaker.OpenDuration.constant(duration), .constant(duration, jitter: 0.999),
      .exponential(from: duration, factor: 1e300, cap: duration, jitter: 0),
      .exponential(
        from: .nanoseconds(1), factor: .greatestFiniteMagnitude, cap: duration, jitter: 0),
    ] {
      var opener = Opener(openFor, maxRetryAfter: duration)
      opener.call(.failure)
      _ = opener.trip(for: nil)
      #expect(opener.trip(for: nil) > 0)
      var reset = Opener(openFor, maxRetryAfter: duration)
      #expect(reset.call(.failure, retryAfter: .max) == .max)
      #expect(reset.core.state(at: .max - 1) == .open)
    }
  }

  @Test(
    "An open period that begins late and lasts for ever ends at the end of time",
    arguments: extremes)
  func endsAtTheEnd(duration: Duration) {
    var opener = Opener(.constant(duration))
    let late = Int64.max / 2
    #expect(opener.call(.failure, after: late) == Int64.max - late)
    #expect(opener.core.state(at: .max - 1) == .open)
  }

  @Test("An open period shorter than a nanosecond lasts one")
  func shortest() {
    var opener = Opener(.constant(Duration(attoseconds: 1)))
    #expect(opener.call(.failure) == 1)
  }

  @Test(
    "CB-19: trip(for:) takes any duration",
    arguments: extremes + [.zero, .seconds(-5), .seconds(Int64.min)])
  func tripsForAnything(duration: Duration) {
    let clock = SteppedClock()
    let breaker = CircuitBreaker("any", clock: clock)
    breaker.trip(for: duration)
    #expect(breaker.state == (duration > .zero ? .open : .halfOpen))
    clock.advance(by: .seconds(86_400 * 365))
    #expect(breaker.state == (duration > .zero ? .open : .halfOpen))
    #expect(breaker.admitsCall == (duration <= .zero))
  }

  @Test(
    "Seconds and milliseconds take any number",
    arguments: [1e300, .infinity, .greatestFiniteMagnitude])
  func anyNumber(count: Double) {
    let longest = CircuitBreaker.OpenDuration.constant(.clamping(seconds: .infinity))
    #expect(CircuitBreaker.OpenDuration.seconds(count) == longest)
    #expect(CircuitBreaker.OpenDuration.milliseconds(count) == longest)
    #expect(throws: ConfigurationError.self) {
      try CircuitBreaker.Configuration(recovery: .init(openFor: .seconds(-count))).validate()
    }
    #expect(throws: ConfigurationError.self) {
      try CircuitBreaker.Configuration(recovery: .init(openFor: .seconds(.nan))).validate()
    }
  }
}
