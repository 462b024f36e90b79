extension CircuitBreaker {
  /// Something that happened in a circuit breaker.
  public struct Event: ResilienceEvent {
    /// The name of the circuit breaker.
    public let policy: String

    /// What happened.
    public let kind: Kind

    /// What can happen in a circuit breaker. More may come: give a `switch` a `default`.
    public enum Kind: Sendable {
      /// The state changed.
      case stateChanged(StateChange)

      /// A call was admitted.
      case admitted

      /// A call was refused.
      case rejected(CircuitOpenError.Reason)

      /// A call succeeded.
      case succeeded(duration: Duration)

      /// A call failed: with an error, or with a result that counts as a failure.
      case failed(duration: Duration, error: (any Error)?)

      /// A call ended and counts as neither.
      case ignored

      /// A call ended after the state had changed; its outcome counts nowhere.
      case late

      /// An observing breaker would have opened.
      case wouldHaveOpened(cause: Cause, counts: Counts)
    }

    /// One line for a log.
    public var description: String { "circuit breaker \"\(policy)\": \(kind)" }
  }

  /// A change of a circuit breaker's state.
  public struct StateChange: Sendable, CustomStringConvertible {
    /// The state before, as it was last announced.
    public let from: State

    /// The state after.
    public let to: State

    /// Why it changed.
    public let cause: Cause

    /// The counts that led to it. The change itself clears them.
    public let counts: Counts

    /// Until when the circuit is open, if it opened.
    public let openUntil: Deadline?

    /// The number of this change in the breaker's life, from 1 on.
    public let generation: UInt64

    /// How many changes just before this one a slow reader of ``CircuitBreaker/stateChanges``
    /// missed; 0 everywhere else.
    public internal(set) var missed: Int = 0

    /// One line for a log.
    public var description: String { "\(from) > \(to) (\(cause))" }
  }
}

extension CircuitBreaker.Event.Kind: CustomStringConvertible {
  /// A few words for a log.
  public var description: String {
    switch self {
    case .stateChanged(let change): "\(change)"
    case .admitted: "admitted"
    case .rejected(let reason): "rejected (\(reason))"
    case .succeeded(let duration): "succeeded after \(duration)"
    case .failed(let duration, let error):
      "failed after \(duration)" + (error.map { " (\($0))" } ?? "")
    case .ignored: "ignored"
    case .late: "late"
    case .wouldHaveOpened(let cause, _): "would have opened (\(cause))"
    }
  }
}
