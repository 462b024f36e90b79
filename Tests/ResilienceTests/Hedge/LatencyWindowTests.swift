import Testing

@testable import Resilience

@Suite("HG-2: the quantiles of a window of latencies")
struct LatencyWindowTests {
  /// The last latencies as they are, sorted each time.
  struct NaiveWindow {
    let capacity: Int
    var latencies: [Int64] = []

    mutating func add(_ latency: Int64) {
      latencies.append(max(0, latency))
      if latencies.count > capacity { latencies.removeFirst() }
    }

    func quantiles(_ shares: [Double]) -> [Int64] {
      let sorted = latencies.sorted()
      return shares.map { share in
        let rank = (share * Double(sorted.count) - 1e-9).rounded(.up)
        return sorted[max(1, Int(rank)) - 1]
      }
    }
  }

  static let shares = [0.001, 0.01, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.999, 1]

  static func isClose(_ value: Int64?, _ exact: Int64?) -> Bool {
    guard let value, let exact else { return value == exact }
    return value >= exact
      && Double(value.subtractingSaturated(exact)) <= Double(exact) * LatencyCode.error
  }

  @Test("a code is exact below 2048 ns, and within its error above, up to 292 years")
  func codes() {
    #expect((0..<2048).allSatisfy { LatencyCode($0).latency == $0 })
    var dice = Dice(seed: 1)
    for width in 0..<63 {
      let edge = Int64(1) << Int64(width)
      let random = (0..<100).map { _ in Int64.random(in: edge...(edge - 1 + edge), using: &dice) }
      for latency in [edge - 1, edge, edge + 1, edge - 1 + edge] + random {
        let read = LatencyCode(latency).latency
        #expect(Self.isClose(read, latency), "\(latency)")
      }
    }
    #expect(Self.isClose(LatencyCode(.max).latency, .max))
    #expect(LatencyCode(-1).latency == 0)
    #expect(LatencyCode(.min).latency == 0)
  }

  @Test("codes are in the order of the latencies")
  func order() {
    var dice = Dice(seed: 2)
    for _ in 0..<10_000 {
      let width = Int64.random(in: 0..<63, using: &dice)
      let one = Int64.random(in: 0...(1 << width), using: &dice)
      let other = Int64.random(in: 0...(1 << width), using: &dice)
      #expect(!(LatencyCode(max(one, other)) < LatencyCode(min(one, other))))
    }
  }

  @Test(
    "HG-2: what a share of calls exceeds: the k longest of n are exceeded with a chance of k / (n + 1)",
    arguments: [
      // Of a full window, and of one that fills: the second longest, until there are enough.
      (0.98, 100, 100, 99), (0.98, 100, 50, 49), (0.98, 100, 20, 19), (0.98, 100, 2, 1),
      (0.98, 100, 1, 1), (0.98, 1_000, 1_000, 981), (0.98, 1_000, 20, 19), (0.98, 1_000, 500, 491),
      // A window that is too short for such a share: the longest.
      (0.999, 100, 100, 100), (1, 100, 100, 100), (0.98, 20, 20, 20),
      (0.9, 9, 9, 9), (0.5, 100, 100, 51), (0.5, 3, 3, 2), (0.001, 10, 10, 1),
    ])
  func bound(percentile: Double, capacity: Int, count: Int, expected: Int64) {
    var window = LatencyWindow(capacity: capacity)
    #expect(window.bound(exceededBy: Ratio(percentile).complement) == nil)
    for latency in 1...count { window.add(Int64(latency)) }
    #expect(window.bound(exceededBy: Ratio(percentile).complement) == expected)
  }

  @Test("it agrees with a sorted window, whatever comes", arguments: [1, 2, 7, 50, 100, 257])
  func model(capacity: Int) {
    var dice = Dice(seed: UInt64(capacity))
    var window = LatencyWindow(capacity: capacity)
    var naive = NaiveWindow(capacity: capacity)
    #expect(window.quantile(Ratio(0.5)) == nil)
    for step in 0..<2_000 {
      // Phases of one magnitude, of all, of few different values, and of extremes.
      let latency =
        switch step / 250 % 4 {
        case 0: Int64.random(in: 1_000_000...20_000_000, using: &dice)
        case 1: Int64.random(in: 0...(1 << Int64.random(in: 0..<62, using: &dice)), using: &dice)
        case 2: Int64.random(in: 0...3, using: &dice)
        default: [Int64.min, -1, 0, 1, .max - 1, .max].randomElement(using: &dice) ?? 0
        }
      window.add(latency)
      naive.add(latency)
      #expect(window.count == naive.latencies.count)
      let agrees = zip(Self.shares, naive.quantiles(Self.shares)).allSatisfy { share, exact in
        Self.isClose(window.quantile(Ratio(share)), exact)
      }
      #expect(agrees, "step \(step)")
    }
  }

  @Test("the nearest rank: of a hundred, the 98th is the 0.98 quantile")
  func rank() {
    var window = LatencyWindow(capacity: 100)
    for latency in (1...100).reversed() { window.add(Int64(latency)) }
    let ranks = [0.01, 0.5, 0.98, 0.981, 1].map { window.quantile(Ratio($0)) }
    #expect(ranks == [1, 50, 98, 99, 100])
  }

  @Test("what has left the window is forgotten")
  func slides() {
    var window = LatencyWindow(capacity: 3)
    for latency in [1_000_000, 1, 2, 3] { window.add(Int64(latency)) }
    #expect(window.quantile(Ratio(1)) == 3)
    for _ in 0..<3 { window.add(7) }
    #expect(window.quantile(Ratio(0.001)) == 7)
  }
}
