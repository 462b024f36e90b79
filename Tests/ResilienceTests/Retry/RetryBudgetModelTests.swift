import Testing

@testable import Resilience

/// A ledger that is told of each success at once, next to naive budgets that remember them all.
private struct Walk {
  static let slice: Int64 = 1_000
  static let window = 20 * slice

  var ledger: RetryBudget.Ledger
  var now: Int64
  var dice: Dice
  var grants: [Bool] = []

  /// Counts what the slices of the ledger remember: it must agree in everything.
  var sliced: NaiveBudget

  /// Counts the whole window, and one slice less: the ledger must lie between them.
  var longest: NaiveBudget
  var shortest: NaiveBudget

  init(part: Int, whole: Int, minimumCapacity: Int, seed: UInt64) {
    let start: Int64 = -12_345
    func naive(_ counts: @escaping (Int64, Int64) -> Bool) -> NaiveBudget {
      NaiveBudget(part: part, whole: whole, minimumCapacity: minimumCapacity, counting: counts)
    }
    ledger = RetryBudget.Ledger(
      .init(
        ratio: Double(part) / Double(whole), window: .nanoseconds(Self.window),
        minimumCapacity: minimumCapacity),
      at: start)
    now = start
    dice = Dice(seed: seed)
    sliced = naive { ($0 - start) / Self.slice > ($1 - start) / Self.slice - 20 }
    longest = naive { $1 - $0 < Self.window }
    shortest = naive { $1 - $0 <= Self.window - Self.slice }
  }

  mutating func step() {
    pass()
    switch Int.random(in: 0..<10, using: &dice) {
    case 0..<6: succeed()
    case 6..<9: withdraw()
    default: giveBack()
    }
    compare()
  }

  private mutating func pass() {
    switch Int.random(in: 0..<200, using: &dice) {
    case 0: now += 3 * Self.window
    case 1..<10: now += Int64.random(in: 0...Self.window, using: &dice)
    // To the end of a slice.
    case 10..<30: now += Self.slice - (now + 12_345) % Self.slice
    case 30..<80: break
    default: now += Int64.random(in: 0...300, using: &dice)
    }
  }

  private mutating func succeed() {
    ledger.absorb(successes: 1, at: now)
    sliced.succeed(at: now)
    longest.succeed(at: now)
    shortest.succeed(at: now)
  }

  private mutating func withdraw() {
    ledger.absorb(successes: 0, at: now)
    settle()
    let isGranted = ledger.withdraw()
    grants.append(isGranted)
    #expect(isGranted == (sliced.units >= sliced.whole))
    // The other two follow the ledger, which must decide as they would where they agree.
    if isGranted { #expect(longest.units >= longest.whole) }
    if !isGranted { #expect(shortest.units < shortest.whole) }
    guard isGranted else { return }
    sliced.withdraw()
    longest.withdraw()
    shortest.withdraw()
  }

  private mutating func giveBack() {
    ledger.absorb(successes: 0, at: now)
    guard ledger.givenBack < ledger.withdrawn else { return }
    ledger.giveBack()
    sliced.giveBack(at: now)
    longest.giveBack(at: now)
    shortest.giveBack(at: now)
  }

  private mutating func settle() {
    sliced.settle(at: now)
    longest.settle(at: now)
    shortest.settle(at: now)
  }

  private mutating func compare() {
    ledger.absorb(successes: 0, at: now)
    settle()
    let whole = Double(sliced.whole)
    let agrees =
      ledger.tokens == Double(sliced.units) / whole
      && ledger.capacity == Double(sliced.capacity(at: now)) / whole
      && shortest.units <= sliced.units && sliced.units <= longest.units
      && shortest.capacity(at: now) <= sliced.capacity(at: now)
      && sliced.capacity(at: now) <= longest.capacity(at: now)
    if !agrees { Issue.record("\(ledger)\n\(sliced)\nat \(now)") }
  }
}

@Suite("Retry budget: like a list of successes (RB-1, RB-3)")
struct RetryBudgetModelTests {
  @Test(
    "RB-1: a budget that is told at once decides like a list of instants, to one slice",
    arguments: [(1, 10, 1), (1, 5, 3), (1, 3, 1), (7, 100, 1), (1, 1, 2)],
    [1, 2, 3, 4] as [UInt64])
  func likeAList(settings: (part: Int, whole: Int, minimumCapacity: Int), seed: UInt64) {
    var walk = Walk(
      part: settings.part, whole: settings.whole, minimumCapacity: settings.minimumCapacity,
      seed: seed)
    for _ in 0..<2_000 { walk.step() }
    #expect(Set(walk.grants) == [true, false])
  }

  @Test(
    "RB-3: failed extra attempts ≤ ratio × successes + minimum capacity, over any run",
    arguments: [(1, 10, 1), (1, 5, 3), (1, 3, 1), (1, 1, 1)], [1, 2, 3, 4] as [UInt64])
  func bound(settings: (part: Int, whole: Int, minimumCapacity: Int), seed: UInt64) {
    let (part, whole, minimum) = settings
    var dice = Dice(seed: seed)
    var ledger = RetryBudget.Ledger(
      .init(ratio: Double(part) / Double(whole), minimumCapacity: minimum), at: 0)
    while ledger.withdraw() {}
    var (now, successes, timesAtBound) = (Int64(0), 0, 0)
    for step in 0..<20_000 {
      // Also backwards.
      now += Int64.random(in: -100_000_000...1_000_000_000, using: &dice)
      let fresh = Int.random(in: 0..<4, using: &dice)
      ledger.absorb(successes: fresh, at: now)
      successes += fresh
      for _ in 0..<4 { _ = ledger.withdraw() }
      let isGivenBack = Int.random(in: 0..<10, using: &dice) == 0
      if isGivenBack, step >= 100 { ledger.giveBack() }
      let failed = ledger.withdrawn - ledger.givenBack
      let unused = part * successes + (minimum - failed) * whole
      if unused < 0 { Issue.record("\(failed) failed of \(successes) successes") }
      if unused < whole { timesAtBound += 1 }
    }
    // It is reached as well: until the first token is given back, none is lost at the capacity.
    #expect(timesAtBound > 0)
    #expect(ledger.refused > 100)
  }

  @Test("RB-1: counts at the top, and ratios and times at the bounds, do not trap")
  func saturation() {
    let ratios = [1, 1.0.nextDown, 0.1, 1e-15, .leastNonzeroMagnitude]
    let times = [Int64.min, -1, 0, 1, .max - 1, .max]
    for ratio in ratios {
      for window in [Duration.nanoseconds(20), .seconds(10), .nanoseconds(Int64.max)] {
        for minimum in [1, Int.max] {
          for start in times {
            var ledger = RetryBudget.Ledger(
              .init(ratio: ratio, window: window, minimumCapacity: minimum), at: start)
            for time in times + [0, .min] {
              ledger.absorb(successes: .max, at: time)
              ledger.absorb(successes: .max, at: time)
              let isGranted = ledger.withdraw()
              ledger.giveBack()
              #expect(isGranted)
              #expect(ledger.tokens >= 1 && ledger.tokens <= ledger.capacity)
            }
            #expect(ledger.successes == .max)
            #expect(ledger.withdrawn == 8 && ledger.givenBack == 8 && ledger.refused == 0)
          }
        }
      }
    }
  }
}
