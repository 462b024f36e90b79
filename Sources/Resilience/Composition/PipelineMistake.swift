/// An order of policies that is known not to do what it looks like.
///
/// ``Pipeline/validate()`` finds them; for calls that are nested by hand,
/// ``mistakes(in:)`` does.
public struct PipelineMistake: Hashable, Sendable, CustomStringConvertible {
  /// What is wrong.
  ///
  /// Compare it with the members below; more may come.
  public struct Kind: Hashable, Sendable {
    enum Rule: Hashable, Sendable {
      case timeoutWithoutEffect
      case circuitBreakerOutsideRetry
      case slotHeldDuringRetry
      case limitOutsideRetry
      case retryInsideHedge
      case retryInsideRetry
      case noAttemptTimeout
    }

    let rule: Rule

    /// A timeout is not shorter than one outside it, which ends every call first.
    public static let timeoutWithoutEffect = Kind(rule: .timeoutWithoutEffect)

    /// A circuit breaker outside a retry counts one outcome for many attempts.
    public static let circuitBreakerOutsideRetry = Kind(rule: .circuitBreakerOutsideRetry)

    /// A bulkhead or an adaptive limiter outside a retry holds its slot while the retry waits.
    public static let slotHeldDuringRetry = Kind(rule: .slotHeldDuringRetry)

    /// A rate limiter or a throttle outside a retry does not see the further attempts.
    public static let limitOutsideRetry = Kind(rule: .limitOutsideRetry)

    /// A retry inside a hedge: every hedge is a series of attempts.
    public static let retryInsideHedge = Kind(rule: .retryInsideHedge)

    /// A retry inside another makes one attempt, unless it is told to nest.
    public static let retryInsideRetry = Kind(rule: .retryInsideRetry)

    /// A timeout around all attempts, and none around each: one that hangs uses up everything.
    public static let noAttemptTimeout = Kind(rule: .noAttemptTimeout)
  }

  /// What is wrong.
  public let kind: Kind

  /// The two layers involved, the outer first.
  public let layers: [PolicyLayer]

  /// Where those layers stand among all; the outermost of all is 0.
  public let positions: [Int]

  /// One line for a log: what is wrong, why, and what to do about it.
  public var description: String {
    let (outer, inner) = (Self.title(layers[0]), Self.title(layers[1]))
    return switch kind.rule {
    case .timeoutWithoutEffect:
      "\(inner) is inside \(outer) and not shorter: it never ends a call. "
        + "Make it shorter, or leave it out."
    case .circuitBreakerOutsideRetry:
      "\(outer) is outside \(inner): it counts one outcome for all attempts of a call, "
        + "and a probe lasts as long as all of them. Put it inside the retry."
    case .slotHeldDuringRetry:
      "\(outer) is outside \(inner): a call holds its slot while it waits between attempts. "
        + "Put it inside the retry."
    case .limitOutsideRetry:
      "\(outer) is outside \(inner): it counts calls, and the attempts after the first pass "
        + "uncounted. Put it inside the retry."
    case .retryInsideHedge:
      "\(inner) is inside \(outer): every hedge is a series of attempts, and one starts while "
        + "another only waits for its next. Put the retry outside the hedge, or leave one out."
    case .retryInsideRetry:
      "\(inner) is inside \(outer): it makes one attempt. "
        + "Leave one out, or allow nesting if attempts shall multiply."
    case .noAttemptTimeout:
      "\(inner) is inside \(outer) and has no timeout inside: one attempt that hangs uses up "
        + "all the time, and nothing is retried. Put a shorter timeout inside the retry."
    }
  }

  private static func title(_ layer: PolicyLayer) -> String { "\(layer.role) \"\(layer.name)\"" }
}

extension Pipeline {
  /// The mistakes that are known in the order of these policies, from the outermost on; none for
  /// the order that ``Pipeline`` recommends.
  ///
  /// It looks at what the policies say of themselves, and at the branches that were taken. What the
  /// operation does inside, and what runs the pipeline, it cannot see.
  public func validate() -> [PipelineMistake] { PipelineMistake.mistakes(in: layers) }
}
