@testable import Resilience

/// A bucket as one would describe it: so many tokens, which grow with time. It counts in units of which
/// a token has as many as its period has nanoseconds, and a nanosecond as many as there are tokens in a
/// period; so it is exact as well.
struct NaiveBucket {
  private let rate: RateLimiter.Rate
  private let burst: Int
  private var level: Int128
  private var latest: Int64

  init(_ rate: RateLimiter.Rate, burst: Int, at now: Int64) {
    self.rate = rate
    self.burst = burst
    latest = now
    level = 0
    level = capacity
  }

  private var token: Int128 { Int128(rate.period.saturatingNanoseconds) }
  private var capacity: Int128 { Int128(burst) * token }

  var available: Int { Int(level / token) }

  mutating func advance(to now: Int64) {
    level = min(capacity, level + (Int128(now) - Int128(latest)) * Int128(rate.count))
    latest = now
  }

  mutating func take(_ tokens: Int) -> Bool {
    guard level >= Int128(tokens) * token else { return false }
    level -= Int128(tokens) * token
    return true
  }

  mutating func drain() { level = 0 }
}
