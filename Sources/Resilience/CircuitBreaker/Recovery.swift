extension CircuitBreaker {
  /// How a circuit comes back: how long it stays open, how it probes, how it closes.
  public struct Recovery: Hashable, Sendable, CustomStringConvertible {
    /// How long the circuit stays open.
    public var openFor: OpenDuration

    /// How many probes may be in flight at once.
    public var probes: Int

    /// How many probes must succeed before the circuit closes; `nil` means as many as
    /// ``probes``.
    public var successesToClose: Int?

    /// When a half-open circuit opens again.
    public var reopening: Reopening

    /// How long a circuit that has just closed is on probation; zero means not at all.
    public var probation: Duration

    /// How long a probe may take before it counts as failed and its slot is free.
    public var probeLease: Duration

    /// A server's ``RetryAfterHint`` on the error that opens the circuit makes the open period at
    /// least that long; a hint counts for no more than this. Zero ignores such hints.
    public var maxRetryAfter: Duration

    /// How a circuit comes back.
    ///
    /// - Parameters:
    ///   - openFor: how long the circuit stays open: by default 0.5 s the first time, 1.2 times
    ///     as long each time that follows, up to 2 s, give or take 10 %.
    ///   - probes: how many probes may be in flight at once; 1 by default.
    ///   - successesToClose: how many probes must succeed before the circuit closes; as many as
    ///     `probes` by default. Not with ``Reopening/atFailureRate(_:over:)``, which decides by
    ///     itself.
    ///   - reopening: when a half-open circuit opens again; on the first failed probe by default.
    ///   - probation: how long a circuit that has just closed is on probation, 2 s by default. In
    ///     it each failure halves the share of calls that pass, not below an eighth; each success
    ///     multiplies it by four; three failures in a row begin it anew. It ends when two
    ///     successes have come at the full share and the time is over, and at the latest after
    ///     20 s or twice its length, whichever is longer. Zero: none.
    ///   - probeLease: how long a probe may take before it counts as failed; 30 s by default.
    ///   - maxRetryAfter: a server's ``RetryAfterHint`` on the error that opens the circuit makes
    ///     the open period at least that long; a hint counts for no more than this, 30 s by default.
    ///     Zero ignores such hints.
    public init(
      openFor: OpenDuration = .exponential(
        from: .milliseconds(500), factor: 1.2, cap: .seconds(2), jitter: 0.1),
      probes: Int = 1,
      successesToClose: Int? = nil,
      reopening: Reopening = .onFirstFailure,
      probation: Duration = .seconds(2),
      probeLease: Duration = .seconds(30),
      maxRetryAfter: Duration = .seconds(30)
    ) {
      self.openFor = openFor
      self.probes = probes
      self.successesToClose = successesToClose
      self.reopening = reopening
      self.probation = probation
      self.probeLease = probeLease
      self.maxRetryAfter = maxRetryAfter
    }

    /// The recovery in words, for a log.
    public var description: String {
      "open for \(openFor), probes \(probes), \(reopening)"
        + (successesToClose.map { ", successes to close \($0)" } ?? "")
        + (probation > .zero ? ", probation \(probation)" : "")
    }
  }

  /// How long a circuit stays open.
  public struct OpenDuration: Hashable, Sendable, CustomStringConvertible {
    let first: Duration
    let factor: Double
    let cap: Duration
    let jitter: Double

    /// The same every time.
    ///
    /// - Parameters:
    ///   - duration: above zero.
    ///   - jitter: the share by which each open period is lengthened or shortened at random, so
    ///     that many callers do not come back together; 0 by default, below 1.
    public static func constant(_ duration: Duration, jitter: Double = 0) -> Self {
      Self(first: duration, factor: 1, cap: duration, jitter: jitter)
    }

    /// `count` seconds every time.
    public static func seconds(_ count: Double) -> Self {
      constant(.clamping(seconds: count))
    }

    /// `count` milliseconds every time.
    public static func milliseconds(_ count: Double) -> Self {
      constant(.clamping(seconds: count / 1000))
    }

    /// Longer each time: the n-th open period of a series is min(`cap`, `from` · `factor`ⁿ⁻¹),
    /// then give or take `jitter`.
    ///
    /// The series starts anew once the circuit has stayed closed for at least as long as it was
    /// last open.
    ///
    /// - Parameters:
    ///   - first: the first open period; above zero.
    ///   - factor: at least 1.
    ///   - cap: the longest, before jitter; at least `from`.
    ///   - jitter: the share by which each is lengthened or shortened at random; 0.1 by default,
    ///     below 1.
    public static func exponential(
      from first: Duration, factor: Double, cap: Duration, jitter: Double = 0.1
    ) -> Self {
      Self(first: first, factor: factor, cap: cap, jitter: jitter)
    }

    /// The duration in words, for a log.
    public var description: String {
      let spread = jitter > 0 ? " ± \(jitter * 100) %" : ""
      return factor == 1 ? "\(first)\(spread)" : "\(first) × \(factor)ⁿ up to \(cap)\(spread)"
    }
  }

  /// When a half-open circuit opens again.
  public struct Reopening: Hashable, Sendable, CustomStringConvertible {
    enum Kind: Hashable, Sendable {
      case onFirstFailure
      case atFailureRate(Double, over: Int)
    }

    let kind: Kind

    /// On the first probe that fails.
    public static let onFirstFailure = Reopening(kind: .onFirstFailure)

    /// As soon as the failures among `count` probes reach `rate`; the circuit closes as soon as
    /// they no longer can.
    ///
    /// - Parameters:
    ///   - rate: above 0, at most 1. Compared exactly.
    ///   - count: how many probes decide; at least 1.
    public static func atFailureRate(_ rate: Double, over count: Int) -> Reopening {
      Reopening(kind: .atFailureRate(rate, over: count))
    }

    /// The rule in words, for a log.
    public var description: String {
      switch kind {
      case .onFirstFailure: "reopening on the first failure"
      case .atFailureRate(let rate, let count): "reopening at failure rate \(rate) of \(count)"
      }
    }
  }
}
