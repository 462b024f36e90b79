package import Resilience

extension Bulkhead {
  /// How many orders the order service works on at a time.
  ///
  /// Eight are far more than its customers need while all is well, since an order takes milliseconds;
  /// and when the user service hangs, no more than eight orders are held up, each for as long as the
  /// total timeout lets it.
  ///
  /// No queue: an order that waits here uses up its customer's time and gets nothing for it, while
  /// one that is refused at once can be placed elsewhere, or again. A burst that is shorter than
  /// that queues in the connections anyway.
  package static func admission(limit: Int = 8) -> Bulkhead {
    Bulkhead("order-service", limit: limit)
  }
}

extension Problem {
  /// What an order is told that finds no room.
  ///
  /// Nobody knows when a place is given back, except that it is soon; a second is the least that the
  /// header can say.
  package static let busy = Problem("the order service is busy", retryAfter: 1)
}

/// The bulkhead's snapshot, as JSON.
package struct AdmissionReport: Codable, Equatable, Sendable {
  /// The orders that are worked on now.
  package let inFlight: Int
  /// How many may be.
  package let limit: Int
  /// The orders that were answered "busy" so far.
  package let refused: Int

  package init(_ snapshot: Bulkhead.Snapshot) {
    inFlight = snapshot.inFlight
    limit = snapshot.limit
    refused = snapshot.totals.rejected
  }
}
