extension AdaptiveLimiter {
  /// How a limit follows from latencies.
  protocol LatencyFormula: Sendable {
    /// The limit after a window; ``LatencyFeedback`` holds it in its bounds, and lets it grow only
    /// where the old one was used.
    func next(after limit: Double, _ reading: LatencyReading) -> Double
  }

  /// What a window has seen. Latencies are means, in nanoseconds: Little's law is about means, and
  /// the shape of a distribution, thus its median, changes with the queue.
  struct LatencyReading: Sendable {
    /// The latency without load.
    var baseline: Double

    /// The latency now.
    var observed: Double

    /// The calls in flight when a call ended, itself among them.
    var inFlight: Double
  }

  /// TCP Vegas (Brakmo and Peterson 1995), as Netflix' concurrency-limits has it: keep a few calls
  /// waiting at the dependency, neither none nor many.
  ///
  /// By Little's law, of `inFlight` calls `inFlight` × (1 − `baseline`/`observed`) wait. Fewer than
  /// α raise the limit by a step, more than β lower it by one.
  ///
  /// The step is √limit, α is one step and β two, where Netflix has log₁₀ limit, 3 and 6 of them. A
  /// mean over n calls is wrong by its 1/√n, so the calls that wait, from a window of 4 ×
  /// `inFlight`, by √inFlight/2: thresholds that grow more slowly than the root are decided by
  /// chance.
  struct Vegas: LatencyFormula {
    func next(after limit: Double, _ reading: LatencyReading) -> Double {
      let step = limit.squareRoot()
      let waiting = reading.inFlight * (1 - reading.baseline / reading.observed)
      if waiting < step { return limit + step }
      if waiting > 2 * step { return limit - step }
      return limit
    }
  }

  /// The gradient controller of Envoy's adaptive concurrency filter: limit × gradient + √limit,
  /// where the gradient is `tolerance` × `baseline`/`observed`.
  ///
  /// The gradient is held in ½…1, as in Netflix' Gradient2: the limit grows by the root alone.
  struct Gradient: LatencyFormula {
    let tolerance: Double

    func next(after limit: Double, _ reading: LatencyReading) -> Double {
      let gradient = tolerance * reading.baseline / reading.observed
      return limit * min(1, max(0.5, gradient)) + limit.squareRoot()
    }
  }
}
