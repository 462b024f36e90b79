/// Orders are placed at once.
package struct RushEntry: TimelineEntry {
  package static let event = "rush"
  package let orders: Int
  /// How many the order service works on at a time.
  package let limit: Int

  package var columns: String {
    "\(orders) orders at once, and order-service works on \(limit) at a time"
  }
}

/// One of them was answered.
package struct RushOrderEntry: TimelineEntry, AnsweredOrder {
  package static let event = "rush-order"
  /// The number of the order in the rush; the first is 1. They are answered in any order.
  package let order: Int
  package let user: Int
  package let status: Int
  package let answer: OrderEntry.Answer
  /// The state of the circuit after it.
  package let state: String
  package let why: String
  package let retryAfter: Int?

  package var columns: String { answerColumns("rush \(order)", state: state) }
}
