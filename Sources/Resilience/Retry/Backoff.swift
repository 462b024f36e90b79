/// How long to wait before the next attempt: a pure value, and no policy.
///
/// Every kind but ``decorrelated(from:cap:)`` and ``custom(_:)`` takes a ``Jitter``, ``Jitter/full``
/// by default: callers that failed together must not come back together. The cap holds before the
/// jitter, so that late attempts are spread like early ones instead of piling up at the cap. By
/// default it is 20 s, as in the AWS SDKs.
///
/// Delays count in nanoseconds; fractions of one are dropped. A backoff with values that make no
/// sense, such as a negative duration or a factor below 1, stops the program where it is given to a
/// policy; asked by itself it still answers, and takes a negative duration for zero and a factor
/// below 1 for 1.
public struct Backoff: Sendable, CustomStringConvertible {
  private enum Kind: Sendable {
    case constant(Duration)
    case linear(from: Duration, step: Duration, cap: Duration)
    case exponential(from: Duration, factor: Double, cap: Duration)
    case decorrelated(from: Duration, cap: Duration)
    case custom(@Sendable (_ attempt: Int, _ previous: Duration) -> Duration)
  }

  private let kind: Kind
  private let jitter: Jitter

  /// No wait.
  public static let none = constant(.zero, jitter: .none)

  /// The same before every attempt.
  ///
  /// - Parameters:
  ///   - delay: zero or more.
  ///   - jitter: how it is spread; ``Jitter/full`` by default.
  public static func constant(_ delay: Duration, jitter: Jitter = .full) -> Backoff {
    Backoff(kind: .constant(delay), jitter: jitter)
  }

  /// min(`cap`, `from` + k · `step`) before the attempt that follows k + 1 failures.
  ///
  /// - Parameters:
  ///   - first: before the second attempt; zero or more.
  ///   - step: by how much each is longer; zero or more.
  ///   - cap: the longest, before jitter; zero or more, 20 s by default.
  ///   - jitter: how it is spread; ``Jitter/full`` by default.
  public static func linear(
    from first: Duration, step: Duration, cap: Duration = .seconds(20), jitter: Jitter = .full
  ) -> Backoff {
    Backoff(kind: .linear(from: first, step: step, cap: cap), jitter: jitter)
  }

  /// min(`cap`, `from` · `factor`ᵏ) before the attempt that follows k + 1 failures.
  ///
  /// - Parameters:
  ///   - first: before the second attempt; zero or more. From zero it stays zero.
  ///   - factor: at least 1; 2 by default.
  ///   - cap: the longest, before jitter; zero or more, 20 s by default.
  ///   - jitter: how it is spread; ``Jitter/full`` by default.
  public static func exponential(
    from first: Duration, factor: Double = 2, cap: Duration = .seconds(20),
    jitter: Jitter = .full
  ) -> Backoff {
    Backoff(kind: .exponential(from: first, factor: factor, cap: cap), jitter: jitter)
  }

  /// Evenly between `from` and three times the delay before, or the cap if that is less: grows like
  /// an exponential backoff, without a rhythm.
  ///
  /// Brooker: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015; here the cap holds
  /// before the draw. A delay before that is less than `from`, as zero is at first, counts as it.
  ///
  /// - Parameters:
  ///   - first: the shortest; zero or more. From zero it stays zero.
  ///   - cap: the longest; zero or more, 20 s by default.
  public static func decorrelated(from first: Duration, cap: Duration = .seconds(20)) -> Backoff {
    Backoff(kind: .decorrelated(from: first, cap: cap), jitter: .none)
  }

  /// A delay of your own, without jitter: less than zero counts as zero.
  ///
  /// - Parameter delay: given the number of the attempt that comes, from 2 on, and the delay
  ///   before the one that has just failed, zero for the first.
  public static func custom(
    _ delay: @escaping @Sendable (_ attempt: Int, _ previous: Duration) -> Duration
  ) -> Backoff {
    Backoff(kind: .custom(delay), jitter: .none)
  }

