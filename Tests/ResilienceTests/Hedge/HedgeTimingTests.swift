import Testing

@testable import Resilience

@Suite("HG-2, HG-4: the delay, and when hedging rests")
struct HedgeTimingTests {
  typealias Timing = Hedge.Timing

  static let second: Int64 = 1_000_000_000
  static let millisecond: Int64 = 1_000_000

  @discardableResult
  static func add(_ latency: Int64, times: Int, to timing: inout Timing) -> [Timing.Change] {
    (0..<times).compactMap { _ in timing.add(latency) }
  }

  @Test("HG-2: no delay is known before the minimum", arguments: [1, 5, 10, 19, 20, 100])
  func minimum(_ minimum: Int) {
    var timing = Timing(.percentile(minimum: minimum))
    Self.add(Self.millisecond, times: minimum - 1, to: &timing)
    #expect(timing.delay == nil)
    Self.add(Self.millisecond, times: 1, to: &timing)
    #expect(timing.delay.map { LatencyWindowTests.isClose($0, Self.millisecond) } == true)
  }

  @Test("HG-2: the delay is looked up at every tenth latency, among the last of the window")
  func percentile() {
    var timing = Timing(.percentile(0.9, window: 20, minimum: 10))
    for latency in 1...10 { _ = timing.add(Int64(latency)) }
    #expect(timing.delay == 9)
    for latency in 11...19 { _ = timing.add(Int64(latency)) }
    #expect(timing.delay == 9)
    _ = timing.add(20)
    #expect(timing.delay == 19)
    for latency in 21...30 { _ = timing.add(Int64(latency)) }
    #expect(timing.delay == 29)
  }

  @Test("HG-2: a fixed delay is known from the start, and stays; it is rounded up")
  func fixed() {
    var timing = Timing(.fixed(Duration(attoseconds: 1)))
    #expect(timing.delay == 1)
    Self.add(Self.second, times: 100, to: &timing)
    #expect(timing.delay == 1)
    #expect(Timing(.fixed(.zero)).delay == 0)
    #expect(Timing(.fixed(Duration(attoseconds: .max))).delay == .max)
  }

  @Test("HG-2: calls that take no time are not doubled")
  func noTime() {
    var timing = Timing(.percentile())
    Self.add(0, times: 100, to: &timing)
    #expect(timing.delay == 1)
    #expect(!timing.isPaused)
  }

  @Test("HG-4: it rests while the median is above two and a half times the usual")
  func paused() {
    var timing = Timing(.fixed(.zero))
    Self.add(1000, times: 100, to: &timing)
    #expect(timing.median == 1000 && timing.usual == 1000)
    #expect(Self.add(2490, times: 60, to: &timing) == [])
    #expect(timing.median == 2491)
    #expect(Self.add(2600, times: 60, to: &timing) == [.paused])
    #expect(timing.isPaused)
    #expect(Self.add(1000, times: 60, to: &timing) == [.resumed])
    #expect(!timing.isPaused)
  }

  @Test("HG-4: the median is that of the last 50: 25 long ones are not enough, 30 are")
  func recent() {
    var timing = Timing(.fixed(.zero))
    Self.add(2000, times: 100, to: &timing)
    #expect(Self.add(Self.second, times: 20, to: &timing) == [])
    #expect(Self.add(Self.second, times: 10, to: &timing) == [.paused])
  }

  @Test("HG-4: the usual creeps up by 0.05 % a look, so a slower dependency is hedged again")
  func creeps() {
    var timing = Timing(.fixed(.zero))
    Self.add(Self.millisecond, times: 100, to: &timing)
    let before = timing.usual
    #expect(Self.add(Self.second, times: 50, to: &timing) == [.paused])
    // Half of the last hundred are still short.
    #expect(timing.usual == before)
    var looks = 0
    while timing.isPaused {
      Self.add(Self.second, times: 10, to: &timing)
      looks += 1
    }
    // ln(1000 / 2.5) / ln(1.0005)
    #expect((11_980...11_995).contains(looks))
  }

