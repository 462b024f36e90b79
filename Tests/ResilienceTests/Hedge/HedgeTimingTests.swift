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
    #expect(timing.delay == 18)
    for latency in 21...30 { _ = timing.add(Int64(latency)) }
    #expect(timing.delay == 28)
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
    Self.add(1000, times: 50, to: &timing)
    #expect(timing.median == 1000 && timing.usual == 1000)
    #expect(Self.add(2500, times: 60, to: &timing) == [])
    #expect(timing.median == 2501)
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
    Self.add(Self.millisecond, times: 50, to: &timing)
    let before = Double(timing.usual ?? 0)
    #expect(Self.add(Self.second, times: 50, to: &timing) == [.paused])
    // Three of these five looks have found a long median.
    #expect((Double(timing.usual ?? 0) / before - 1.0015).magnitude < 0.0001)
    var looks = 3
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
    Self.add(Self.second, times: 50, to: &timing)
    Self.add(Self.millisecond, times: 50, to: &timing)
    #expect(timing.usual.map { LatencyWindowTests.isClose($0, Self.millisecond) } == true)
  }

  @Test("HG-4: medians below a microsecond are the clock's, and pause nothing")
  func least() {
    var timing = Timing(.fixed(.zero))
    Self.add(0, times: 50, to: &timing)
    #expect(Self.add(2_500, times: 50, to: &timing).count <= 1)
    #expect(timing.usual.map { $0 >= Timing.leastMedian } == true)
    Self.add(2_000, times: 50, to: &timing)
    #expect(!timing.isPaused)
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
