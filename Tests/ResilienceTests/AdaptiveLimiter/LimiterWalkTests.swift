import Testing

@testable import Resilience

@Suite("AC-1: any sequence of calls")
struct LimiterWalkTests {
  typealias Algorithm = AdaptiveLimiter.Algorithm

  static let algorithms: [Algorithm] = [
    .aimd(maximum: 30), .aimd(initial: 1, maximum: 1),
    .aimd(maximum: 9, backoff: 0.01, cooldown: .zero),
    .vegas(maximum: 30),
    .vegas(initial: 30, maximum: 30, window: .zero, probeInterval: .nanoseconds(1)),
    .vegas(initial: 1, maximum: 2), .gradient(maximum: 30),
    .gradient(
      tolerance: 10, initial: 3, maximum: 30, window: .zero, probeInterval: .milliseconds(1)),
  ]

  /// Calls that take anything from nothing to for ever, and end in every way.
  private struct Walk {
    var core: AdaptiveLimiter.Core
    var dice: Dice
    var now: Int64 = 0
    var starts: [Int64] = []
    var admitted = 0
    var refused = 0

    init(_ algorithm: Algorithm, seed: UInt64) {
      core = AdaptiveLimiter.Core(algorithm, at: 0)
      dice = Dice(seed: seed)
    }

    mutating func step() {
      let length = Int64.random(in: 0..<(1 << Int64.random(in: 0..<40, using: &dice)), using: &dice)
      if Int.random(in: 0..<3, using: &dice) == 0 { now = now.addingSaturated(length) }
      if Int.random(in: 0..<10_000, using: &dice) == 0 { now = .max }
      if starts.isEmpty || Bool.random(using: &dice) { begin() } else { end() }
    }

    private mutating func begin() {
      let before = core.inFlight
      let criticality = Criticality.allCases.randomElement(using: &dice) ?? .normal
      guard let reason = core.admit(criticality, at: now) else {
        admitted += 1
        starts.append(now)
        #expect(before < core.limit)
        return
      }
      refused += 1
      if reason == .limitReached { #expect(before >= core.limit) }
      if reason == .shed { #expect(before < core.limit && criticality != .critical) }
      #expect(before > 0)
    }

    private mutating func end() {
      let start = starts.remove(at: Int.random(in: starts.indices, using: &dice))
      let endings: [AdaptiveLimiter.Ending] = [.success, .success, .success, .overload, .other]
      let ending = endings.randomElement(using: &dice) ?? .other
      let before = core.limit
      let change = core.end(ending, startedAt: start, at: now)
      #expect((change?.from ?? before) == before && (change?.to ?? before) == core.limit)
      #expect((change != nil) == (before != core.limit))
      if ending == .other { #expect(change == nil) }
    }
  }

  @Test(
    "the limit stays in 1...maximum, every change is told, and every call is counted once",
    arguments: algorithms, [1, 2] as [UInt64])
  func bounds(algorithm: Algorithm, seed: UInt64) {
    var walk = Walk(algorithm, seed: seed)
    for _ in 0..<4_000 {
      walk.step()
      let isSound =
        (1...algorithm.maximum).contains(walk.core.limit) && walk.core.inFlight == walk.starts.count
      if !isSound { Issue.record("\(walk.core)") }
    }
    let totals = walk.core.totals
    #expect(totals.rejected == walk.refused)
    let ended = totals.successes + totals.overloads + totals.others
    #expect(ended + walk.starts.count == walk.admitted)
    #expect(totals.overloads > 100 && totals.limitReached > 100)
  }
}
