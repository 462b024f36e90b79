extension Backoff {
  /// How a delay is spread at random, so that callers that failed together do not come back
  /// together.
  ///
  /// It is drawn evenly, after the cap has been applied: jitter that is capped afterwards lets late
  /// attempts pile up at the cap, which is no jitter at all. Brooker: "Exponential Backoff And
  /// Jitter", AWS Architecture Blog, 2015, compares the kinds.
  public struct Jitter: Hashable, Sendable, CustomStringConvertible {
    private enum Kind: Hashable, Sendable {
      case none
      case full
      case equal
      case proportional(Double)
    }

    private let kind: Kind

    /// Not at all. Draws nothing from the generator.
    public static let none = Jitter(kind: .none)

    /// Evenly between zero and the delay: the least load, and half the delay on average.
    public static let full = Jitter(kind: .full)

    /// Evenly between half the delay and the delay.
    public static let equal = Jitter(kind: .equal)

    /// Evenly between (1 − `share`) and (1 + `share`) of the delay, which may then exceed the cap.
    ///
    /// - Parameter share: 0 to 1.
    public static func proportional(_ share: Double) -> Jitter {
      Jitter(kind: .proportional(share))
    }

    /// - Parameter delay: in nanoseconds, zero or more.
    func spread(_ delay: Int64, using generator: inout some RandomNumberGenerator) -> Duration {
      switch kind {
      case .none: .nanoseconds(delay)
      case .full: .nanoseconds(Int64.random(in: 0...delay, using: &generator))
      case .equal: .nanoseconds(Int64.random(in: (delay - delay / 2)...delay, using: &generator))
      case .proportional(let share): spread(delay, by: share, using: &generator)
      }
    }

    private func spread(
      _ delay: Int64, by share: Double, using generator: inout some RandomNumberGenerator
    ) -> Duration {
      // A share that is no number, or negative, is none; one above 1 would lead below zero.
      let share = share > 0 ? min(share, 1) : 0
      let reach = min(Int64(saturating: (Double(delay) * share).rounded(.down)), delay)
      let offset = Int64.random(in: -reach...reach, using: &generator)
      return .nanoseconds(delay.addingSaturated(offset))
    }

    func validate(_ validation: inout Validation) {
      guard case .proportional(let share) = kind else { return }
      validation.require(
        (0...1).contains(share), "backoff(jitter:)", is: share, allowed: "a share in 0...1")
    }

    /// The jitter in words, for a log.
    public var description: String {
      switch kind {
      case .none: "no jitter"
      case .full: "full jitter"
      case .equal: "equal jitter"
      case .proportional(let share): "jitter of ±\(share) of it"
      }
    }
  }
}
