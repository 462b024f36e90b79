import FlyingSocks
import Foundation
import OrderFlow
import Resilience
import Testing

@Suite("Orders at the same time", .timeLimit(.minutes(2)))
struct AdmissionTests {
  private static let busy = Answer(
    503, #"{"error":"the order service is busy","retryAfter":1}"#, ["Retry-After": "1"])
  private static let body = #"{"userId": 1, "items": [{"sku": "tea", "quantity": 2}]}"#

  /// Places orders that stay in flight, since the user service is sluggish.
  private func occupy(_ test: TestShop, orders: Int) async throws -> [Task<Answer, any Error>] {
    try await test.shop.userService.become(.sluggish)
    let before = await test.shop.userService.requests
    let customer = test.customer
    let calls = (0..<orders).map { _ in Task { try await customer.order(by: 1) } }
    while await test.shop.userService.requests < before + orders {
      try await Task.sleep(for: .milliseconds(1))
    }
    return calls
  }

  private func becomesIdle(_ test: TestShop) async throws {
    while test.shop.admission.snapshot().inFlight > 0 {
      try await Task.sleep(for: .milliseconds(1))
    }
  }

  @Test("are taken up to the limit; the next is told to come back, and the others go on")
  func limit() async throws {
    try await TestShop.open(admission: .admission(limit: 2)) { test in
      let others = try await occupy(test, orders: 2)
      #expect(try await test.customer.order(by: 1) == Self.busy)
      #expect(test.shop.userClient.calls == 2)
      try await test.shop.userService.become(.healthy)
      var orders: [Answer] = []
      for other in others { orders.append(try await other.value) }
      #expect(
        orders.sorted { $0.body < $1.body } == [
          Answer(201, #"{"degraded":false,\#(tea),"order":1,\#(ada)}"#),
          Answer(201, #"{"degraded":false,\#(tea),"order":2,\#(ada)}"#),
        ])
      // The one that was turned away has no number.
      let next = try await test.customer.order(by: 1)
      #expect(next == Answer(201, #"{"degraded":false,\#(tea),"order":3,\#(ada)}"#))
      #expect(test.shop.admission.snapshot().totals == .init(admitted: 3, full: 1))
    }
  }

  @Test("nothing of an order that is turned away is looked at")
  func unread() async throws {
    try await TestShop.open(admission: .admission(limit: 1)) { test in
      let other = try await occupy(test, orders: 1)
      #expect(try await test.customer.post("/orders", "tea, please") == Self.busy)
      #expect(try await test.customer.order(by: 99, waiting: "soon") == Self.busy)
      try await test.shop.userService.become(.healthy)
      for order in other { #expect(try await order.value.status == 201) }
      #expect(test.shop.userClient.calls == 1)
    }
  }

  @Test("do not keep operators out")
  func operators() async throws {
    try await TestShop.open(admission: .admission(limit: 1)) { test in
      let other = try await occupy(test, orders: 1)
      _ = try await test.customer.order(by: 1)
      let circuit = try await test.customer.send("GET", "/circuit")
      #expect(circuit.status == 200)
      #expect(circuit.body.contains(#""orders":{"inFlight":1,"limit":1,"refused":1}"#))
      #expect(try await test.customer.send("GET", "/orders").status == 405)
      try await test.shop.userService.become(.healthy)
      for order in other { #expect(try await order.value.status == 201) }
      let after = try await test.customer.send("GET", "/circuit").body
      #expect(after.contains(#""orders":{"inFlight":0,"limit":1,"refused":1}"#))
    }
  }

  @Test("give their places back before they are answered, whatever the answer is")
  func answers() async throws {
    try await TestShop.open(admission: .admission(limit: 1)) { test in
      #expect(try await test.customer.order(by: 1).status == 201)
      #expect(try await test.customer.order(by: 99).status == 422)
      #expect(try await test.customer.post("/orders", "{}").status == 400)
      try await test.shop.userService.become(.errors)
      #expect(try await test.customer.order(by: 2).status == 503)
      #expect(try await test.customer.order(by: 1).status == 201)
      let admission = test.shop.admission.snapshot()
      #expect(admission.totals == .init(admitted: 5))
      #expect(admission.inFlight == 0)
    }
  }

  private func connect(_ test: TestShop, sending text: String) async throws -> AsyncSocket {
    let port = UInt16(try #require(test.shop.orderServiceURL.port))
    let socket = try await AsyncSocket.connected(to: .inet(ip4: "127.0.0.1", port: port))
    try await socket.write(Data(text.utf8))
    return socket
  }

  private static let order = """
    POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)
    """

  @Test("of a client that hangs up give their places back when they have ended")
  func hangUp() async throws {
    try await TestShop.open(admission: .admission(limit: 1)) { test in
      try await test.shop.userService.become(.sluggish)
      let socket = try await connect(test, sending: Self.order)
      while await test.shop.userService.requests == 0 {
        try await Task.sleep(for: .milliseconds(1))
      }
      try socket.close()
      #expect(try await test.customer.order(by: 1) == Self.busy)
      try await test.shop.userService.become(.healthy)
      try await becomesIdle(test)
      #expect(try await test.customer.order(by: 1).status == 201)
    }
  }

  @Test("of a client that hangs up hold their places no longer than the total timeout")
  func hangUpOnHangingService() async throws {
    try await TestShop.open(
      total: .milliseconds(200), admission: .admission(limit: 1)
    ) { test in
      try await test.shop.userService.become(.sluggish)
      let socket = try await connect(test, sending: Self.order)
      while await test.shop.userService.requests == 0 {
        try await Task.sleep(for: .milliseconds(1))
      }
      try socket.close()
      try await becomesIdle(test)
      #expect(test.shop.admission.snapshot().totals == .init(admitted: 1))
    }
  }

  @Test("hold no place before they have arrived")
  func slowClient() async throws {
    try await TestShop.open(admission: .admission(limit: 1)) { test in
      let half = Self.order.prefix(Self.order.count - 10)
      let socket = try await connect(test, sending: String(half))
      #expect(try await test.customer.order(by: 1).status == 201)
      try await socket.write(Data(Self.order.suffix(10).utf8))
      while test.shop.admission.snapshot().totals.admitted < 2 {
        try await Task.sleep(for: .milliseconds(1))
      }
      try socket.close()
    }
  }
}
