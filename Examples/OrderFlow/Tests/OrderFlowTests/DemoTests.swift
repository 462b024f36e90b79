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
    let shop = try await Shop.open(
      policies: UserPolicies(
        retry: .brief(observers: [timeline]),
        breaker: .classic(openFor: Demo.openFor, observers: [timeline]),
        // Longer than the demo's own: other tests keep the machine busy.
        total: .seconds(9), attempt: .seconds(3)),
      sluggishness: .milliseconds(2_500))
    var demo = Demo(shop: shop, timeline: timeline, plan: Plan(total: Plan.smallest), seed: 7)
    let surprises = try await demo.run()
    await shop.close()

    #expect(surprises == [])
    let events = try lines.all.map {
      try JSONDecoder().decode(Event.self, from: Data($0.utf8)).event
    }
    #expect(events.count { $0 == "order" } == Plan.smallest)
    #expect(events.count { $0 == "rush-order" } == 12)
    #expect(events.count { $0 == "transition" } == 7)
    // Two attempts more, one of which succeeds, and six that were not made.
    #expect(events.count { $0 == "retry" } == 2 + 1 + 6)
    #expect(events.first == "pipeline")
    #expect(events.last == "summary")
    let summary = try JSONDecoder().decode(
      Summary.self, from: Data(try #require(lines.all.last).utf8))
    #expect(
      summary
        == Summary(
          orders: 24, created: 11, degraded: 9, refused: 4, userCalls: 18, attempts: 20,
          budgetRefused: 6, rush: 12, busy: 4, injected: nil,
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
    let shop = try await Shop.open(
      policies: UserPolicies(retry: .brief(), breaker: breaker, attempt: .milliseconds(200)))
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
      #expect(plan.whileFlaky >= 3)
      let broken = 4 + 2 + 3 * plan.whileOpen
      #expect(plan.before + plan.whileFlaky + broken + 3 + 1 <= total)
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
      userCalls: 0, attempts: 0, retryAfter: 2),
    RushEntry(orders: 12, limit: 8),
    RushOrderEntry(
      order: 9, user: 1, status: 503, answer: .busy, state: "closed", why: "the service is busy",
      retryAfter: 1),
    Summary(
      orders: 3, created: 1, degraded: 1, refused: 1, userCalls: 2, attempts: 4, budgetRefused: 1,
      rush: 12, busy: 4, injected: .init(errors: 7, latencies: 2, hangs: 1),
      transitions: ["closed", "open"]),
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
        "0.000  12 orders at once, and order-service works on 8 at a time",
        "0.000  rush 9      503 busy      closed      the service is busy",
        "summary orders=3 created=1 degraded=1 refused=1 user-calls=2 attempts=4 "
          + "budget-refused=1 rush=12 busy=4 injected=10 errors=7 latencies=2 hangs=1 "
          + "transitions=closed>open",
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
        #"{"answer":"refused","attempts":0,"event":"order","order":12,"retryAfter":2,"state":"open","status":503,"#
          + #""time":0,"user":5,"userCalls":0,"why":"circuit open"}"#,
        #"{"event":"rush","limit":8,"orders":12,"time":0}"#,
        #"{"answer":"busy","event":"rush-order","order":9,"retryAfter":1,"state":"closed","#
          + #""status":503,"time":0,"user":1,"why":"the service is busy"}"#,
        #"{"attempts":4,"budgetRefused":1,"busy":4,"created":1,"degraded":1,"event":"summary","#
          + #""injected":{"errors":7,"hangs":1,"latencies":2},"orders":3,"refused":1,"rush":12,"#
          + #""time":0,"transitions":["closed","open"],"userCalls":2}"#,
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

  private static let retries: [Retry.Event.Kind] = [
    .retrying(attempt: 2, after: .milliseconds(31), error: UserServiceError.status(500)),
    .recovered(attempts: 2),
    .budgetRefused(attempts: 1, error: TimeoutError(limit: .milliseconds(250))),
    .deadlineReached(attempts: 1, error: UserServiceError.connectionRefused),
    .exhausted(attempts: 3, error: UserServiceError.unreadable),
    .stopped(attempts: 1, error: UnknownUser(id: 99)), .cancelled(attempts: 1),
  ]

  @Test("tells each attempt beyond the first, and those that were not made, for people")
  func attemptsAsText() {
    #expect(
      Self.retries.compactMap { RetryEntry($0)?.columns } == [
        "retry       attempt 2 in 0.03 s       user-service answered 500",
        "retry       attempt 2 succeeded",
        "retry       no budget for attempt 2   user-service did not answer within 0.25 s",
        "retry       no time for attempt 2     user-service refused the connection",
        "retry       attempt 3 was the last    user-service answered 200 without a user",
      ])
  }

  @Test("tells them to programs as well")
  func attemptsAsJSON() {
    #expect(
      Self.retries.prefix(3).compactMap { RetryEntry($0)?.json(at: 0) } == [
        #"{"after":0.031,"attempt":2,"event":"retry","time":0,"what":"retrying","#
          + #""why":"user-service answered 500"}"#,
        #"{"attempt":2,"event":"retry","time":0,"what":"recovered"}"#,
        #"{"attempt":2,"event":"retry","time":0,"what":"budget-refused","#
          + #""why":"user-service did not answer within 0.25 s"}"#,
      ])
  }

  private static let faults: [FaultInjection.Event.Kind] = [
    .injected(.error(InjectedError())), .injected(.latency(.milliseconds(200))), .injected(.hang),
    .enabled, .disabled, .faultsChanged,
  ]

  @Test("tells each injected fault, for people")
  func faultsAsText() {
    #expect(
      Self.faults.compactMap { FaultEntry($0)?.columns } == [
        "fault       injected an error", "fault       injected a latency of 0.20 s",
        "fault       injected a hang",
      ])
  }

  @Test("and for programs")
  func faultsAsJSON() {
    #expect(
      Self.faults.compactMap { FaultEntry($0)?.json(at: 0) } == [
        #"{"event":"fault","time":0,"what":"error"}"#,
        #"{"event":"fault","latency":0.2,"time":0,"what":"latency"}"#,
        #"{"event":"fault","time":0,"what":"hang"}"#,
      ])
  }

  @Test("says first what orders and the calls of the user service go through")
  func pipeline() {
    let policies = UserPolicies(retry: .brief(), breaker: CircuitBreaker("user-service"))
    let entry = PipelineEntry(
      orders: Bulkhead.admission().layers, calls: policies.pipeline.layers)
    let lines = entry.text(at: "0.000").split(separator: "\n")
    #expect(lines.count == 7)
    #expect(lines.first == "order-service takes orders through")
    #expect(lines[1] == #"  bulkhead "order-service" (8 at a time, no queue)"#)
    #expect(lines[2] == "order-service calls user-service through")
    #expect(lines.last == #"  timeout "attempt" (1.0 seconds)"#)
  }

  @Test(
    "a duration has hundredths below a second",
    arguments: [
      (Duration.zero, "0.00 s"), (.milliseconds(31), "0.03 s"), (.milliseconds(250), "0.25 s"),
      (.milliseconds(994), "0.99 s"), (.milliseconds(996), "1.0 s"),
      (.milliseconds(1_960), "2.0 s"),
    ])
  func inSeconds(duration: Duration, text: String) {
    #expect(duration.inSeconds == text)
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
}
