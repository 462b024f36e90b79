/// What a policy says about itself where several are composed: its part in the composition, its
/// name and its settings.
///
/// For descriptions and for checks of a composition; calls do not depend on it.
public struct PolicyLayer: Hashable, Sendable, CustomStringConvertible {
  /// What the policy does in the composition.
  public let role: Role

  /// The name of the policy.
  public let name: String

  /// The settings in words, for a log; empty if there are none.
  public let settings: String

  /// A layer; without settings unless told otherwise.
  public init(role: Role, name: String, settings: String = "") {
    self.role = role
    self.name = name
    self.settings = settings
  }

  /// The layer in words, for a log: `timeout "total" (1.0 seconds)`.
  public var description: String {
    settings.isEmpty ? "\(role) \"\(name)\"" : "\(role) \"\(name)\" (\(settings))"
  }
}

extension PolicyLayer {
  /// What a policy does in a composition, with what the order of policies depends on.
  ///
  /// More roles may come.
  public struct Role: Hashable, Sendable, CustomStringConvertible {
    enum Kind: Hashable, Sendable {
      case circuitBreaker
      case retry(maxAttempts: Int, nests: Bool)
      case timeout(Duration, abandons: Bool)
      case bulkhead
      case rateLimiter
      case hedge
      case throttle
      case adaptiveLimiter
      case faultInjection
      case other
    }

    let kind: Kind

    /// Refuses calls while the dependency fails.
    public static let circuitBreaker = Role(kind: .circuitBreaker)

    /// Repeats a call that failed.
    ///
    /// - Parameters:
    ///   - maxAttempts: how many attempts it makes at most, the first among them.
    ///   - nests: whether it makes as many inside another retry; if not, one.
    public static func retry(maxAttempts: Int, nests: Bool) -> Role {
      Role(kind: .retry(maxAttempts: maxAttempts, nests: nests))
    }

    /// Ends a call after this limit.
    ///
    /// - Parameters:
    ///   - limit: how long a call may take.
    ///   - abandons: whether it goes on without an operation that does not end.
    public static func timeout(_ limit: Duration, abandons: Bool = false) -> Role {
      Role(kind: .timeout(limit, abandons: abandons))
    }

    /// Bounds how many calls run at a time.
    public static let bulkhead = Role(kind: .bulkhead)

    /// Bounds how many calls start in a time.
    public static let rateLimiter = Role(kind: .rateLimiter)

    /// Starts a further attempt beside one that takes long.
    public static let hedge = Role(kind: .hedge)

    /// Refuses a share of the calls of a dependency that refuses them itself.
    public static let throttle = Role(kind: .throttle)

    /// Bounds how many calls run at a time, and finds the bound by itself.
    public static let adaptiveLimiter = Role(kind: .adaptiveLimiter)

    /// Makes calls fail on purpose.
    public static let faultInjection = Role(kind: .faultInjection)

    /// Anything else.
    public static let other = Role(kind: .other)

    /// The role in a word or two; `policy` for ``other``.
    public var description: String {
      switch kind {
      case .circuitBreaker: "circuit breaker"
      case .retry: "retry"
      case .timeout: "timeout"
      case .bulkhead: "bulkhead"
      case .rateLimiter: "rate limiter"
      case .hedge: "hedge"
      case .throttle: "throttle"
      case .adaptiveLimiter: "adaptive limiter"
      case .faultInjection: "fault injection"
      case .other: "policy"
      }
    }
  }
}