  /// How long to wait before an attempt.
  ///
  /// Total: at any input it neither traps nor returns less than zero or more than 292 years. Its
  /// cost does not depend on the number of the attempt, but for some sixty multiplications at
  /// most.
  ///
  /// - Parameters:
  ///   - attempt: the number of the attempt that comes; the first is 1, and before it there is no
  ///     wait.
  ///   - previous: the delay before the attempt that has just failed; only
  ///     ``decorrelated(from:cap:)`` and ``custom(_:)`` ask for it.
  ///   - generator: where chance comes from.
  public func delay(
    beforeAttempt attempt: Int, previous: Duration = .zero,
    using generator: inout some RandomNumberGenerator
  ) -> Duration {
    guard attempt > 1 else { return .zero }
    switch kind {
    case .constant(let delay):
      return jitter.spread(delay.nonnegative, using: &generator)
    case .linear(let first, let step, let cap):
      let delay = Self.sum(of: first.nonnegative, step.nonnegative, times: attempt - 2)
      return jitter.spread(min(delay, cap.nonnegative), using: &generator)
    case .exponential(let first, let factor, let cap):
      let delay = Self.product(of: first.nonnegative, factor, raisedTo: attempt - 2)
      return jitter.spread(min(delay, cap.nonnegative), using: &generator)
    case .decorrelated(let first, let cap):
      let shortest = min(first.nonnegative, cap.nonnegative)
      let longest = min(Self.triple(max(previous.nonnegative, shortest)), cap.nonnegative)
      return .nanoseconds(Int64.random(in: shortest...longest, using: &generator))
    case .custom(let delay):
      return .nanoseconds(delay(attempt, previous).nonnegative)
    }
  }

  /// The backoff in words, for a log.
  public var description: String {
    let spread = jitter == .none ? "" : ", \(jitter)"
    return switch kind {
    case .constant(.zero): "none"
    case .constant(let delay): "\(delay)\(spread)"
    case .linear(let first, let step, let cap): "\(first) + k × \(step) up to \(cap)\(spread)"
    case .exponential(let first, let factor, let cap):
      "\(first) × \(factor)ᵏ up to \(cap)\(spread)"
    case .decorrelated(let first, let cap): "decorrelated from \(first) up to \(cap)"
    case .custom: "custom"
    }
  }
}

// MARK: - Arithmetic in nanoseconds, all of it saturating

extension Backoff {
  private static func sum(of first: Int64, _ step: Int64, times count: Int) -> Int64 {
    Int64(clamping: Int128(first) + Int128(step) * Int128(count))
  }

  private static func triple(_ delay: Int64) -> Int64 {
    Int64(clamping: 3 * Int128(delay))
  }

  /// By repeated squaring. Infinity is a product as well, and held within the type at the end.
  ///
  /// The relative error grows to some `power` · 2⁻⁵³, which stays below a step's own growth for all
  /// factors above 1.000 000 1: delays never become shorter.
  private static func product(of first: Int64, _ factor: Double, raisedTo power: Int) -> Int64 {
    guard first > 0, factor > 1 else { return first }
    var (result, square, rest) = (Double(first), factor, power)
    while rest > 0, result < 0x1p63 {
      if rest & 1 == 1 { result *= square }
      square *= square
      rest >>= 1
    }
    return Int64(saturating: result)
  }
}

extension Duration {
  fileprivate var nonnegative: Int64 { max(0, saturatingNanoseconds) }
}

// MARK: - Validation

extension Backoff {
  /// A cap below the first delay is no mistake: it holds.
  func validate(_ validation: inout Validation) {
    switch kind {
    case .constant(let delay):
      validation.requireDelay(delay, "backoff")
    case .linear(let first, let step, let cap):
      validation.requireDelay(first, "backoff(from:)")
      validation.requireDelay(step, "backoff(step:)")
      validation.requireDelay(cap, "backoff(cap:)")
    case .exponential(let first, let factor, let cap):
      validation.requireDelay(first, "backoff(from:)")
      validation.require(
        factor >= 1 && factor.isFinite, "backoff(factor:)", is: factor,
        allowed: "1 or more, finite")
      validation.requireDelay(cap, "backoff(cap:)")
    case .decorrelated(let first, let cap):
      validation.requireDelay(first, "backoff(from:)")
      validation.requireDelay(cap, "backoff(cap:)")
    case .custom: break
    }
    jitter.validate(&validation)
  }
}

extension Validation {
  fileprivate mutating func requireDelay(_ delay: Duration, _ parameter: String) {
    require(delay >= .zero, parameter, is: delay, allowed: "zero or more")
  }
}
