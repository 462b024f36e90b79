import ResilienceTesting
import Testing

@testable import Resilience

@Suite("The decisions of a bulkhead, against a plain list", .timeLimit(.minutes(20)))
struct BulkheadModelTests {
  typealias Core = Bulkhead.Core<Int>

  /// The core and the list, on the same way.
  private struct Walk {
    private let clock = VirtualClock()
    private let source: TimeSource
    private var dice: Dice
    private var core: Core
    private var naive: NaiveBulkhead
    private var numbers = 0
    /// All who ever waited, the latest of them: most have left long ago.
    private var places: [(number: Int, place: Core.Place, until: Int64)] = []

    init(capacity: Int, order: Bulkhead.Order, seed: UInt64) {
      source = TimeSource(clock)
      dice = Dice(seed: seed)
      core = Core(limit: 2, capacity: capacity, order: order.kind)
      naive = NaiveBulkhead(limit: 2, capacity: capacity, order: order)
    }

    var totals: Bulkhead.Totals { naive.totals }

    mutating func step() {
      switch roll(100) {
      case 0..<38: arrive()
      case 38..<45: enter()
      case 45..<68: leave()
      case 68..<78: cancel()
      case 78..<84: expire()
      case 84..<87: resize()
      default: clock.advance(by: .microseconds(roll(roll(10) == 0 ? 60_000 : 2_000)))
      }
      // Nobody waits while there is room.
      let isSound =
        core.inFlight == naive.inFlight && core.limit == naive.limit
        && core.waiting == naive.waiting.count && core.totals == naive.totals
        && (core.waiting == 0 || core.inFlight >= core.limit)
      if !isSound { Issue.record("\(core) is not \(naive)") }
    }

    private mutating func roll(_ sides: Int) -> Int { Int.random(in: 0..<sides, using: &dice) }

    private mutating func arrive() {
      numbers += 1
      let number = numbers
      let urgency = UInt8(roll(4))
      let patience = patience()
      let now = source.now()
      let reason: BulkheadFullError.Reason =
        patience.isDeadline ? .deadlineExpired : .waitedTooLong
      let arrival = core.arrive(
        patience, urgency: naive.order == .priority ? urgency : 0, at: now
      ) { number }
      let (expected, endings) = naive.arrive(
        number, urgency: urgency, until: patience.instant, reason: reason, at: now)
      switch arrival {
      case .entered: #expect(expected == .entered)
      case .refused(let reason): #expect(expected == .refused(reason))
      case .queued(let place, let caller, let until, let waiting):
        #expect(caller == number)
        #expect(expected == .queued(until: until, waiting: waiting))
        places.append((number, place, until))
        if places.count > 40 { places.removeFirst() }
      }
      compare(endings)
    }

    /// Within the bulkhead's patience or a deadline's, which may have passed.
    private mutating func patience() -> WaitLimit {
      let maxWait = Int64(roll(80) + 1) * 1_000_000
      guard roll(3) == 0 else { return WaitLimit(maxWait, on: source) }
      let deadline = Deadline(in: .milliseconds(roll(60)), clock: clock)
      return Deadline.taskLocal.withValue(deadline) { WaitLimit(maxWait, on: source) }
    }

    private mutating func enter() {
      let (entered, expected) = (core.enter(), naive.enter())
      #expect(entered == expected)
    }

    private mutating func leave() {
      guard naive.inFlight > 0 else { return }
      core.leave(at: source.now())
      compare(naive.leave(at: source.now()))
    }

    private mutating func cancel() {
      guard let (number, place, _) = places.randomElement(using: &dice) else { return }
      core.end(place, .cancelled, at: source.now())
      compare(naive.cancel(number, at: source.now()))
    }

    /// A timer fires: some are late, some never come.
    private mutating func expire() {
      let now = source.now()
      guard let (number, place, _) = places.first(where: { $0.until <= now }) else { return }
      core.expire(place, at: now)
      compare(naive.expire(number, at: now))
      places.removeAll { $0.number == number }
    }

    private mutating func resize() {
      let limit = 1 + roll(4)
      core.resize(to: limit, at: source.now())
      compare(naive.resize(to: limit, at: source.now()))
    }

    private mutating func compare(_ expected: [NaiveBulkhead.Ending]) {
      let endings = core.takeEndings().map {
        NaiveBulkhead.Ending(number: $0.caller, verdict: $0.verdict, waited: $0.waited)
      }
      // Not `#expect`, which takes its time.
      if endings != expected { Issue.record("\(endings) are not \(expected)") }
    }
  }

  @Test(
    "BH-2, BH-3, BH-4: whatever comes, leaves, is cancelled, is late or changes the limit",
    arguments: [Bulkhead.Order.fifo, .newestFirst, .priority], [0, 1, 8])
  func walk(order: Bulkhead.Order, capacity: Int) {
    var totals: [Bulkhead.Totals] = []
    for seed in 1...4 {
      var walk = Walk(capacity: capacity, order: order, seed: UInt64(seed))
      for _ in 0..<15_000 { walk.step() }
      totals.append(walk.totals)
    }
    // All of it has happened.
    let enough = capacity == 1 ? 5 : 50
    let least = totals.map { totals in
      capacity == 0
        ? totals.full
        : min(
          totals.waited, totals.cancelled, totals.deadlineExpired,
          order == .newestFirst ? totals.dropped : totals.full)
    }
    #expect(least.allSatisfy { $0 > enough })
    #expect(totals.allSatisfy { (capacity > 0) == ($0.waitedTooLong > enough) })
    #expect(totals.allSatisfy { (capacity > 0 && order != .fifo) == ($0.dropped > enough) })
  }

  @Test("BH-2: 100 000 waiters of 200 priorities leave in order, from wherever they stand")
  func manyWaiters() {
    var core = Core(limit: 1, capacity: 100_000, order: .priority)
    let entered = core.enter()
    #expect(entered)
    let patience = WaitLimit(.max, on: TimeSource(VirtualClock()))
    var places: [Core.Place] = []
    for number in 0..<100_000 {
      let arrival = core.arrive(patience, urgency: UInt8(number % 200), at: 0) { number }
      if case .queued(let place, _, _, _) = arrival { places.append(place) }
    }
    // Every third one gives up, and never comes back.
    for number in stride(from: 0, to: 100_000, by: 3) {
      core.end(places[number], .cancelled, at: 1)
    }
    let left = core.takeEndings()
    #expect(left.allSatisfy { $0.verdict == .cancelled && $0.caller % 3 == 0 })
    while core.waiting > 0 { core.leave(at: 2) }
    let served = core.takeEndings().map(\.caller)
    let expected = (0..<100_000).filter { $0 % 3 != 0 }
      .sorted { ($1 % 200, $0) < ($0 % 200, $1) }
    #expect(served == expected)
    #expect(core.inFlight == 1)
  }
}
