import Resilience

extension Demo {
  /// How many more orders are placed at once than the order service works on.
  private static let tooMany = 4

  /// Places more orders at once than the order service works on, while the user service takes its
  /// time: so many are let in and wait for it, and the rest are turned away.
  ///
  /// When the rest have been answered, the user service is itself again and answers those who wait.
  /// So it is not the clock that decides who is let in.
  mutating func rush() async throws {
    try await become(.sluggish)
    let limit = shop.admission.limit
    let orders = (0..<limit + Self.tooMany).map { _ in shopper.order(by: shopper.regular()) }
    timeline.add(RushEntry(orders: orders.count, limit: limit))
    let requestsBefore = shop.userClient.calls
    let answers = try await place(orders)
    ledger.add(answers, requests: shop.userClient.calls - requestsBefore)
  }

  private func place(_ orders: [Order]) async throws -> [RushOrderEntry] {
    try await withThrowingTaskGroup(of: RushOrderEntry.self) { group in
      for (index, order) in orders.enumerated() {
        group.addTask { [self] in try await place(order, asNumber: index + 1) }
      }
      var answers: [RushOrderEntry] = []
      for try await answer in group {
        answers.append(answer)
        if answers.count == Self.tooMany { try await become(.healthy) }
      }
      return answers
    }
  }

  private func place(_ order: Order, asNumber number: Int) async throws -> RushOrderEntry {
    let reply = try await customer.place(order)
    let entry = RushOrderEntry(
      order: number, user: order.userId, status: reply.status, answer: reply.answer,
      state: "\(shop.policies.breaker.state)", why: reply.why, retryAfter: reply.retryAfter)
    timeline.add(entry)
    return entry
  }
}
