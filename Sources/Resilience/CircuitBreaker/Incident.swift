extension CircuitBreaker {
  /// What a breaker remembers only once something other than a success or a failure has happened
  /// to it: kept apart, so that a healthy breaker stays small.
  struct Incident: Sendable {
    /// A probe that has not reported yet.
    struct Probe: Sendable {
      let number: UInt32
      let start: Int64
    }

    // The present open period, or the last one.
    var openUntil: Int64 = 0
    var lastOpenLength: Int64 = 0
    var countsAtOpening = Counts()

    /// The length of the next open period of the series, before jitter; `nil` for a new series.
    var nextOpenLength: Double?

    // Half-open.
    var probes: [Probe] = []
    var nextProbe: UInt32 = 0

    // Closed.
    var closedAt: Int64 = .min
    var probation: Probation?

    // Observing.
    var silentUntil: Int64 = .min

    /// Calls of older generations that have not ended yet.
    var olderInFlight = 0

    /// How far the clock is behind the breaker's own time, because it once stepped back.
    var clockOffset: Int64 = 0

    // Totals of the rarer kinds.
    var ignored = 0
    var slow = 0
    var rejected = 0
    var late = 0
    var trips = 0
    var reopenings = 0
  }
}
