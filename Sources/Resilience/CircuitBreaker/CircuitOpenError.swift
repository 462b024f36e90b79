/// The circuit breaker refused the call: the operation did not run.
///
/// One word wide and built once for each opening, so that refusing costs no allocation, also where
/// the error is cast on its way out.
public struct CircuitOpenError: RejectionError {
  /// Why a circuit breaker refuses a call.
  ///
  /// Compare it with the members below; more may come.
  public struct Reason: Hashable, Sendable, CustomStringConvertible {
    private enum Code: UInt8 {
      case open, halfOpenFull, isolated, probation
    }

    private let code: Code

    /// The circuit is open.
    public static let open = Reason(code: .open)

    /// The circuit is half-open, and as many probes are in flight as may be or are needed.
    public static let halfOpenFull = Reason(code: .halfOpenFull)

    /// A person isolated the breaker.
    public static let isolated = Reason(code: .isolated)

    /// The circuit has just closed and lets only a share of the calls pass.
    public static let probation = Reason(code: .probation)

    /// The reason in words, for a log.
    public var description: String {
      switch code {
      case .open: "open"
      case .halfOpenFull: "half-open, all probes taken"
      case .isolated: "isolated"
      case .probation: "on probation"
      }
    }
  }

  private let refusal: Refusal<Reason, CircuitBreaker.Counts>

  init(policy: String, reason: Reason, counts: CircuitBreaker.Counts, openUntil: Deadline?) {
    refusal = Refusal(by: policy, reason, retryAt: openUntil, details: counts)
  }

  /// The name of the circuit breaker.
  public var policy: String { refusal.policy }

  /// Why it refused.
  public var reason: Reason { refusal.reason }

  /// The counts that led to the last opening; for an isolated breaker, those at its isolation.
  public var counts: CircuitBreaker.Counts { refusal.details }

  /// How long the circuit stays open from now on: never negative, and shorter each time it is
  /// asked. `nil` for every reason but ``Reason/open``: nobody knows. Costs a clock read.
  public var retryAfter: Duration? { refusal.retryAfter }

  /// One line for a log.
  public var description: String {
    let wait = retryAfter.map { "; retry after \($0)" } ?? ""
    return "circuit breaker \"\(policy)\" refused the call: \(reason)\(wait)"
  }
}
