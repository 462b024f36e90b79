extension RateLimiter {
  /// Something that happened in a rate limiter.
  public struct Event: ResilienceEvent {
    /// The name of the limiter.
    public let policy: String

    /// What happened.
    public let kind: Kind

    /// What can happen in a rate limiter. More may come: give a `switch` a `default`.
    ///
    /// A call that gets its tokens at once tells nothing.
    public enum Kind: Hashable, Sendable {
      /// A call got its tokens after it had waited so long.
      case dequeued(waited: Duration)

      /// A call was refused, at once or because what it waited for has changed.
      case rejected(RateLimitedError.Reason)

      /// A call was cancelled by its caller before it was served.
      case cancelled

      /// Nobody is served for so long.
      case paused(for: Duration)

      /// A pause was ended early.
      case resumed

      /// So many tokens were taken away.
      case drained(tokens: Int)

      /// The limiter has another rate or burst.
      case rateChanged(Rate, burst: Int)
    }

    /// One line for a log.
    public var description: String { "rate limiter \"\(policy)\": \(kind)" }
  }
}

extension RateLimiter.Event.Kind: CustomStringConvertible {
  /// A few words for a log.
  public var description: String {
    switch self {
    case .dequeued(let waited): "served after \(waited)"
    case .rejected(let reason): "rejected (\(reason))"
    case .cancelled: "cancelled by its caller"
    case .paused(let duration): "paused for \(duration)"
    case .resumed: "resumed"
    case .drained(let tokens): "drained of \(tokens)"
    case .rateChanged(let rate, let burst): "changed to \(rate), burst \(burst)"
    }
  }
}
