import Foundation
@testable import OrderFlow
import Resilience
import Testing

@Suite("The demo")
struct DemoTests {
  @Test("goes through the whole story as expected, with the smallest number of orders")
  func story() async throws {
    let lines = Lines()
    let timeline = lines.timeline(.json)
    let breaker = CircuitBreaker.classic(openFor: Demo.openFor, observers: [timeline])
    // Longer than the demo's own: other tests keep the machine busy.
    let shop = try await Shop.open(breaker: breaker, userTimeout: .seconds(3))
    var demo = Demo(shop: shop, timeline: timeline, plan: Plan(total: Plan.smallest), seed: 7)
    let surprises = try await demo.run()
    await shop.close()

    #expect(surprises == [])
    let events = try lines.all.map {
      try JSONDecoder().decode(Event.self, from: Data($0.utf8)).event
    }
    #expect(events.count { $0 == "order" } == Plan.smallest)
    #expect(events.count { $0 == "transition" } == 7)
    #expect(events.last == "summary")
    let summary = try JSONDecoder().decode(
      Summary.self, from: Data(try #require(lines.all.last).utf8))
    #expect(
      summary
        == Summary(
          orders: 22, created: 8, degraded: 10, refused: 4, userCalls: 16,
          transitions: [
            "closed", "open", "half-open", "open", "half-open", "open", "half-open", "closed",
          ]))
  }

  private struct Event: Decodable { let event: String }

  @Test("says what went otherwise than expected")
  func surprises() async throws {
    // A breaker that never opens.
    let breaker = CircuitBreaker("user-service", tripping: .consecutiveFailures(1_000))
    let timeline = Lines().timeline(.text)
    let shop = try await Shop.open(breaker: breaker, userTimeout: .milliseconds(200))
    var demo = Demo(shop: shop, timeline: timeline, plan: Plan(total: Plan.smallest), seed: 7)
    let surprises = try await demo.run()
    await shop.close()
    #expect(surprises.contains("no order met an open circuit"))
    #expect(surprises.contains { $0.hasPrefix("the transitions: expected closed>open>") })
  }

  @Test("has room for every part of the story, however many orders there are")
  func plans() {
    for total in Plan.smallest...Plan.largest {
      let plan = Plan(total: total)
      #expect(plan.before >= 5)
      #expect(plan.whileOpen >= 2)
      #expect(plan.before + 5 + 2 + 3 * plan.whileOpen + 3 + 1 <= total)
    }
  }

  @Test("orders the same things with the same seed")
  func seeds() {
    func orders(_ seed: UInt64) -> [Order] {
      var shopper = Shopper(seed: seed)
      return (0..<20).map { _ in shopper.order(by: shopper.anybody()) }
    }
    #expect(orders(1) == orders(1))
    #expect(orders(1) != orders(2))
  }
}

@Suite("The timeline")
struct TimelineTests {
  private let entries: [any TimelineEntry] = [
    HealthEntry(.refusing),
    OrderEntry(
      order: 12, user: 5, status: 503, answer: .refused, state: "open", why: "circuit open",
      userCalls: 0, retryAfter: 2),
    Summary(
      orders: 3, created: 1, degraded: 1, refused: 1, userCalls: 2, transitions: ["closed", "open"]),
  ]

  @Test("is a line an event, for people")
  func text() {
    let lines = Lines()
    let timeline = lines.timeline(.text)
    for entry in entries { timeline.add(entry) }
    #expect(
      lines.all.map { $0.replacing(/^ +\d+\.\d{3}/, with: "0.000") } == [
        "0.000  user-service is down: connections are refused",
        "0.000  order 12    503 refused   open        circuit open",
        "summary orders=3 created=1 degraded=1 refused=1 user-calls=2 transitions=closed>open",
      ])
  }

  @Test("is a JSON object a line, for programs")
  func json() {
    let lines = Lines()
    let timeline = lines.timeline(.json)
    for entry in entries { timeline.add(entry) }
    #expect(
      lines.all.map { $0.replacing(/"time":[0-9.e-]+/, with: #""time":0"#) } == [
        #"{"event":"user-service","health":"refusing","time":0}"#,
        #"{"answer":"refused","event":"order","order":12,"retryAfter":2,"state":"open","status":503,"#
          + #""time":0,"user":5,"userCalls":0,"why":"circuit open"}"#,
        #"{"created":1,"degraded":1,"event":"summary","orders":3,"refused":1,"time":0,"#
          + #""transitions":["closed","open"],"userCalls":2}"#,
      ])
  }

  @Test("tells each change of the circuit, and the states it went through")
  func transitions() {
    let lines = Lines()
    let timeline = lines.timeline(.text)
    let breaker = CircuitBreaker(
      "user-service", tripping: .consecutiveFailures(2), observers: [timeline])
    for _ in 0..<2 { breaker.tryAcquire()?.fail() }
    breaker.reset()
    #expect(timeline.states == ["closed", "open", "closed"])
    #expect(
      lines.all.map { $0.dropFirst(9) } == [
        "circuit     closed > open             2 consecutive failures",
        "circuit     open > closed             manual",
      ])
  }

  @Test(
    "a Retry-After is in whole seconds, never early and never 0",
    arguments: [
      (Duration.zero, 1), (.milliseconds(1), 1), (.seconds(1), 1), (.milliseconds(1_001), 2),
      (.milliseconds(19_500), 20), (.seconds(20), 20), (.seconds(-5), 1),
    ])
  func retryAfter(wait: Duration, seconds: Int) {
    #expect(wait.retryAfter == seconds)
  }

  @Test("the last known users are kept up to a number, and the one known longest leaves")
  func lastKnownUsers() async {
    let known = LastKnownUsers(capacity: 2)
    for user in User.directory.prefix(2) { await known.remember(user) }
    await known.remember(User(id: 1, name: "Ada King"))
    #expect(await known[1] == User(id: 1, name: "Ada King"))
    await known.remember(User.directory[2])
    #expect(await known[1] == nil)
    #expect(await known[2] == User.directory[1])
    #expect(await known[3] == User.directory[2])
  }
}
