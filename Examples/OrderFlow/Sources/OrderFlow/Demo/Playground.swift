package import Foundation

/// Both services, kept up to be played with.
package struct Playground: Sendable {
  /// Long enough to see the circuit open between two calls by hand.
  package static let openFor: Duration = .seconds(5)

  private let shop: Shop
  private let control: OutageControl
  private let controlURL: URL

  package static func open(timeline: Timeline) async throws -> Playground {
    let policies = UserPolicies(openFor: openFor, observer: timeline)
    let shop = try await Shop.open(policies: policies)
    let control = OutageControl(of: shop.userService, timeline: timeline)
    return Playground(shop: shop, control: control, controlURL: try await control.start())
  }

  package func close() async {
    await control.stop()
    await shop.close()
  }

  /// Where everything is, and what to try.
  package var invitation: ServingEntry {
    ServingEntry(
      userService: shop.userServiceURL, orderService: shop.orderServiceURL, control: controlURL)
  }
}

/// The services are up.
package struct ServingEntry: TimelineEntry {
  package static let event = "serving"
  package let userService: URL
  package let orderService: URL
  package let control: URL

  package func text(at time: String) -> String { columns }

  package var columns: String {
    """
    user-service   \(userService)   GET /users/1 to /users/8
    order-service  \(orderService)   POST /orders, GET /circuit
    control        \(control)   POST /outage

    place an order, and see the circuit:
      curl -siw '\\n' \(orderService)/orders -d '{"userId": 1, "items": [{"sku": "tea", "quantity": 2}]}'
      curl -sw '\\n' \(orderService)/circuit
    break the user service (flaky, errors, sluggish, slow, refusing), mend it (healthy), or play all of it (script):
      curl -sw '\\n' \(control)/outage -d '{"mode": "errors"}'
      curl -sw '\\n' \(control)/outage -d '{"mode": "healthy"}'
      curl -sw '\\n' \(control)/outage -d '{"mode": "script", "seconds": 5}'
    place an order twice a second:
      while sleep 0.5; do curl -sw '\\n' \(orderService)/orders -d '{"userId": 1, "items": \
    [{"sku": "tea", "quantity": 2}]}'; done
    place twelve orders at once, more than the order service takes while the user service is sluggish:
      curl -sw '\\n' \(control)/outage -d '{"mode": "sluggish"}'
      seq 12 | xargs -P 12 -I _ curl -sw '\\n' \(orderService)/orders -d '{"userId": 1, "items": \
    [{"sku": "tea", "quantity": 2}]}'

    Ctrl-C stops.
    """
  }
}
