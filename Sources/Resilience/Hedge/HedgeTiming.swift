extension Hedge {
  /// When to hedge, decided from the latencies of the calls that succeeded.
  ///
  /// Everything is in nanoseconds and changes at every tenth latency only.
  struct Timing: Sendable {
    /// How many latencies there are between two looks at them.
    static var stride: Int { 10 }

    /// How many latencies the median is of that tells how it is now.
    static var recent: Int { 50 }

    /// How many latencies each median is of whose lowest is the usual. Twice as many, and never fewer:
    /// the lowest of many medians over few latencies is luck, and all later ones would seem long.
    static var steady: Int { 100 }

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
    private var steady = LatencyWindow(capacity: Self.steady)
    private var added = 0

    /// How long to wait for an answer before hedging; `nil` as long as that is not known.
    private(set) var delay: Int64?

    /// The median of the recent latencies.
    private(set) var median: Int64?

    /// The lowest median over ``steady`` latencies, which creeps up; `nil` before there are so many.
    private(set) var usual: Int64?

    /// Whether latencies are so long that hedging rests.
    private(set) var isPaused = false

    struct Percentile: Sendable {
      /// The share of calls that are to be hedged.
      let slower: Ratio
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
        percentile = Percentile(slower: Ratio(share).complement, minimum: minimum)
        latencies = LatencyWindow(capacity: window)
      }
    }

    /// A call has succeeded after so long.
    mutating func add(_ latency: Int64) -> Change? {
      if percentile != nil { latencies.add(latency) }
      return addToMedians(latency)
    }

    /// A call has failed after so long.
    ///
    /// One that failed slowly would have taken at least that long for an answer, so it counts as long:
    /// under saturation the calls that succeed are the quick ones. One that failed quickly tells nothing
    /// of how long an answer takes.
    mutating func addFailure(after latency: Int64) -> Change? {
      guard let median, latency > median else { return nil }
      return addToMedians(latency)
    }

    private mutating func addToMedians(_ latency: Int64) -> Change? {
      recent.add(latency)
      steady.add(latency)
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
      delay = latencies.bound(exceededBy: percentile.slower).map { max(1, $0) }
    }

    private mutating func setMedian() -> Change? {
      guard let median = recent.quantile(Self.half) else { return nil }
      self.median = median
      lowerUsual()
      guard let usual else { return nil }
      let wasPaused = isPaused
      // 2.5 times, in integers.
      isPaused = Int128(median) * 2 > Int128(usual) * 5
      return isPaused == wasPaused ? nil : isPaused ? .paused : .resumed
    }

    private mutating func lowerUsual() {
      guard steady.count == Self.steady, let median = steady.quantile(Self.half) else { return }
      let floored = max(median, Self.leastMedian)
      usual = min(usual.map(Self.crept) ?? floored, floored)
    }

    /// 0.05 % more, so that a dependency that has become slower for good is not left alone for ever.
    private static func crept(_ median: Int64) -> Int64 {
      median.addingSaturated(max(1, median / 2_000))
    }
  }
}
