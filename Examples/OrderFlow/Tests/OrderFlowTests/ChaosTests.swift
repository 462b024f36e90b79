import Foundation
import OrderFlow
import Resilience
import Testing

@Suite("Chaos")
struct ChaosTests {
  /// What the demo writes with faults at this rate, and what it finds wrong.
  private func demo(rate: Double, seed: UInt64) async throws -> (lines: [String], [String]) {
    let lines = Lines()
    let timeline = lines.timeline(.json)
    let shop = try await Shop.open(
      policies: UserPolicies(
        // Shorter than the demo's own, and just longer than it leaves to its orders.
        openFor: .milliseconds(1_200), observer: timeline,
        faults: FaultInjection.chaos(rate: rate, seed: seed, observers: [timeline])))
    var demo = Demo(shop: shop, timeline: timeline, plan: Plan(total: 40), seed: seed)
    let surprises = try await demo.run()
    await shop.close()
    return (lines.all, surprises)
  }

  private struct Event: Decodable { let event: String }

  @Test("breaks no law, however much of it there is", arguments: [0.2, 0.5, 1])
  func laws(rate: Double) async throws {
    let (lines, surprises) = try await demo(rate: rate, seed: 1)
    #expect(surprises == [])
    let events = try lines.map {
      try JSONDecoder().decode(Event.self, from: Data($0.utf8)).event
    }
    let summary = try JSONDecoder().decode(
      Summary.self, from: Data(try #require(lines.last).utf8))
    #expect(summary.created + summary.degraded + summary.refused == summary.orders)
    #expect(summary.orders == 40)
    #expect(summary.rush == 12)
    let injected = try #require(summary.injected)
    #expect(
      injected.errors + injected.latencies + injected.hangs == events.count { $0 == "fault" })
    #expect(injected.errors > 0)
  }

  /// The first faults that orders meet which are placed one after the other.
  private func faults(_ count: Int, seed: UInt64) async throws -> [String] {
    let lines = Lines()
    let timeline = lines.timeline(.text)
    let chaos = FaultInjection.chaos(rate: 0.5, seed: seed, observers: [timeline])
    let breaker = CircuitBreaker("user-service", tripping: .consecutiveFailures(1_000))
    try await TestShop.open(
      attempt: .milliseconds(50), through: breaker, faults: chaos
    ) { test in
      while lines.all.count < count { _ = try await test.customer.order(by: 1) }
    }
    return lines.all.prefix(count).map { String($0.dropFirst(9)) }
  }

  @Test("is the same with the same seed")
  func seeds() async throws {
    let first = try await faults(20, seed: 1)
    #expect(first.contains("fault       injected an error"))
    #expect(try await faults(20, seed: 1) == first)
    #expect(try await faults(20, seed: 2) != first)
  }

  @Test("is mostly errors, some latency and few hangs")
  func split() {
    #expect(
      FaultInjection.chaos(rate: 0.2, seed: 1)?.layers.map(\.description)
        == [
          #"fault injection "chaos" (latency 0.2 seconds at 0.04, error at 0.14, hang at 0.02)"#
        ])
  }

  @Test("is not there at a rate of 0")
  func off() {
    #expect(FaultInjection.chaos(rate: 0, seed: 1) == nil)
  }

  @Test("whichever request fails, each order is answered as if none had")
  func failingEachCall() async throws {
    let runs = try await FaultInjection.failingEachCall(with: { InjectedError() }) { faults in
      try await TestShop.open(faults: faults) { test in
        var answers: [Answer] = []
        for user in [1, 99, 2, 1] { answers.append(try await test.customer.order(by: user)) }
        #expect(
          answers == [
            Answer(201, #"{"degraded":false,\#(tea),"order":1,\#(ada)}"#),
            Answer(422, #"{"error":"there is no user 99"}"#),
            Answer(
              201, #"{"degraded":false,\#(tea),"order":2,"user":{"id":2,"name":"Barbara"}}"#),
            Answer(201, #"{"degraded":false,\#(tea),"order":3,\#(ada)}"#),
          ])
        #expect(test.shop.userClient.calls == 4)
      }
    }
    // The four requests, and the run without a failure.
    #expect(runs == 5)
  }

  @Test("whichever request fails, nobody is taken for somebody: not even without a retry")
  func failingEachCallUnsaved() async throws {
    let once = Retry("once", maxAttempts: 1, budget: RetryBudget())
    let runs = try await FaultInjection.failingEachCall(with: { InjectedError() }) { faults in
      try await TestShop.open(retry: once, faults: faults) { test in
        var accepted = Set<Int>()
        for user in [1, 99, 2, 1] {
          let answer = try await test.customer.order(by: user)
          if answer.status == 201 { accepted.insert(user) }
          #expect([201, 422, 503].contains(answer.status))
        }
        #expect(!accepted.contains(99))
        #expect(accepted.contains(1))
        // One failed, or none.
        #expect((3...4).contains(test.shop.userClient.calls))
      }
    }
    #expect(runs == 5)
  }
}
