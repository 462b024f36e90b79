extension RateLimiter {
  /// How many tokens come in how much time: an exact fraction, never rounded.
  ///
  /// `perSecond(3)` lets a token come every third of a second, and three in each second for ever.
  public struct Rate: Hashable, Sendable, CustomStringConvertible {
    /// How many tokens come in each period; 1 to 10¹².
    public let count: Int

    /// The time in which they come, evenly; whole nanoseconds, at most 292 years.
    public let period: Duration

    /// So many tokens in each period: at most one in a nanosecond.
    ///
    /// Nothing is checked here: ``RateLimiter/Configuration/validate()`` does.
    public init(_ count: Int, per period: Duration) {
      self.count = count
      self.period = period
    }

    /// So many tokens in each second.
    public static func perSecond(_ count: Int) -> Rate { Rate(count, per: .seconds(1)) }

    /// So many tokens in each minute.
    public static func perMinute(_ count: Int) -> Rate { Rate(count, per: .seconds(60)) }

    /// So many tokens in each hour.
    public static func perHour(_ count: Int) -> Rate { Rate(count, per: .seconds(3600)) }

    /// The rate in words, for a log: `100 per 1.0 seconds`.
    public var description: String { "\(count) per \(period)" }
  }
}
