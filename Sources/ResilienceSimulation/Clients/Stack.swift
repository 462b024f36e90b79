public import Resilience

/// The policies that clients call the service through: what a scenario is run against.
///
/// ```swift
/// let mine = Stack("mine") { client in
///   Pipeline {
///     Timeout(client.deadline, clock: client.clock)
///     Retry(maxAttempts: client.maxAttempts, clock: client.clock, seed: client.seed())
///     CircuitBreaker(
///       "users", clock: client.clock, seed: client.seed(), observers: client.observers)
///     Timeout(client.attemptTimeout, clock: client.clock)
///   }
/// }
/// ```
public struct Stack: Sendable {
  typealias Router = @Sendable (Request) -> any ConcurrentPolicy

  /// What it is called in reports.
  public let name: String

  let make: @Sendable (Client) -> Router
  let guardian: (@Sendable (Client) -> any ConcurrentPolicy)?

  /// A stack that each client makes once for itself.
  ///
  /// - Parameters:
  ///   - name: what it is called in reports.
  ///   - make: makes the policies of one client.
  public init(_ name: String, _ make: @escaping @Sendable (Client) -> any ConcurrentPolicy) {
    self.init(
      name,
      make: { client in
        let policy = make(client)
        return { _ in policy }
      }, guardian: nil)
  }

  /// A stack that chooses policies by request: a breaker for each shard, say.
  ///
  /// - Parameters:
  ///   - name: what it is called in reports.
  ///   - make: makes, for one client, what chooses the policies of each call.
  public init(
    _ name: String,
    routing make: @escaping @Sendable (Client) -> @Sendable (Request) -> any ConcurrentPolicy
  ) {
    self.init(name, make: make, guardian: nil)
  }

  private init(
    _ name: String, make: @escaping @Sendable (Client) -> Router,
    guardian: (@Sendable (Client) -> any ConcurrentPolicy)?
  ) {
    self.name = name
    self.make = make
    self.guardian = guardian
  }

  /// This stack for a service that admits requests under a policy of its own, such as an adaptive
  /// limiter.
  ///
  /// What the policy refuses is answered with ``ServiceError/overloaded``. The service knows how much
  /// each request matters, and by when it is to be answered.
  ///
  /// - Parameters:
  ///   - name: what the two are called together in reports.
  ///   - guardian: makes the policy of the service.
  public func guarded(
    _ name: String, by guardian: @escaping @Sendable (Client) -> any ConcurrentPolicy
  ) -> Stack {
    Stack(name, make: make, guardian: guardian)
  }
}
