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
    public var admitted = 0

    /// Those among them that waited.
    public var waited = 0

    /// Calls that were cancelled before they were served.
    public var cancelled = 0

    /// Calls whose tokens did not come in the time they would wait.
    public var noTokens = 0

    /// Calls whose tokens did not come before their deadline.
    public var deadlineExpired = 0

    /// Calls that needed more than the burst.
    public var exceedsBurst = 0

    /// Calls that a pause would have kept for too long.
    public var paused = 0

    /// Nothing happened yet, unless told otherwise.
    public init(
      admitted: Int = 0, waited: Int = 0, cancelled: Int = 0, noTokens: Int = 0,
      deadlineExpired: Int = 0, exceedsBurst: Int = 0, paused: Int = 0
    ) {
      self.admitted = admitted
      self.waited = waited
      self.cancelled = cancelled
      self.noTokens = noTokens
      self.deadlineExpired = deadlineExpired
      self.exceedsBurst = exceedsBurst
      self.paused = paused
    }

    /// Calls that were refused, for whatever reason.
    public var rejected: Int {
      [deadlineExpired, exceedsBurst, paused].reduce(into: noTokens) { $0.add($1) }
    }

    mutating func countRejected(_ reason: RateLimitedError.Reason) {
      switch reason {
      case .deadlineExpired: deadlineExpired.increment()
      case .exceedsBurst: exceedsBurst.increment()
      case .paused: paused.increment()
      default: noTokens.increment()
      }
    }
  }
}
