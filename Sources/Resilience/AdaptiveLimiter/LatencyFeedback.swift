extension AdaptiveLimiter {
  /// A limit that follows the latency of successes, window by window, measured by the latency
  /// without load.
  ///
  /// Latency without load is not a minimum (that of random service times is near zero) and not a
  /// long average (that follows the load it should be compared with, which is why Netflix'
  /// Gradient2 drifts upwards). It is measured: now and then the limit goes down to a quarter for a
  /// few dozen calls, and their mean is the new baseline, higher or lower. BBR and Envoy do the
  /// same. Should a quarter still be too much, then the limit has become too high because of it;
  /// but it comes to less than half of what it was with each probe.
  struct LatencyFeedback<Formula: LatencyFormula>: Sendable {
    private let formula: Formula
    private let maximum: Double
    private let windowLength: Int64
    private let probeInterval: Int64

    /// The limit, but for a probe.
    private(set) var value: Double

    /// The mean latency without load, in nanoseconds; `nil` until it is known.
    private(set) var baseline: Double?

    /// The mean latency of the last window, in nanoseconds.
    private(set) var observed: Double?

    private var cut = Cut()
    private var window = LatencyMean()
    private var probe: Probe?
    private var nextProbe = Int64.max

    /// The highest limit since the last probe.
    private var peak: Double

    /// A limiter that has just begun has a baseline to find, at its initial limit.
    init(
      _ formula: Formula, initial: Int, maximum: Int, pace: Algorithm.Pace, at now: Int64
    ) {
      self.formula = formula
      self.maximum = Double(maximum)
      windowLength = pace.window.saturatingNanoseconds
      probeInterval = pace.probeInterval.saturatingNanoseconds
      value = Double(initial)
      peak = value
      beginProbe(limit: initial, at: now)
    }

    var limit: Int { min(Int(value), probe?.limit ?? .max) }

    /// - Parameters:
    ///   - latency: how long a call took that succeeded.
    ///   - inFlight: how many calls were in flight when it ended, itself among them.
    ///   - now: when it ended.
    mutating func record(latency: Int64, inFlight: Int, at now: Int64) {
      cut.noteAnswer()
      guard let probe else {
        window.add(latency, inFlight: inFlight)
        if window.isComplete(atLeast: 20, for: windowLength, at: now) { endWindow(at: now) }
        return
      }
      // A call that began before the probe has waited behind those that the probe keeps out.
      if now.subtractingSaturated(latency) >= probe.start {
        window.add(latency, inFlight: inFlight)
      }
      // The first one is repeated soon.
      let needed = baseline == nil ? 30.0 : 100
      if window.isComplete(atLeast: needed, for: 0, at: now) {
        endProbe(probe, measuring: window.latency, at: now)
      } else if let baseline, now >= probe.end {
        endProbe(probe, measuring: baseline, at: now)
      }
    }

    mutating func drop(latency: Int64, at now: Int64) {
      guard cut.begins(startedAt: now.subtractingSaturated(latency), at: now) else { return }
      value = cut.lowered(value)
      if probe == nil { window = LatencyMean(from: now, skipping: Int(value)) }
    }

    private mutating func endWindow(at now: Int64) {
      guard let baseline else { return }
      let reading = LatencyReading(
        baseline: baseline, observed: window.latency, inFlight: window.inFlight)
      observed = reading.observed
      let next = formula.next(after: value, reading)
      if next < value || 2 * reading.inFlight >= value { value = min(maximum, max(1, next)) }
      peak = max(peak, value)
      window = LatencyMean(from: now)
      // A limit that came down may have done so because the dependency has become slower, not full.
      if now >= nextProbe || value <= peak / 2 {
        beginProbe(limit: max(1, Int(value / 4)), at: now)
      }
    }

    /// - Parameter limit: what is let pass meanwhile.
    private mutating func beginProbe(limit: Int, at now: Int64) {
      // Where calls are slow or few, a probe takes long.
      let patience = max(probeInterval, Int64(saturating: 40 * (baseline ?? 0)))
      probe = Probe(limit: limit, start: now, end: now.addingSaturated(patience))
      // Of the calls that begin together, the short ones end first.
      window = LatencyMean(from: now, skipping: 2 * limit)
    }

    /// - Parameter latency: the baseline from now on.
    private mutating func endProbe(_ probe: Probe, measuring latency: Double, at now: Int64) {
      // The first baseline is measured at a limit that somebody guessed, and one that has come down
      // a lot, at the quarter of a limit that was far too high: soon again.
      let isDoubtful = baseline.map { latency < $0 / 2 } ?? true
      let duration = Double(now.subtractingSaturated(probe.start))
      let pause =
        isDoubtful
        ? Int64(saturating: 2 * duration) : max(probeInterval, Int64(saturating: 25 * duration))
      nextProbe = now.addingSaturated(pause)
      baseline = latency
      peak = value
      window = LatencyMean(from: now, skipping: Int(value))
      self.probe = nil
    }
  }

  struct Probe: Sendable {
    let limit: Int
    let start: Int64

    /// When it is given up, should there be too few calls.
    let end: Int64
  }

  /// Means over the calls that have ended since it began.
  struct LatencyMean: Sendable {
    private let start: Int64
    private var skipped: Int
    private var count = 0.0
    private var latencies = 0.0
    private var inFlights = 0.0

    /// - Parameter skipping: how many calls pass before it counts.
    init(from start: Int64 = .min, skipping count: Int = 0) {
      self.start = start
      skipped = count
    }

    mutating func add(_ latency: Int64, inFlight: Int) {
      guard skipped == 0 else {
        skipped -= 1
        return
      }
      count += 1
      latencies += Double(max(1, latency))
      inFlights += Double(inFlight)
    }

    var latency: Double { latencies / count }
    var inFlight: Double { inFlights / count }

    /// Whether it knows enough: so many calls, four rounds of those in flight, and so long.
    func isComplete(atLeast minimum: Double, for length: Int64, at now: Int64) -> Bool {
      count >= minimum && count * count >= 4 * inFlights
        && now.subtractingSaturated(start) >= length
    }
  }
}
