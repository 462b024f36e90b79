import Testing

@testable import Resilience

@Suite("The ages of calls in flight")
struct CallAgesTests {
  typealias Tally = CircuitBreaker.CallAges.Tally

  /// What the buckets stand for: every call with its start.
  private struct NaiveAges {
    var calls: [(start: Int64, isSinceSuccess: Bool)] = []

    func count(longerThan limit: Int64, at now: Int64) -> Tally {
      let over = calls.filter { now - $0.start > limit }
      return Tally(all: over.count, sinceSuccess: over.count { $0.isSinceSuccess })
    }

    mutating func succeed() {
      for place in calls.indices { calls[place].isSinceSuccess = false }
    }
  }

  static let limits: [Int64] = [1, 2, 7, 8, 9, 15, 16, 17, 100, 800, 1_000_003]

  @Test(
    "CB-16: a call is over the limit by nine eighths of it, and never before it",
    arguments: limits, UInt64(1)...8)
  func isWithinAnEighth(limit: Int64, seed: UInt64) {
    walk(limit, seed, grid: 1) { counted, naive, now in
      let (least, most) = (
        naive.count(longerThan: limit + (limit + 7) / 8, at: now),
        naive.count(longerThan: limit, at: now)
      )
      return least.all <= counted.all && counted.all <= most.all
        && least.sinceSuccess <= counted.sinceSuccess && counted.sinceSuccess <= most.sinceSuccess
    }
  }

  @Test(
    "CB-16: calls that start an eighth of the limit apart or together are counted exactly",
    arguments: limits, UInt64(1)...8)
  func isExactOnTheGrid(limit: Int64, seed: UInt64) {
    walk(limit, seed, grid: (limit + 7) / 8) { counted, naive, now in
      counted == naive.count(longerThan: limit, at: now)
    }
  }

  /// Starts, ends, successes and pauses at random, comparing after each.
  private func walk(
    _ limit: Int64, _ seed: UInt64, grid: Int64,
    agrees: (_ counted: Tally, _ naive: NaiveAges, _ now: Int64) -> Bool
  ) {
    var dice = Dice(seed: seed)
    var ages = CircuitBreaker.CallAges(limit: limit)
    var naive = NaiveAges()
    var now: Int64 = 0
    var mostOver = 0
    for step in 0..<2_000 {
      switch Int.random(in: 0..<100, using: &dice) {
      case ..<40: now += .random(in: 0...max(1, limit / 16), using: &dice)
      case ..<45: now += .random(in: 0...limit * 2, using: &dice)
      case ..<75:
        now += (grid - now % grid) % grid
        ages.start(at: now)
        naive.calls.append((now, true))
      case ..<99:
        guard let place = naive.calls.indices.randomElement(using: &dice) else { continue }
        let call = naive.calls.remove(at: place)
        ages.end(startedAt: call.start, isSinceSuccess: call.isSinceSuccess)
      default:
        ages.succeed()
        naive.succeed()
      }
      let counted = ages.overLimit(at: now)
      mostOver = max(mostOver, counted.sinceSuccess)
      guard agrees(counted, naive, now), ages.buckets <= CircuitBreaker.CallAges.mostBuckets else {
        Issue.record("step \(step), at \(now): \(counted), \(ages)\ninstead of \(naive)")
        return
      }
    }
    #expect(mostOver > 3)
  }

  @Test("CB-16: 100 000 calls that hang take nine buckets, and leave nothing when they end")
  func memoryIsBounded() {
    let limit: Int64 = 500_000_000
    var ages = CircuitBreaker.CallAges(limit: limit)
    var most = 0
    for number in 0..<Int64(100_000) {
      ages.start(at: number * 1_000_000)
      most = max(most, ages.buckets)
    }
    #expect(most == CircuitBreaker.CallAges.mostBuckets)
    let end: Int64 = 100_000 * 1_000_000
    #expect(ages.overLimit(at: end + limit) == Tally(all: 100_000, sinceSuccess: 100_000))
    ages.succeed()
    #expect(ages.overLimit(at: end + limit) == Tally(all: 100_000))
    for number in 0..<Int64(100_000) {
      ages.end(startedAt: number * 1_000_000, isSinceSuccess: false)
    }
    #expect(ages.overLimit(at: end + limit) == Tally())
  }

  @Test("CB-16: at the ends of 64 bits nothing overflows")
  func endsOfTime() {
    var longest = CircuitBreaker.CallAges(limit: .max)
    longest.start(at: .min)
    #expect(longest.overLimit(at: .max) == Tally())
    var shortest = CircuitBreaker.CallAges(limit: 1)
    shortest.start(at: .min)
    shortest.start(at: .max)
    #expect(shortest.overLimit(at: .max) == Tally(all: 1, sinceSuccess: 1))
  }
}
