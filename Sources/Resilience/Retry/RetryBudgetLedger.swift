extension RetryBudget {
  /// Who owns how many tokens: the decision core, which has no clock and no lock.
  ///
  /// Exact, in integers: with a ratio of p/q a token is q units and a success deposits p of them.
  /// 128 bits hold them all, because no count, and neither p nor q, exceeds 2⁶³.
  struct Ledger: Sendable {
    private let ratio: Ratio
    private let minimumCapacity: Int
    private let length: Int64
    private var window: RollingTally<UInt64>
    private var units: Int128

    /// The budget's own time, which begins at zero: buckets are counted from there.
    private var time: SteadyTime

    /// Successes in the window.
    private(set) var successes = 0

    /// Tokens taken, asked for in vain, and given back: in the budget's whole life.
    private(set) var withdrawn = 0
    private(set) var refused = 0
    private(set) var givenBack = 0

    /// Between 19 and 20 twentieths of the window are remembered. None is shorter than a nanosecond,
    /// so the number of the last one there can be is a number still.
    static let slices = 20

    init(_ configuration: Configuration, at reading: Int64) {
      ratio = Ratio(configuration.ratio)
      minimumCapacity = configuration.minimumCapacity
      length = configuration.window.saturatingNanoseconds
      window = RollingTally(start: 0, length: length, buckets: Self.slices)
      time = SteadyTime(beginningAt: reading)
      units = Int128(minimumCapacity) * Int128(ratio.denominator)
    }

    /// Deposits for successes since the last time, and forgets those that have left the window:
    /// with them the capacity shrinks, and the tokens with the capacity.
    ///
    /// Nobody knows when the successes were, so they count as spread evenly over the time since.
    ///
    /// - Parameters:
    ///   - count: how many attempts succeeded since the last time.
    ///   - reading: what the clock shows.
    mutating func absorb(successes count: Int, at reading: Int64) {
      let past = time.latest
      let now = time.now(at: reading)
      if count > 0 { spread(count, over: past, now) }
      move(to: now)
      units = min(capacityInUnits, units + Int128(count) * Int128(ratio.numerator))
    }

    /// Takes a token, if there is one.
    mutating func withdraw() -> Bool {
      guard units >= token else {
        refused.increment()
        return false
      }
      units -= token
      withdrawn.increment()
      return true
    }

    /// Puts a token back, up to the capacity. One that nobody took is no token.
    mutating func giveBack() {
      guard givenBack < withdrawn else { return }
      givenBack.increment()
      units = min(capacityInUnits, units + token)
    }

    var tokens: Double { Double(units) / Double(token) }
    var capacity: Double { Double(capacityInUnits) / Double(token) }

    private var token: Int128 { Int128(ratio.denominator) }

    private var capacityInUnits: Int128 {
      max(Int128(minimumCapacity) * token, Int128(successes) * Int128(ratio.numerator))
    }
  }
}

// MARK: - The window

extension RetryBudget.Ledger {
  /// Puts successes into the slices of the window, evenly over the time from `past` to `now`; those
  /// that are older than the window into none.
  private mutating func spread(_ count: Int, over past: Int64, _ now: Int64) {
    let from = max(past, now.subtractingSaturated(length))
    let all = Portion(count: count, past: past, now: now)
    var counted = all.count(until: from)
    move(to: from)
    // A window has so many ends of slices, and one more if `from` lies on none of them.
    for _ in 0...Self.slices where window.end < now {
      let total = all.count(until: window.end)
      add(total - counted)
      counted = total
      move(to: window.end)
    }
    move(to: now)
    add(count - counted)
  }

  private mutating func move(to instant: Int64) {
    successes = max(0, successes - window.advance(to: instant).successes)
  }

  private mutating func add(_ count: Int) {
    window.add(Tally(successes: count))
    successes.add(count)
  }

  /// Successes that are spread evenly over a time.
  private struct Portion {
    let count: Int
    let past: Int64
    let now: Int64

    /// How many of them were until an instant, rounded down.
    func count(until instant: Int64) -> Int {
      guard now > past else { return 0 }
      let (elapsed, whole) = (Int128(instant) - Int128(past), Int128(now) - Int128(past))
      return Int(clamping: Int128(count) * elapsed / whole)
    }
  }
}
