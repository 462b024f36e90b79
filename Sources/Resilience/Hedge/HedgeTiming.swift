extension Hedge {
  /// When to hedge, decided from the latencies of the calls that succeeded.
  ///
  /// Everything is in nanoseconds and changes at every tenth latency only.
  struct Timing: Sendable {
    /// How many latencies there are between two looks at them.
    static var stride: Int { 10 }

    /// How many latencies the median is of.
    static var recent: Int { 50 }

    /// A median below this says more about the clock than about the dependency.
    static var leastMedian: Int64 { 1_000 }

    private static let half = Ratio(0.5)

    /// What the latest look at the latencies changed.
    enum Change: Hashable, Sendable {
      /// They have become long: hedges would add to the load that makes them so.
      case paused
      case resumed
    }

    private let percentile: Percentile?
    private var latencies: LatencyWindow
    private var recent = LatencyWindow(capacity: Self.recent)
    private var added = 0

    /// How long to wait for an answer before hedging; `nil` as long as that is not known.
    private(set) var delay: Int64?

    /// The median of the recent latencies.
    private(set) var median: Int64?

    /// The lowest median, which creeps up; `nil` before the first.
    private(set) var usual: Int64?

    /// Whether latencies are so long that hedging rests.
    private(set) var isPaused = false

    struct Percentile: Sendable {
      let share: Ratio
      let minimum: Int
    }

    init(_ delay: Delay) {
      switch delay.kind {
      case .fixed(let duration):
        self.delay = duration.nanosecondsRoundedUp
        percentile = nil
        // Not asked.
        latencies = LatencyWindow(capacity: 1)
      case .percentile(let share, let window, let minimum):
        percentile = Percentile(share: Ratio(share), minimum: minimum)
        latencies = LatencyWindow(capacity: window)
      }
    }

    /// A call has succeeded after so long.
    mutating func add(_ latency: Int64) -> Change? {
      recent.add(latency)
      if percentile != nil { latencies.add(latency) }
      added += 1
      let isFirstLook = latencies.count == percentile?.minimum && delay == nil
      guard isFirstLook || added >= Self.stride else { return nil }
      added = 0
      setDelay()
      return setMedian()
    }

    private mutating func setDelay() {
      guard let percentile, latencies.count >= percentile.minimum else { return }
      // A call that takes no time at all is not doubled.
      delay = latencies.quantile(percentile.share).map { max(1, $0) }
    }

    private mutating func setMedian() -> Change? {
      guard let median = recent.quantile(Self.half) else { return nil }
      let floored = max(median, Self.leastMedian)
      let usual = min(usual.map(Self.crept) ?? floored, floored)
      self.median = median
      self.usual = usual
      let wasPaused = isPaused
      // 2.5 times, in integers.
      isPaused = Int128(median) * 2 > Int128(usual) * 5
      return isPaused == wasPaused ? nil : isPaused ? .paused : .resumed
    }

    /// 0.05 % more, so that a dependency that has become slower for good is not left alone for ever.
    private static func crept(_ median: Int64) -> Int64 {
      median.addingSaturated(max(1, median / 2_000))
    }
  }
}
