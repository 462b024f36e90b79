extension CircuitBreaker {
  /// The first time after a half-open circuit closed: each failure halves the share of calls that
  /// pass, each success multiplies it by four.
  ///
  /// It is neither a cliff nor a ramp. A healthy dependency gets all calls at once; one that only
  /// seemed healthy is relieved within a few failures, without opening again.
  struct Probation: Hashable, Sendable {
    /// The share of calls that pass, in eighths: 8, 4, 2 or 1.
    private(set) var share = Self.whole
    static let whole = 8

    private var credit = 0
    private var successesAtWhole = 0
    private var failuresInRow = 0
    private var since: Int64
    private let closedAt: Int64

    init(at now: Int64) {
      since = now
      closedAt = now
    }

    /// Whether it is over because it has lasted long enough whatever happened.
    func isExhausted(at now: Int64, limit: Int64) -> Bool {
      now.subtractingSaturated(closedAt) >= limit
    }

    /// Lets calls pass evenly at the present share: every call earns the share, and passing costs
    /// a whole. No dice.
    mutating func admit() -> Bool {
      guard share < Self.whole else { return true }
      credit += share
      guard credit >= Self.whole else { return false }
      credit -= Self.whole
      return true
    }

    /// - Returns: whether the probation is over.
    mutating func succeed(at now: Int64, length: Int64) -> Bool {
      failuresInRow = 0
      guard share == Self.whole else {
        share = min(Self.whole, share * 4)
        successesAtWhole = 0
        return false
      }
      successesAtWhole += 1
      return successesAtWhole >= 2 && now.subtractingSaturated(since) >= length
    }

    mutating func fail(at now: Int64) {
      share = max(1, share / 2)
      successesAtWhole = 0
      failuresInRow += 1
      if failuresInRow >= 3 { since = now }
    }
  }
}
