/// A user, as the user service tells it.
package struct User: Codable, Equatable, Sendable {
  package let id: Int
  package let name: String

  package init(id: Int, name: String) {
    self.id = id
    self.name = name
  }

  /// Everybody the user service knows: users 1 to 8.
  package static let directory: [User] = [
    "Ada", "Barbara", "Charles", "Donald", "Edsger", "Frances", "Grace", "Hedy",
  ].enumerated().map { User(id: $0 + 1, name: $1) }
}

/// The user service answered, and there is no such user.
///
/// It says nothing about the health of the service: the circuit breaker ignores it.
package struct UnknownUser: Error {
  package let id: Int
}
