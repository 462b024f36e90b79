/// What became of the calls of a stretch of time.
public struct Tally: Hashable, Codable, Sendable {
  /// Calls that users made.
  public internal(set) var offered = 0

  /// Calls answered within the user's deadline.
  public internal(set) var good = 0

  /// Calls answered later than that.
  public internal(set) var late = 0

  /// Calls that a policy refused before any attempt of theirs was sent.
  public internal(set) var refused = 0

  /// Refused calls that the service would have answered in time.
  public internal(set) var collateral = 0

  /// Calls that ended with an error after an attempt.
  public internal(set) var failed = 0

  /// Calls that their caller gave up.
  public internal(set) var cancelled = 0

  /// Requests that reached the service. (The calls of one stretch may send some in the next.)
  public internal(set) var attempts = 0

  /// Requests that the service has worked on to the end.
  public internal(set) var completions = 0

  /// Those of them whose client had stopped waiting.
  public internal(set) var wasted = 0

  /// How long callers waited, all together, in nanoseconds.
  public internal(set) var blockedNanoseconds: Int64 = 0

  init() {}

  /// The share of the calls that were answered within the user's deadline, of those that were not
  /// given up; 1 without any.
  public var goodput: Double { Self.share(good, of: offered - cancelled, whenNone: 1) }

  /// Requests to the service for each call; 0 without any call.
  public var amplification: Double { Self.share(attempts, of: offered, whenNone: 0) }

  /// The share of the service's work that nobody waited for.
  public var wastedShare: Double { Self.share(wasted, of: completions, whenNone: 0) }

  /// The share of the calls that were refused before any attempt.
  public var refusedShare: Double { Self.share(refused, of: offered, whenNone: 0) }

  /// How many seconds callers waited, all together.
  public var blockedSeconds: Double { Double(blockedNanoseconds) / 1e9 }

  private static func share(_ part: Int, of whole: Int, whenNone none: Double) -> Double {
    whole > 0 ? Double(part) / Double(whole) : none
  }

  static func += (sum: inout Tally, other: Tally) {
    sum.offered += other.offered
    sum.good += other.good
    sum.late += other.late
    sum.refused += other.refused
    sum.collateral += other.collateral
    sum.failed += other.failed
    sum.cancelled += other.cancelled
    sum.attempts += other.attempts
    sum.completions += other.completions
    sum.wasted += other.wasted
    sum.blockedNanoseconds += other.blockedNanoseconds
  }
}

/// Which calls a tally is about.
public enum CallGroup: String, Hashable, Codable, Sendable, CaseIterable {
  /// All of them.
  case all
  /// Those that nothing was wrong with where and when they were made: for another shard than the dead
  /// one, or while a service that flaps was well.
  case untroubled
  /// The others.
  case troubled
  /// Critical ones.
  case critical
  /// Normal ones.
  case normal
  /// Sheddable ones.
  case sheddable
}

/// How long answers took, from the moment at which the user meant to call.
public struct Latencies: Hashable, Codable, Sendable {
  /// Half of the answers took no longer, in seconds.
  public let median: Double
  /// 99 % took no longer, in seconds.
  public let p99: Double
  /// 99.9 % took no longer, in seconds.
  public let p999: Double

  /// Those of answers that took so many nanoseconds; all zero without any.
  init(_ nanoseconds: [Int64]) {
    let sorted = nanoseconds.sorted()
    func quantile(_ share: Double) -> Double {
      guard !sorted.isEmpty else { return 0 }
      let rank = (share * Double(sorted.count)).rounded(.up)
      return Double(sorted[max(1, Int(rank)) - 1]) / 1e9
    }
    median = quantile(0.5)
    p99 = quantile(0.99)
    p999 = quantile(0.999)
  }
}
