/// An order that may be placed: every field is there and within its limits.
package struct Order: Codable, Equatable, Sendable {
  package let userId: Int
  package let items: [Item]

  package struct Item: Codable, Equatable, Sendable {
    package let sku: String
    package let quantity: Int

    package init(sku: String, quantity: Int) {
      self.sku = sku
      self.quantity = quantity
    }
  }

  package init(userId: Int, items: [Item]) {
    self.userId = userId
    self.items = items
  }

  /// What an order may hold.
  package enum Limits {
    package static let items = 1...100
    package static let quantity = 1...1_000
    package static let skuLength = 1...64
  }
}

/// The answer to an order that was placed.
package struct Receipt: Codable, Equatable, Sendable {
  package let order: Int
  package let user: User
  package let items: [Order.Item]
  /// The user could not be checked now; `user` is what was known.
  package let degraded: Bool
  /// Why the user could not be checked.
  package let reason: String?
}
