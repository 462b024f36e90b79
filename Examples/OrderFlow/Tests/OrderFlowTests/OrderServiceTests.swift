import Foundation
import OrderFlow
import Resilience
import ResilienceTesting
import Testing

@Suite("The order service")
struct OrderServiceTests {
  @Test("creates an order for a user that exists")
  func created() async throws {
    try await TestShop.open { test in
      let first = try await test.customer.order(by: 1)
      #expect(first == Answer(201, #"{"degraded":false,\#(tea),"order":1,\#(ada)}"#))
      let second = try await test.customer.order(by: 1)
      #expect(second == Answer(201, #"{"degraded":false,\#(tea),"order":2,\#(ada)}"#))
      #expect(test.breaker.snapshot().counts == .init(successes: 2, consecutiveSuccesses: 2))
    }
  }

  @Test("answers 422 for an unknown user, which the breaker ignores")
  func unknownUser() async throws {
    try await TestShop.open { test in
      _ = try await test.customer.order(by: 1)
      for _ in 0..<6 {
        let answer = try await test.customer.order(by: 99)
        #expect(answer == Answer(422, #"{"error":"there is no user 99"}"#))
      }
      #expect(
        test.breaker.snapshot().counts
          == .init(successes: 1, ignored: 6, consecutiveSuccesses: 1))
      #expect(test.breaker.state == .closed)
    }
  }

  @Test(
    "falls back to the last known user while the user service fails",
    arguments: [
      (Health.errors, Duration.seconds(30), "user-service answered 500"),
      (.slow, .milliseconds(100), "user-service did not answer within 0.10 s"),
      (.refusing, .seconds(30), "user-service refused the connection"),
    ])
  func degraded(health: Health, timeout: Duration, reason: String) async throws {
    let known = [User(id: 1, name: "Ada")]
    try await TestShop.open(attempt: timeout, knowing: known) { test in
      try await test.shop.userService.become(health)
      let answer = try await test.customer.order(by: 1)
      let body = #"{"degraded":true,\#(tea),"order":1,"reason":"\#(reason)",\#(ada)}"#
      #expect(answer == Answer(201, body))
      // The budget pays for one more attempt.
      #expect(test.breaker.snapshot().counts == .init(failures: 2, consecutiveFailures: 2))
    }
  }

  @Test("answers 503 while the user service fails and the user was never seen")
  func neverSeen() async throws {
    try await TestShop.open { test in
      try await test.shop.userService.become(.errors)
      let body =
        #"{"error":"user 2 cannot be checked and is not known here","#
        + #""reason":"user-service answered 500","retryAfter":1}"#
      let answer = try await test.customer.order(by: 2)
      #expect(answer == Answer(503, body, ["Retry-After": "1"]))
    }
  }

  @Test("forgets a user of whom the user service knows no longer")
  func forgets() async throws {
    try await TestShop.open(knowing: [User(id: 99, name: "Grete")]) { test in
      #expect(try await test.customer.order(by: 99).status == 422)
      try await test.shop.userService.become(.errors)
      #expect(try await test.customer.order(by: 99).status == 503)
    }
  }

  @Test("opens after five failures in a row, and then leaves the user service alone")
  func opens() async throws {
    try await TestShop.open { test in
      _ = try await test.customer.order(by: 1)
      try await test.trip()
      let calls = test.shop.userClient.calls
      let degraded = try await test.customer.order(by: 1)
      #expect(
        degraded
          == Answer(
            201,
            #"{"degraded":true,\#(tea),"order":2,"reason":"circuit open, next try in 30.0 s",\#(ada)}"#
          ))
      await test.clock.advance(by: .milliseconds(10_500))
      let refused = try await test.customer.order(by: 3)
      #expect(
        refused
          == Answer(
            503,
            #"{"error":"user 3 cannot be checked and is not known here","#
              + #""reason":"circuit open, next try in 19.5 s","retryAfter":20}"#,
            ["Retry-After": "20"]))
      #expect(test.shop.userClient.calls == calls)
      #expect(test.breaker.snapshot().counts == .init(rejected: 2))
    }
  }

  @Test("reopens when the probe fails, and closes after three that succeed")
  func recovers() async throws {
    try await TestShop.open { test in
      _ = try await test.customer.order(by: 1)
      try await test.trip()
      await test.clock.advance(by: .seconds(30))
      #expect(test.breaker.state == .halfOpen)
      _ = try await test.customer.order(by: 1)
      #expect(test.breaker.state == .open)

      await test.clock.advance(by: .seconds(30))
      try await test.shop.userService.become(.healthy)
      for state in [CircuitBreaker.State.halfOpen, .halfOpen, .closed] {
        #expect(try await test.customer.order(by: 1).body.hasPrefix(#"{"degraded":false"#))
        #expect(test.breaker.state == state)
      }
      #expect(
        test.breaker.snapshot().totals
          == .init(successes: 4, failures: 6, trips: 1, reopenings: 1))
    }
  }

  @Test("shows the circuit, the retry around it, and how many orders it works on")
  func circuit() async throws {
    try await TestShop.open { test in
      _ = try await test.customer.order(by: 1)
      _ = try await test.customer.order(by: 99)
      #expect(
        try await test.customer.send("GET", "/circuit")
          == Answer(
            200,
            #"{"consecutiveFailures":0,"failures":0,"ignored":1,"#
              + #""orders":{"inFlight":0,"limit":8,"refused":0},"#
              + #""retry":{"budget":1,"budgetRefused":0,"recovered":0,"retries":0},"#
              + #""state":"closed","successes":1}"#))
      try await test.trip()
      await test.clock.advance(by: .seconds(10))
      #expect(
        try await test.customer.send("GET", "/circuit")
          == Answer(
            200,
            #"{"consecutiveFailures":0,"failures":0,"ignored":0,"#
              + #""orders":{"inFlight":0,"limit":8,"refused":0},"#
              + #""retry":{"budget":0,"budgetRefused":4,"recovered":0,"retries":1},"#
              + #""retryAfter":20,"state":"open","successes":0}"#))
    }
  }

  @Test(
    "answers other paths and methods in JSON, and stays usable",
    arguments: [
      ("GET", "/orders", Answer(405, #"{"error":"/orders answers POST only"}"#, ["Allow": "POST"])),
      (
        "DELETE", "/circuit",
        Answer(405, #"{"error":"/circuit answers GET only"}"#, ["Allow": "GET"])
      ),
      ("GET", "/", Answer(404, #"{"error":"there is nothing at /"}"#)),
      ("POST", "/order", Answer(404, #"{"error":"there is nothing at /order"}"#)),
      ("HEAD", "/orders", Answer(405, "", ["Allow": "POST"])),
    ])
  func elsewhere(method: String, path: String, expected: Answer) async throws {
    try await TestShop.open { test in
      let body = method == "POST" ? Data(repeating: 0x20, count: 20_000) : nil
      let answer = try await test.customer.send(method, path, body)
      #expect(answer == expected)
      #expect(try await test.customer.order(by: 1).status == 201)
    }
  }

  @Test("takes orders from many customers at once")
  func concurrent() async throws {
    try await TestShop.open { test in
      let url = test.shop.orderServiceURL
      let orders = try await withThrowingTaskGroup(of: [Answer].self) { group in
        for customer in 0..<8 {
          group.addTask {
            let browser = Browser(url)
            defer { browser.close() }
            var answers: [Answer] = []
            for order in 0..<10 {
              answers.append(try await browser.order(by: 1 + (customer + order) % 8))
            }
            return answers
          }
        }
        return try await group.reduce(into: []) { $0 += $1 }
      }
      #expect(orders.map(\.status) == Array(repeating: 201, count: 80))
      let numbers = try orders.map {
        try JSONDecoder().decode(Receipt.self, from: Data($0.body.utf8)).order
      }
      #expect(numbers.sorted() == Array(1...80))
      #expect(test.breaker.snapshot().counts == .init(successes: 80, consecutiveSuccesses: 80))
    }
  }
}
