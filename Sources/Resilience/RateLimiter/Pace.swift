extension RateLimiter {
  /// A rate and a burst in the units that a bucket counts in.
  ///
  /// Of *count* tokens in a period, each takes period/count; in lowest terms q/p nanoseconds. With a
  /// unit of time that is the p-th part of a nanosecond, a token is q units, a nanosecond is p of
  /// them, and nothing is ever rounded. Neither q nor the time until a bucket is full exceeds 2⁶³ ns,
  /// and p is at most 10¹²: so every instant that occurs is less than 2¹⁰⁶ units.
  struct Pace: Hashable, Sendable {
    /// How many units a nanosecond has: p.
    let nanosecond: Int64

    /// How many units a token takes to come: q.
    let token: Int64

    /// The most tokens that there can be.
    let burst: Int

    init(nanosecond: Int64, token: Int64, burst: Int) {
      self.nanosecond = nanosecond
      self.token = token
      self.burst = burst
    }

    /// - Parameters: as ``RateLimiter/Configuration/validate()`` allows them.
    init(_ rate: Rate, burst: Int) {
      let (count, period) = (Int64(rate.count), rate.period.saturatingNanoseconds)
      let divisor = Self.commonDivisor(count, period)
      self.init(nanosecond: count / divisor, token: period / divisor, burst: burst)
    }

    /// How many units an empty bucket takes to become full.
    var capacity: Int128 { cost(of: burst) }

    func cost(of tokens: Int) -> Int128 { Int128(tokens) * Int128(token) }

    func units(_ nanoseconds: Int64) -> Int128 { Int128(nanoseconds) * Int128(nanosecond) }

    /// The first whole nanosecond that is not before an instant in units.
    func nanoseconds(_ units: Int128) -> Int64 {
      let (quotient, remainder) = units.quotientAndRemainder(dividingBy: Int128(nanosecond))
      return Int64(clamping: remainder > 0 ? quotient + 1 : quotient)
    }

    private static func commonDivisor(_ one: Int64, _ other: Int64) -> Int64 {
      var (one, other) = (one, other)
      while other != 0 { (one, other) = (other, one % other) }
      return one
    }
  }
}

// MARK: - The generic cell rate algorithm

extension RateLimiter.Pace {
  /// Takes tokens out of a bucket, if they are there.
  ///
  /// The bucket is one instant: the one at which it will be full, if nobody takes any more (the
  /// *theoretical arrival time* of the generic cell rate algorithm; ITU-T I.371, annex A). A token that
  /// is taken moves it by q, from the present on if it has passed; it is never further away than an
  /// empty bucket's.
  ///
  /// So no grants whose clock readings are in [s, e] are more than burst + rate × (e − s), in whatever
  /// order they are decided: the first leaves the instant at s + q or later, each moves it on by q, and
  /// the last leaves it at e + burst × q or earlier. (That is for one pace: when it changes, readings from
  /// before count for the old one.)
  ///
  /// - Parameters:
  ///   - tokens: how many; at most the burst.
  ///   - fullAt: when the bucket will be full.
  ///   - now: the present, in units.
  /// - Returns: when it will be full afterwards; `nil` if there are not so many.
  func take(_ tokens: Int, from fullAt: Int128, at now: Int128) -> Int128? {
    let after = max(fullAt, now) + cost(of: tokens)
    return after - now <= capacity ? after : nil
  }
}
