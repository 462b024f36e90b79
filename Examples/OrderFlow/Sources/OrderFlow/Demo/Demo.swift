import Resilience

/// Places orders while the user service is healthy, flaky, broken in three ways, and healthy again.
///
/// What happens next is decided by the state of the circuit, not by the clock, so that a slow
/// machine sees the same transitions as a fast one.
package struct Demo {
  /// The classic 30 s would make a long demo.
  package static let openFor: Duration = .seconds(2)
  // Orders that are to meet an open circuit are placed while it stays open for at least this long,
  // so that a machine that stalls does not turn one into a probe.
  private static let margin: Duration = .seconds(1)

  private let shop: Shop
  private let customer: OrderClient
  private let timeline: Timeline
  private let plan: Plan
  private var shopper: Shopper
  private var ledger = Ledger()

  package init(shop: Shop, timeline: Timeline, plan: Plan, seed: UInt64) {
    self.shop = shop
    self.timeline = timeline
    self.plan = plan
    shopper = Shopper(seed: seed)
    customer = OrderClient(base: shop.orderServiceURL)
  }

  /// Runs the demo, and writes it to the timeline.
  ///
  /// - Returns: what was expected and did not happen; nothing, if all is well.
  package mutating func run() async throws -> [String] {
    defer { customer.close() }
    timeline.add(PipelineEntry(shop.policies.pipeline.layers))
    try await allIsWell()
    try await someRequestsFail()
    try await fiveFailuresInARow()
    try await whileTheCircuitIsOpen()
    for outage in [Health.slow, .refusing] {
      try await aProbeFails(outage)
      try await whileTheCircuitIsOpen()
    }
    try await probesSucceed()
    try await allIsWellAgain()
    return await close()
  }

  private mutating func allIsWell() async throws {
    try await become(.healthy)
    for user in Shopper.regulars { try await place(by: user, expecting: .created) }
    try await place(by: Shopper.stranger, expecting: .unknown)
    while ledger.orders < plan.before {
      try await place(by: shopper.regular(), expecting: .created)
    }
  }

  private mutating func someRequestsFail() async throws {
    try await become(.flaky)
    for _ in 0..<plan.whileFlaky {
      try await place(by: shopper.regular(), expecting: .createdInTheEnd)
    }
  }

  private mutating func fiveFailuresInARow() async throws {
    try await become(.errors)
    // Four are enough, or fewer if the budget pays for more than one more attempt; unless the
    // breaker's window of 10 s ends between them and forgets some.
    for _ in 0..<9 where shop.policies.breaker.state == .closed {
      try await place(by: shopper.regular(), expecting: .degraded)
    }
  }

  private mutating func whileTheCircuitIsOpen() async throws {
    for order in 0..<plan.whileOpen {
      guard let left = openPeriodLeft, left > Self.margin else { break }
      if order == 1 {
        try await place(by: shopper.newcomer(), expecting: .turnedAway)
      } else {
        try await place(by: shopper.regular(), expecting: .degradedAtOnce)
      }
      // Spread, to see the time to the next try run down.
      try await Task.sleep(for: (left - Self.margin) / (2 * (plan.whileOpen - order)))
    }
  }

  private mutating func aProbeFails(_ outage: Health) async throws {
    try await become(outage)
    try await openPeriodToEnd()
    try await place(by: shopper.regular(), expecting: .degraded)
  }

  private mutating func probesSucceed() async throws {
    try await become(.healthy)
    try await openPeriodToEnd()
    for _ in 0..<3 { try await place(by: shopper.regular(), expecting: .created) }
  }

  private mutating func allIsWellAgain() async throws {
    while ledger.orders < plan.total {
      try await place(by: shopper.anybody(), expecting: .created)
    }
  }

  private func become(_ health: Health) async throws {
    timeline.add(HealthEntry(health))
    try await shop.userService.become(health)
  }

  private func openPeriodToEnd() async throws {
    while let left = openPeriodLeft { try await Task.sleep(for: left) }
  }

  private var openPeriodLeft: Duration? { shop.policies.breaker.snapshot().openUntil?.remaining }

  private mutating func place(by user: Int, expecting expected: Expectation) async throws {
    let callsBefore = shop.userClient.calls
    let reply = try await customer.place(shopper.order(by: user))
    let attempts = shop.userClient.calls - callsBefore
    let entry = OrderEntry(
      order: ledger.orders + 1, user: user, status: reply.status, answer: reply.answer,
      state: "\(shop.policies.breaker.state)", why: reply.why,
      userCalls: min(attempts, 1), attempts: attempts, retryAfter: reply.retryAfter)
    timeline.add(entry)
    ledger.add(entry, expecting: expected)
  }

  private mutating func close() async -> [String] {
    let refused = shop.policies.retry.snapshot().totals.budgetRefused
    timeline.add(ledger.summary(budgetRefused: refused, transitions: timeline.states))
    await ledger.audit(shop, plan: plan, states: timeline.states)
    return ledger.surprises
  }
}
