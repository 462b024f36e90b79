package import Resilience

/// Checks users at the user service; this is where the circuit breaker is used.
package struct UserCheck: Sendable {
  package let breaker: CircuitBreaker
  private let users: UserClient
  private let known: LastKnownUsers

  package init(
    _ users: UserClient, through breaker: CircuitBreaker, known: LastKnownUsers = .init()
  ) {
    self.breaker = breaker
    self.users = users
    self.known = known
  }

  /// - Returns: the user as the service has it now; failing that, the user as it was last known.
  /// - Throws: ``UnknownUser``; ``UncheckedUser`` if the service cannot be asked and the user was
  ///   never seen; `CancellationError`.
  package func check(_ id: Int) async throws -> CheckedUser {
    try await breaker.run {
      let user = try await users.find(id)
      await known.remember(user)
      return CheckedUser(user: user, cause: nil)
    } fallback: { error in
      if error is UnknownUser { throw error }
      guard let user = await known[id] else { throw UncheckedUser(id: id, cause: error) }
      return CheckedUser(user: user, cause: error)
    }
  }
}

/// A user to take an order from.
package struct CheckedUser: Sendable {
  package let user: User
  /// Why `user` is only what was last known; `nil` if the user service has just told it.
  package let cause: (any Error)?
}

/// The user service cannot be asked, and the user was never seen.
package struct UncheckedUser: RetryAfterHint {
  package let id: Int
  package let cause: any Error

  package var retryAfter: Duration? { (cause as? any RetryAfterHint)?.retryAfter }
}

extension CircuitBreaker {
  /// The classic configuration: five failures in a row within ten seconds open the circuit, three
  /// probes that succeed close it.
  ///
  /// - Parameter openFor: 30 s in production; a demo shortens it.
  package static func classic(
    openFor: Duration, clock: any Clock<Duration> = ContinuousClock(),
    observers: [any ResilienceObserver] = []
  ) -> CircuitBreaker {
    CircuitBreaker(
      "user-service",
      tripping: .consecutiveFailures(5),
      over: .interval(.seconds(10)),
      recovery: Recovery(
        openFor: .constant(openFor), probes: 3, successesToClose: 3, probation: .zero),
      // That there is no such user is an answer, and a right one.
      classify: { error in error is UnknownUser ? .ignored : nil },
      clock: clock,
      observers: observers)
  }
}
