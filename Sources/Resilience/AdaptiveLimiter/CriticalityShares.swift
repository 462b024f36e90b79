extension AdaptiveLimiter {
  /// How much of the limit a call may use, by its criticality.
  ///
  /// A quarter is kept free for each higher level, so that what matters more finds room without
  /// waiting for what matters less to end; but only while that level calls, so that nothing is
  /// wasted on callers that do not exist.
  struct CriticalityShares: Sendable {
    /// How long after its last call a level is thought of.
    static let memory: Int64 = 10_000_000_000

    private var lastNormal: Int64?
    private var lastCritical: Int64?

    /// A call has come, whether it is admitted or not.
    mutating func note(_ criticality: Criticality, at now: Int64) {
      switch criticality {
      case .sheddable: break
      case .normal: lastNormal = now
      case .critical: lastCritical = now
      }
    }

    /// How many calls may be in flight for one more of this criticality to pass: at least 1.
    func usable(of limit: Int, by criticality: Criticality, at now: Int64) -> Int {
      max(1, limit * (4 - quartersKept(from: criticality, at: now)) / 4)
    }

    private func quartersKept(from criticality: Criticality, at now: Int64) -> Int {
      switch criticality {
      case .critical: 0
      case .normal: isRecent(lastCritical, at: now) ? 1 : 0
      case .sheddable:
        (isRecent(lastNormal, at: now) ? 1 : 0) + (isRecent(lastCritical, at: now) ? 1 : 0)
      }
    }

    private func isRecent(_ call: Int64?, at now: Int64) -> Bool {
      call.map { now.subtractingSaturated($0) < Self.memory } ?? false
    }
  }
}
