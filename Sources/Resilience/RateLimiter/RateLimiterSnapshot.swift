extension RateLimiter {
  /// A rate limiter at one moment.
  public struct Snapshot: Hashable, Sendable {
    /// The name of the limiter.
    public let name: String

    /// How many tokens come in how much time.
    public let rate: Rate

    /// The most tokens there can be.
    public let burst: Int

    /// The whole tokens there are. Those who wait come first.
    public let available: Int

    /// How many calls wait.
    public let waiting: Int

    /// For how long nobody is served; `nil` if the limiter is not paused.
    public let pausedFor: Duration?

    /// What has happened in the limiter's whole life.
    public let totals: Totals
  }

  /// What has happened in a limiter's whole life.
  public struct Totals: Hashable, Sendable {
    /// Calls that got their tokens.
    public internal(set) var granted = 0

    /// Those among them that waited.
    public internal(set) var waited = 0

    /// Calls that were cancelled while they waited.
    public internal(set) var cancelled = 0

    /// Calls whose tokens did not come in the time they would wait.
    public internal(set) var noTokens = 0

    /// Calls whose tokens did not come before their deadline.
    public internal(set) var deadline = 0

    /// Calls that needed more than the burst.
    public internal(set) var exceedsBurst = 0

    /// Calls that a pause would have kept for too long.
    public internal(set) var paused = 0

    /// Calls that were refused, for whatever reason.
    public var rejected: Int {
      [deadline, exceedsBurst, paused].reduce(into: noTokens) { $0.add($1) }
    }

    mutating func countRejected(_ reason: RateLimitedError.Reason) {
      switch reason {
      case .deadline: deadline.increment()
      case .exceedsBurst: exceedsBurst.increment()
      case .paused: paused.increment()
      default: noTokens.increment()
      }
    }
  }
}
