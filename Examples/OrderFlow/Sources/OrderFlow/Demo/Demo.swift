import Resilience

/// Places orders while the user service is healthy, flaky, broken in three ways, and healthy again;
/// and then many at once.
///
/// What happens next is decided by the state of the circuit, not by the clock, so that a slow
/// machine sees the same transitions as a fast one.
///
/// If the policies inject faults, the same orders are placed while the same happens, but what becomes
/// of each is up to chance: then only ``Laws`` are checked.
package struct Demo {
  /// The classic 30 s would make a long demo.
  package static let openFor: Duration = .seconds(2)
  // Orders that are to meet an open circuit are placed while it stays open for at least this long,
  // so that a machine that stalls does not turn one into a probe.
  private static let margin: Duration = .seconds(1)

  let shop: Shop
  let customer: OrderClient
  let timeline: Timeline
  private let plan: Plan
  var shopper: Shopper
  var ledger = Ledger()

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
    timeline.add(
      PipelineEntry(orders: shop.admission.layers, calls: shop.policies.pipeline.layers))
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
    try await rush()
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
    // Three are enough, unless a fault makes one fail: then the circuit opens once more.
    for _ in 0..<6 where shop.policies.breaker.state != .closed {
      try await openPeriodToEnd()
      try await place(by: shopper.regular(), expecting: .created)
    }
  }

  private mutating func allIsWellAgain() async throws {
    while ledger.orders < plan.total {
      try await place(by: shopper.anybody(), expecting: .created)
    }
  }

  func become(_ health: Health) async throws {
    timeline.add(HealthEntry(health))
    try await shop.userService.become(health)
  }

  private func openPeriodToEnd() async throws {
    while let left = openPeriodLeft { try await Task.sleep(for: left) }
  }

  private var openPeriodLeft: Duration? { shop.policies.breaker.snapshot().openUntil?.remaining }

  private var isChaotic: Bool { shop.policies.faults != nil }

  private mutating func place(by user: Int, expecting expected: Expectation) async throws {
    // Chance may use up in one part of the demo what was meant for another.
    if isChaotic, ledger.orders == plan.total { return }
    let callsBefore = shop.userClient.calls
    let reply = try await customer.place(shopper.order(by: user))
    let attempts = shop.userClient.calls - callsBefore
    let entry = OrderEntry(
      order: ledger.orders + 1, user: user, status: reply.status, answer: reply.answer,
      state: "\(shop.policies.breaker.state)", why: reply.why,
      userCalls: min(attempts, 1), attempts: attempts, retryAfter: reply.retryAfter)
    timeline.add(entry)
    ledger.add(entry, expecting: isChaotic ? nil : expected)
  }

  private mutating func close() async -> [String] {
    let books = await Books(of: shop)
    let states = timeline.states
    timeline.add(ledger.summary(books, transitions: states))
    ledger.audit(books)
    if !isChaotic { ledger.auditStory(books, plan: plan, states: states) }
    return ledger.surprises
  }
}
