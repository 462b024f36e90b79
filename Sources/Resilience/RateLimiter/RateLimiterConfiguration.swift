extension RateLimiter {
  /// The settings of a rate limiter, as a value that can be built and validated at run time.
  public struct Configuration: Hashable, Sendable, CustomStringConvertible {
    /// How many tokens come in how much time.
    public var rate: Rate

    /// The most tokens there can be, and those at the start; at least 1.
    public var burst: Int

    /// How long a call waits for its tokens; zero or more.
    public var maxWait: Duration

    /// A rate; one token at once and no waiting unless told otherwise.
    public init(_ rate: Rate, burst: Int = 1, maxWait: Duration = .zero) {
      self.rate = rate
      self.burst = burst
      self.maxWait = maxWait
    }

    /// Checks settings that arrived at run time.
    ///
    /// - Throws: a ``ConfigurationError`` that lists everything that is wrong, with parameter,
    ///   value and range. A limiter made from such settings stops the program with the same text.
    public func validate() throws(ConfigurationError) {
      var validation = Validation()
      let longest = Duration.nanoseconds(Int64.max)
      let (count, period) = (rate.count, rate.period)
      let isCount = 1...1_000_000_000_000 ~= count
      let isPeriod =
        period > .zero && period <= longest && period.attoseconds % 1_000_000_000 == 0
      validation.require(isCount, "rate.count", is: count, allowed: "1...1000000000000")
      validation.require(
        isPeriod, "rate.period", is: period, allowed: "whole nanoseconds, above 0, to 292 years")
      if isCount, isPeriod {
        validation.require(
          period.saturatingNanoseconds >= count, "rate", is: rate,
          allowed: "at most one token a nanosecond")
      }
      validation.require(burst >= 1, "burst", is: burst, allowed: "1...")
      if isCount, isPeriod, burst >= 1 {
        let filling = Int128(burst) * Int128(period.saturatingNanoseconds)
        validation.require(
          filling <= Int128(Int64.max) * Int128(count), "burst", is: burst,
          allowed: "what comes within 292 years")
      }
      validation.require(maxWait >= .zero, "maxWait", is: maxWait, allowed: "0 or more")
      try validation.finish()
    }

    /// The settings in words, for a log.
    public var description: String {
      let wait = maxWait > .zero ? ", waiting up to \(maxWait)" : ""
      return "\(rate), burst \(burst)\(wait)"
    }
  }
}
