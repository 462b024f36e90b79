import Foundation
import OrderFlow
import Resilience
import Testing

struct BadOrder: CustomTestStringConvertible {
  let body: String
  let why: [String]

  init(_ body: String, _ why: [String] = []) {
    self.body = body
    self.why = why
  }

  // Some are megabytes long.
  var testDescription: String { "\(body.prefix(60)) (\(body.utf8.count) bytes)" }
}

@Suite("A body that is no order")
struct BadOrderTests {
  private static let deep = 30_000
  private static let whole = "must be a whole number, 1 or more"
  private static let quantity = "items[0].quantity must be a whole number, 1 to 1000"
  private static let sku = "items[0].sku must be 1 to 64 letters, digits, '-', '_' or '.'"

  private static func quantity(_ number: String) -> String {
    #"{"userId": 1, "items": [{"sku": "tea", "quantity": \#(number)}]}"#
  }

  private static func sku(_ text: String) -> String {
    #"{"userId": 1, "items": [{"sku": "\#(text)", "quantity": 1}]}"#
  }

  private static func userId(_ text: String) -> String {
    #"{"userId": \#(text), "items": [{"sku": "tea", "quantity": 1}]}"#
  }

  private static func items(_ count: Int) -> String {
    let item = #"{"sku":"a","quantity":1}"#
    return
      #"{"userId":1,"items":[\#(Array(repeating: item, count: count).joined(separator: ","))]}"#
  }

  static let malformed: [BadOrder] = [
    BadOrder("", ["the body is not JSON: Unexpected end of file during JSON parse."]),
    BadOrder("{", ["the body is not JSON: Unexpected end of file during JSON parse."]),
    BadOrder("tea, please", ["the body is not JSON: Invalid value around character 1."]),
    BadOrder(
      "{\"userId\": 1,, }",
      ["the body is not JSON: Invalid value around character 13."]),
    BadOrder(
      quantity("1") + " x", ["the body is not JSON: Invalid value around character 56."]),
    BadOrder("[]", ["the body must be a JSON object"]),
    BadOrder("null", ["the body must be a JSON object"]),
    BadOrder("\"order\"", ["the body must be a JSON object"]),
    BadOrder(
      String(repeating: "[", count: deep),
      ["the body is not JSON: Too many nested arrays or dictionaries around character 513."]
    ),
    BadOrder(
      String(repeating: "{\"a\":", count: deep / 5),
      ["the body is not JSON: Too many nested arrays or dictionaries around character 2561."]
    ),
  ]

