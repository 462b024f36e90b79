extension Hedge {
  /// Decides what follows from what becomes of the attempts of one call.
  ///
  /// The first attempt has the number 0; the hedges are numbered from 1. An attempt is *made*, then
  /// *begins*, as soon as a thread is free, then *ends*. One that is made and has not begun when the
  /// call is over never begins.
  struct Race: Hashable, Sendable {
    /// What follows from the end of an attempt.
    enum Decision: Hashable, Sendable {
      /// Nothing yet: others are under way, or a further one is owed.
      case goOn
      /// The attempt is the call's answer.
      case won
      /// No attempt has succeeded, and none is left.
      case lost
      /// The call was over before.
      case late
    }

    private let maxHedges: Int
    private var isHedging = true
    private var isFirstLive = true
    /// Hedges that were made and have not begun.
    private(set) var waiting = 0
    /// Hedges that have begun and not ended.
    private(set) var running = 0

    /// How many hedges have been made.
    private(set) var hedges = 0

    /// How many failures have not been followed by a further attempt yet, but will be.
    private(set) var owed = 0

    /// Nobody waits for an answer any more.
    private(set) var isOver = false

    init(maxHedges: Int) {
      self.maxHedges = maxHedges
    }

    /// Whether a hedge may still be made.
    var mayHedge: Bool { !isOver && isHedging && hedges < maxHedges }

    private var isEmpty: Bool { !isFirstLive && waiting == 0 && running == 0 && owed == 0 }

    /// - Returns: the number of the hedge; `nil` if none may be made.
    mutating func makeHedge() -> Int? {
      guard mayHedge else { return nil }
      hedges += 1
      waiting += 1
      owed = max(0, owed - 1)
      return hedges
    }

    /// No further hedge can be paid for, or would have the time.
    ///
    /// - Returns: `lost` if that was all there was to wait for.
    mutating func stopHedging() -> Decision {
      guard !isOver else { return .late }
      isHedging = false
      owed = 0
      return isEmpty ? end(.lost) : .goOn
    }

    /// - Returns: whether the attempt may begin.
    mutating func begin(_ attempt: Int) -> Bool {
      guard !isOver else { return false }
      if attempt > 0 {
        waiting -= 1
        running += 1
      }
      return true
    }

    mutating func end(_ attempt: Int, _ outcome: Outcome) -> Decision {
      guard !isOver else { return .late }
      if attempt > 0 { running -= 1 } else { isFirstLive = false }
      if outcome == .success { return end(.won) }
      // What is refused, or was cancelled inside, would be so again.
      if outcome == .failure, mayHedge, hedges + owed < maxHedges { owed += 1 }
      return isEmpty ? end(.lost) : .goOn
    }

    /// The caller has left.
    ///
    /// - Returns: whether the call was not over before.
    mutating func leave() -> Bool {
      guard !isOver else { return false }
      isOver = true
      return true
    }

    /// How many hedges the winner has made superfluous before they began, and itself, if it is one.
    func unspent(after winner: Int) -> Int { waiting + (winner > 0 ? 1 : 0) }

    private mutating func end(_ decision: Decision) -> Decision {
      isOver = true
      return decision
    }
  }
}
