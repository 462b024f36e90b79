import FlyingFox
import Foundation
import Resilience
import Synchronization
import Testing

@testable import OrderFlow

@Suite("A caller's deadline")
struct DeadlineTests {
  private static let known = [User(id: 1, name: "Ada")]

  @Test("bounds the call, whatever the service's own timeouts are")
  func bounds() async throws {
    try await TestShop.open(knowing: Self.known) { test in
      try await test.shop.userService.become(.slow)
      let answer = try await test.customer.order(by: 1, waiting: "900")
      #expect(answer.status == 201)
      #expect(answer.body.contains(#""reason":"user-service did not answer within 0."#))
      // The service did not answer in time; no time is left for another attempt.
      #expect(test.breaker.snapshot().counts == .init(failures: 1, consecutiveFailures: 1))
      #expect(test.retry.snapshot().totals.deadlineReached == 1)
      #expect(test.shop.userClient.calls == 1)
    }
  }

  @Test("that has passed already lets nothing through")
  func passed() async throws {
    try await TestShop.open(knowing: Self.known) { test in
      let reason = "no time was left to ask user-service"
      let degraded = try await test.customer.order(by: 1, waiting: "0")
      #expect(
        degraded
          == Answer(201, #"{"degraded":true,\#(tea),"order":1,"reason":"\#(reason)",\#(ada)}"#))
      let refused = try await test.customer.order(by: 2, waiting: "0")
      #expect(refused.status == 503)
      #expect(test.shop.userClient.calls == 0)
      #expect(test.breaker.snapshot().counts == .init())
    }
  }

  @Test(
    "that cannot be read is refused",
    arguments: ["soon", "-1", "1.5", "1e3", "99999999999999999999"])
  func unreadable(header: String) async throws {
    try await TestShop.open { test in
      let answer = try await test.customer.order(by: 1, waiting: header)
      let problem = "X-Request-Timeout-Ms must be milliseconds, 1 to 19 digits"
      #expect(answer == Answer(400, #"{"error":"\#(problem)"}"#))
      #expect(test.shop.userClient.calls == 0)
    }
  }

  @Test("is handed on to the user service, less what has been used up")
  func travels() async throws {
    let headers = Mutex<[String?]>([])
    let service = LoopbackServer { request in
      headers.withLock { $0.append(request.timeout) }
      return .json(.ok, User(id: 1, name: "Ada"))
    }
    let client = UserClient(base: try await service.listen())
    let policies = UserPolicies(
      retry: .brief(), breaker: .classic(openFor: .seconds(30)), total: .seconds(600),
      attempt: .seconds(300))
    let check = UserCheck(client, through: policies)
    _ = try await Deadline(in: .seconds(200)).run { try await check.check(1) }
    _ = try await check.check(1)
    _ = try await client.find(1)
    client.close()
    await service.stop()

    let waits = headers.withLock(\.self)
    try #require(waits.count == 3)
    let caller = try #require(waits[0].flatMap { Int($0) })
    #expect((1..<200_000).contains(caller))
    // Without a caller's deadline it is the attempt's, and without that there is none.
    let attempt = try #require(waits[1].flatMap { Int($0) })
    #expect((200_000..<300_000).contains(attempt))
    #expect(waits[2] == nil)
  }
}
