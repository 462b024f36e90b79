extension Bulkhead {
  /// How long a call may wait where the newest is served first, so that under overload those who wait
  /// at the far end, and will not be served in time, are told so soon.
  ///
  /// CoDel as it is used for requests, in the form of B. Maurer, "Fail at Scale", ACM Queue 13 (8),
  /// 2015: who comes when the queue has not been empty for longer than the interval may wait for the
  /// target; who comes at any other time, for the interval. An overload of that length is no burst
  /// any more, and what can still be served in time are those who have just come.
  struct ControlledDelay: Sendable {
    /// 5 ms.
    static let target: Int64 = 5_000_000

    /// 100 ms.
    static let interval: Int64 = 100_000_000

    /// When the queue was last seen empty.
    private var emptyAt = Int64.min

    /// For how long somebody who comes now may wait.
    ///
    /// - Parameter isEmpty: whether nobody waits.
    mutating func patience(whenEmpty isEmpty: Bool, at now: Int64) -> Int64 {
      if isEmpty { emptyAt = now }
      return now.subtractingSaturated(emptyAt) > Self.interval ? Self.target : Self.interval
    }
  }
}
