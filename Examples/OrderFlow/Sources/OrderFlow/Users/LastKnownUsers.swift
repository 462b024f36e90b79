/// The users that were checked last, for when the user service cannot be asked.
package actor LastKnownUsers {
  private let capacity: Int
  private var users: [Int: User] = [:]
  private var oldestFirst: [Int] = []

  /// - Parameter capacity: how many are kept; the one that has been known longest makes room.
  package init(capacity: Int = 1_000) {
    self.capacity = max(1, capacity)
  }

  package subscript(id: Int) -> User? { users[id] }

  package func remember(_ user: User) {
    if users.updateValue(user, forKey: user.id) == nil { oldestFirst.append(user.id) }
    if oldestFirst.count > capacity { users[oldestFirst.removeFirst()] = nil }
  }
}
