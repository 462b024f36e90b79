import Foundation
import OrderFlow
import Resilience
import ResilienceTesting
import Synchronization
import Testing

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// An answer, as a client sees it.
struct Answer: Equatable, CustomStringConvertible {
  var status: Int
  var body: String
  var headers: [String: String] = [:]

  init(_ status: Int, _ body: String, _ headers: [String: String] = [:]) {
    self.status = status
    self.body = body
    self.headers = headers
  }

  var description: String { "\(status) \(body) \(headers)" }
}

/// Calls a service over HTTP, on one connection as far as the service keeps it.
struct Browser {
  let base: URL
  private let session = URLSession.loopback()

  init(_ base: URL) { self.base = base }

  func send(
    _ method: String = "GET", _ path: String, _ body: Data? = nil,
    waiting milliseconds: String? = nil
  ) async throws -> Answer {
    var request = URLRequest(url: try #require(URL(string: path, relativeTo: base)))
    request.setValue(milliseconds, forHTTPHeaderField: "X-Request-Timeout-Ms")
    request.httpMethod = method
    request.httpBody = body
    let (data, response) = try await session.data(for: request)
    let head = try #require(response as? HTTPURLResponse)
    var headers: [String: String] = [:]
    for name in ["Retry-After", "Allow"] { headers[name] = head.value(forHTTPHeaderField: name) }
    #expect(
      method == "HEAD" || head.value(forHTTPHeaderField: "Content-Type") == "application/json")
    return Answer(head.statusCode, String(decoding: data, as: UTF8.self), headers)
  }

  func post(_ path: String, _ body: String) async throws -> Answer {
    try await send("POST", path, Data(body.utf8))
  }

  /// Orders two packets of tea, and may say how many milliseconds it waits for them.
  func order(by user: Int, waiting milliseconds: String? = nil) async throws -> Answer {
    let body = #"{"userId": \#(user), "items": [{"sku": "tea", "quantity": 2}]}"#
    return try await send("POST", "/orders", Data(body.utf8), waiting: milliseconds)
  }

  func close() { session.invalidateAndCancel() }
}

/// Both services with a breaker that lives in virtual time, on ports of their own. Nothing is timed
/// out unless a test says so, and a sluggish user service answers when it becomes something else.
struct TestShop {
  let shop: Shop
  let clock: VirtualClock
  let customer: Browser

  var breaker: CircuitBreaker { shop.policies.breaker }
  var retry: Retry { shop.policies.retry }

  static func open(
    retry: Retry = .brief(), total: Duration = .seconds(60), attempt: Duration = .seconds(30),
    knowing users: [User] = [],
    through breaker: CircuitBreaker? = nil, faults: FaultInjection? = nil,
    admission: Bulkhead = .admission(), _ test: (TestShop) async throws -> Void
  ) async throws {
    let clock = VirtualClock()
    let known = LastKnownGood<Int, User>()
    for user in users { known.remember(user, for: user.id) }
    let shop = try await Shop.open(
      policies: UserPolicies(
        retry: retry, breaker: breaker ?? .classic(openFor: .seconds(30), clock: clock),
        total: total, attempt: attempt, faults: faults),
      known: known, admission: admission, sluggishness: .seconds(3_600))
    let customer = Browser(shop.orderServiceURL)
    do {
      try await test(TestShop(shop: shop, clock: clock, customer: customer))
    } catch {
      await shop.close()
      throw error
    }
    customer.close()
    await shop.close()
  }

  /// Lets calls fail until the circuit opens: four, since the budget pays for one more attempt.
  func trip() async throws {
    try await shop.userService.become(.errors)
    for _ in 0..<4 { _ = try await customer.order(by: 8) }
    #expect(breaker.state == .open)
  }
}

let tea = #""items":[{"quantity":2,"sku":"tea"}]"#
let ada = #""user":{"id":1,"name":"Ada"}"#

/// Keeps the lines of a timeline.
final class Lines: Sendable {
  private let lines = Mutex<[String]>([])

  func timeline(_ format: Timeline.Format) -> Timeline {
    Timeline(format) { line in self.lines.withLock { $0.append(line) } }
  }

  var all: [String] { lines.withLock(\.self) }
}