  @Test("HG-4: the usual follows a lower median at once")
  func lower() {
    var timing = Timing(.fixed(.zero))
    Self.add(Self.second, times: 100, to: &timing)
    Self.add(Self.millisecond, times: 50, to: &timing)
    #expect(timing.usual.map { LatencyWindowTests.isClose($0, Self.millisecond) } == true)
  }

  @Test("HG-4: medians below a microsecond are the clock's, and pause nothing")
  func least() {
    var timing = Timing(.fixed(.zero))
    Self.add(0, times: 100, to: &timing)
    #expect(Self.add(2_500, times: 50, to: &timing).count <= 1)
    #expect(timing.usual.map { $0 >= Timing.leastMedian } == true)
    Self.add(2_000, times: 50, to: &timing)
    #expect(!timing.isPaused)
  }

  @Test("HG-4: what is usual is told by a hundred latencies: before that nothing rests")
  func usual() {
    var timing = Timing(.fixed(.zero))
    Self.add(1000, times: 49, to: &timing)
    #expect(Self.add(Self.second, times: 50, to: &timing) == [])
    #expect(timing.usual == nil && !timing.isPaused)
    Self.add(Self.second, times: 1, to: &timing)
    #expect(timing.usual.map { LatencyWindowTests.isClose($0, Self.second) } == true)
  }

  @Test("HG-4: a dependency that is as it always was hardly ever seems slow, whatever its luck")
  func luck() {
    var timing = Timing(.percentile())
    var dice = Dice(seed: 4)
    var rested = 0
    for _ in 0..<100_000 {
      let uniform = Double.random(in: 0..<1, using: &dice)
      _ = timing.add(Int64(Self.exponential(uniform) * 20e6))
      if timing.isPaused { rested += 1 }
    }
    #expect(rested < 1_000)
  }

  /// The quantile function of an exponential distribution of mean 1, by its series.
  static func exponential(_ uniform: Double) -> Double {
    // -ln(1 - u) = 2 artanh(u / (2 - u)), halved until the series converges fast.
    var (rest, doublings) = (1 - uniform, 0.0)
    while rest < 0.5 {
      rest *= 2
      doublings += 1
    }
    let z = (1 - rest) / (1 + rest)
    var (term, sum) = (z, 0.0)
    for power in stride(from: 1.0, to: 40, by: 2) {
      sum += term / power
      term *= z * z
    }
    return 2 * sum + doublings * 0.6931471805599453
  }

  @Test("HG-4: a call that fails after long counts as one that took long; a quick failure does not")
  func failures() {
    var timing = Timing(.percentile())
    Self.add(10 * Self.millisecond, times: 100, to: &timing)
    let before = timing.delay
    for _ in 0..<100 { #expect(timing.addFailure(after: Self.millisecond) == nil) }
    let (median, usual) = (timing.median, timing.usual)
    #expect(median == usual)
    let changes = (0..<30).compactMap { _ in timing.addFailure(after: Self.second) }
    #expect(changes == [.paused])
    // Who waits for an answer waits as long as answers take.
    #expect(timing.delay == before)
  }

  @Test("HG-4: failures before anything has succeeded tell nothing")
  func onlyFailures() {
    var timing = Timing(.percentile())
    for _ in 0..<200 { #expect(timing.addFailure(after: Self.second) == nil) }
    #expect(timing.median == nil && timing.usual == nil && timing.delay == nil)
  }

  @Test("extremes neither trap nor wedge")
  func extremes() {
    for latency in [Int64.min, -1, 0, 1, .max] {
      var timing = Timing(.percentile())
      Self.add(latency, times: 200, to: &timing)
      #expect(timing.delay.map { $0 >= 1 } == true)
      Self.add(.max, times: 200, to: &timing)
      Self.add(latency, times: 200, to: &timing)
      #expect(!timing.isPaused)
    }
  }
}