  static let incomplete: [BadOrder] = [
    BadOrder("{}", ["userId is missing", "items is missing"]),
    BadOrder(#"{"userId": 1}"#, ["items is missing"]),
    BadOrder(#"{"userId": null, "items": null}"#, ["userId is missing", "items is missing"]),
    BadOrder(
      #"{"userId": 1, "items": [{}, {"sku": "tea"}, {"quantity": 1}]}"#,
      [
        "items[0].sku is missing", "items[0].quantity is missing", "items[1].quantity is missing",
        "items[2].sku is missing",
      ]
    ),
  ]

  static let outOfRange: [BadOrder] = [
    BadOrder(userId("\"1\""), ["userId \(whole)"]),
    BadOrder(userId("0"), ["userId \(whole)"]),
    BadOrder(userId("-1"), ["userId \(whole)"]),
    BadOrder(userId("1.5"), ["userId \(whole)"]),
    BadOrder(userId("true"), ["userId \(whole)"]),
    BadOrder(userId("9223372036854775808"), ["userId \(whole)"]),
    BadOrder(quantity("0"), [quantity]),
    BadOrder(quantity("-3"), [quantity]),
    BadOrder(quantity("1.5"), [quantity]),
    BadOrder(quantity("1001"), [quantity]),
    BadOrder(quantity("1e30"), [quantity]),
    BadOrder(quantity("1e400"), [quantity]),
    BadOrder(quantity("1" + String(repeating: "0", count: 30)), [quantity]),
    BadOrder(quantity(String(repeating: "9", count: 50_000)), [quantity]),
    BadOrder(quantity("\"2\""), [quantity]),
    BadOrder(quantity("[2]"), [quantity]),
    BadOrder(sku(""), [sku]),
    BadOrder(sku(String(repeating: "a", count: 65)), [sku]),
    BadOrder(sku("green tea"), [sku]),
    BadOrder(sku("th\\u00e9"), [sku]),
    BadOrder(sku("\\ud800"), [sku]),
    BadOrder(sku("\\u0000"), [sku]),
    BadOrder(#"{"userId": 1, "items": {}}"#, ["items must be a list of 1 to 100 items"]),
    BadOrder(#"{"userId": 1, "items": "tea"}"#, ["items must be a list of 1 to 100 items"]),
    BadOrder(#"{"userId": 1, "items": [1]}"#, ["items[0] must be an object"]),
    BadOrder(items(0), ["items must be a list of 1 to 100 items, not of 0"]),
    BadOrder(items(101), ["items must be a list of 1 to 100 items, not of 101"]),
    BadOrder(items(2_000), ["items must be a list of 1 to 100 items, not of 2000"]),
    BadOrder(
      #"{"userId": 1, "items": [\#(Array(repeating: "1", count: 100).joined(separator: ","))]}"#,
      (0..<10).map { "items[\($0)] must be an object" } + ["and 90 more"]
    ),
  ]

  static let tooLong: [BadOrder] = [
    BadOrder(items(100_000)), BadOrder(String(repeating: "x", count: 10_000_000)),
    BadOrder(String(repeating: " ", count: 65_537)),
  ]

  @Test("is answered 400, and told what is wrong with it", arguments: malformed)
  func malformedBody(bad: BadOrder) async throws {
    try await expect(bad)
  }

  @Test("is told everything that is missing", arguments: incomplete)
  func incompleteBody(bad: BadOrder) async throws {
    try await expect(bad)
  }

  @Test("is told what is allowed instead", arguments: outOfRange)
  func outOfRangeBody(bad: BadOrder) async throws {
    try await expect(bad)
  }

  private func expect(_ bad: BadOrder) async throws {
    try await TestShop.open { test in
      let answer = try await test.customer.post("/orders", bad.body)
      let problem = try JSONEncoder.sorted.encode(Problem("this is no order", problems: bad.why))
      #expect(answer == Answer(400, String(decoding: problem, as: UTF8.self)))
      #expect(test.breaker.snapshot().counts == .init())
      #expect(test.shop.userClient.calls == 0)
    }
  }

  @Test("is not read when it is too long; the next order is taken", arguments: tooLong)
  func tooLongBody(bad: BadOrder) async throws {
    try await TestShop.open { test in
      let answer = try await test.customer.post("/orders", bad.body)
      #expect(answer == Answer(400, #"{"error":"the body is longer than 65536 bytes"}"#))
      let next = try await test.customer.order(by: 1)
      #expect(next == Answer(201, #"{"degraded":false,\#(tea),"order":1,\#(ada)}"#))
    }
  }

  @Test("is taken when it is at a limit")
  func limits() async throws {
    try await TestShop.open { test in
      for body in [
        Self.items(100), Self.quantity("1000"), Self.quantity("1.0"),
        Self.sku(String(repeating: "a", count: 64)), Self.sku("A-1_b.c"),
        Self.quantity("1") + String(repeating: " ", count: 65_536 - Self.quantity("1").utf8.count),
      ] {
        #expect(try await test.customer.post("/orders", body).status == 201)
      }
      let nobody = try await test.customer.post("/orders", Self.userId("9223372036854775807"))
      #expect(nobody == Answer(422, #"{"error":"there is no user 9223372036854775807"}"#))
    }
  }
}
