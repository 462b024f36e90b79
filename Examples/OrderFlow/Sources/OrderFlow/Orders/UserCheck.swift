package import Resilience

/// Checks users at the user service; this is where the library is called.
package struct UserCheck: Sendable {
  package let policies: UserPolicies
  private let users: UserClient
  private let known: LastKnownGood<Int, User>

  package init(
    _ users: UserClient, through policies: UserPolicies,
    known: LastKnownGood<Int, User> = LastKnownGood("users")
  ) {
    self.policies = policies
    self.users = users
    self.known = known
  }

  /// - Returns: the user as the service has it now; failing that, the user as it was last known.
  /// - Throws: ``UnknownUser``; ``UncheckedUser`` if the service cannot be asked and the user was
  ///   never seen; `CancellationError`.
  package func check(_ id: Int) async throws -> CheckedUser {
    try await policies.pipeline.run {
      let user = try await users.find(id)
      known.remember(user, for: id)
      return CheckedUser(user: user, cause: nil)
    } fallback: { error in
      switch error {
      case is UnknownUser:
        // An answer, and a right one: what was known of the user is so no longer.
        known.forget(id)
        throw error
      default:
        guard let last = known.recall(id) else { throw UncheckedUser(id: id, cause: error) }
        return CheckedUser(user: last.value, cause: error)
      }
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
