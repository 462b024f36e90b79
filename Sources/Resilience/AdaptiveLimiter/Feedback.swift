extension AdaptiveLimiter {
  /// The limit, and what it learns from calls: one of the algorithms.
  enum Feedback: Sendable {
    case aimd(AIMD)
    case vegas(LatencyFeedback<Vegas>)
    case gradient(LatencyFeedback<Gradient>)

    init(_ algorithm: Algorithm, at now: Int64) {
      let (initial, maximum) = (algorithm.initial, algorithm.maximum)
      switch algorithm.kind {
      case .aimd(let backoff, let cooldown):
        self = .aimd(
          AIMD(
            initial: initial, maximum: maximum, backoff: backoff,
            cooldown: cooldown.saturatingNanoseconds))
      case .vegas(let pace):
        self = .vegas(
          LatencyFeedback(Vegas(), initial: initial, maximum: maximum, pace: pace, at: now))
      case .gradient(let tolerance, let pace):
        self = .gradient(
          LatencyFeedback(
            Gradient(tolerance: tolerance), initial: initial, maximum: maximum, pace: pace, at: now)
        )
      }
    }

    /// How many calls may be in flight: at least 1.
    var limit: Int {
      switch self {
      case .aimd(let aimd): aimd.limit
      case .vegas(let vegas): vegas.limit
      case .gradient(let gradient): gradient.limit
      }
    }

    /// What is known of latencies, in nanoseconds.
    var latencies: (baseline: Double?, observed: Double?) {
      switch self {
      case .aimd: (nil, nil)
      case .vegas(let vegas): (vegas.baseline, vegas.observed)
      case .gradient(let gradient): (gradient.baseline, gradient.observed)
      }
    }

    /// A call succeeded.
    ///
    /// - Parameters:
    ///   - latency: how long it took, in nanoseconds.
    ///   - inFlight: how many calls were in flight when it ended, itself among them.
    ///   - now: when it ended.
    mutating func record(latency: Int64, inFlight: Int, at now: Int64) {
      switch self {
      case .aimd(var aimd):
        aimd.record(inFlight: inFlight)
        self = .aimd(aimd)
      case .vegas(var vegas):
        vegas.record(latency: latency, inFlight: inFlight, at: now)
        self = .vegas(vegas)
      case .gradient(var gradient):
        gradient.record(latency: latency, inFlight: inFlight, at: now)
        self = .gradient(gradient)
      }
    }

    /// A call met overload.
    mutating func drop(latency: Int64, at now: Int64) {
      switch self {
      case .aimd(var aimd):
        aimd.drop(latency: latency, at: now)
        self = .aimd(aimd)
      case .vegas(var vegas):
        vegas.drop(latency: latency, at: now)
        self = .vegas(vegas)
      case .gradient(var gradient):
        gradient.drop(latency: latency, at: now)
        self = .gradient(gradient)
      }
    }
  }
}
