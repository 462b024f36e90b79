extension CircuitBreaker {
  /// What a circuit breaker does with the next call.
  ///
  /// The first three follow each other by themselves. The last three only a person sets and only
  /// a person ends.
  public enum State: Hashable, Sendable, CaseIterable, CustomStringConvertible {
    /// Calls pass, and their outcomes decide whether the circuit opens.
    case closed

    /// Calls are refused until the open period is over.
    case open

    /// A few calls pass as probes, and their outcomes decide whether the circuit closes.
    case halfOpen

    /// All calls are refused: ``CircuitBreaker/isolate()``.
    case isolated

    /// All calls pass and nothing is recorded: ``CircuitBreaker/disable()``.
    case disabled

    /// All calls pass and are recorded, and the breaker tells when it would have opened:
    /// ``CircuitBreaker/observe()``.
    case observing

    /// The state as it is written in logs: `closed`, `open`, `half-open`, …
    public var description: String {
      switch self {
      case .closed: "closed"
      case .open: "open"
      case .halfOpen: "half-open"
      case .isolated: "isolated"
      case .disabled: "disabled"
      case .observing: "observing"
      }
    }
  }

  /// Why a circuit breaker changed its state.
  ///
  /// Compare it with the members below; more may come.
  public struct Cause: Hashable, Sendable, CustomStringConvertible {
    /// The cause in words, for a log.
    public let description: String

    /// As many failures in a row as ``TripCondition/consecutiveFailures(_:lasting:)`` asks for.
    public static let consecutiveFailures = Cause(description: "consecutive failures")

    /// The rate of ``TripCondition/failureRate(_:minimumCalls:)``.
    public static let failureRate = Cause(description: "failure rate")

    /// The rate of ``TripCondition/slowCallRate(_:slowerThan:minimumCalls:)``.
    public static let slowCallRate = Cause(description: "slow-call rate")

    /// As many calls hang as ``Configuration/hungCalls`` says.
    public static let hungCalls = Cause(description: "hung calls")

    /// The predicate of ``TripCondition/when(_:)``.
    public static let predicate = Cause(description: "predicate")

    /// The open period was over when a call arrived: that call is a probe.
    public static let openPeriodEnded = Cause(description: "open period ended")

    /// As many probes succeeded as were needed.
    public static let probesSucceeded = Cause(description: "probes succeeded")

    /// A probe failed, or too many of them did.
    public static let probeFailed = Cause(description: "probe failed")

    /// A probe did not report before its lease was over.
    public static let probeLeaseExpired = Cause(description: "probe lease expired")

    /// A person: ``CircuitBreaker/isolate()``, ``CircuitBreaker/trip(for:)`` and the like.
    public static let manual = Cause(description: "manual")
  }
}
