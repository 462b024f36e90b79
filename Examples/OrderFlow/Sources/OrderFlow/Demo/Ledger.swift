import Resilience

/// What an order should be answered with.
struct Expectation: Sendable {
  let answer: OrderEntry.Answer
  let status: Int
  /// How many requests it should make to the user service; none while the circuit is open.
  let attempts: ClosedRange<Int>

  static let created = Expectation(answer: .created, status: 201, attempts: 1...1)
  static let createdInTheEnd = Expectation(answer: .created, status: 201, attempts: 1...2)
  static let unknown = Expectation(answer: .refused, status: 422, attempts: 1...1)
  // How many depends on the budget, and on when the circuit opens.
  static let degraded = Expectation(answer: .degraded, status: 201, attempts: 1...3)
  static let degradedAtOnce = Expectation(answer: .degraded, status: 201, attempts: 0...0)
  static let turnedAway = Expectation(answer: .refused, status: 503, attempts: 0...0)
}

/// Keeps the demo's books, and compares them with what was expected.
struct Ledger {
  private var entries: [OrderEntry] = []
  private(set) var surprises: [String] = []

  var orders: Int { entries.count }

  mutating func add(_ entry: OrderEntry, expecting expected: Expectation) {
    entries.append(entry)
    let what = "order \(entry.order)"
    expect(entry.status, expected.status, "\(what): the status (\(entry.why))")
    expect(entry.answer, expected.answer, "\(what): the answer (\(entry.why))")
    expect(entry.attempts, in: expected.attempts, "\(what): requests to the user service")
    if entry.status == 503, entry.retryAfter == nil {
      surprises.append("\(what): a 503 without Retry-After")
    }
  }

  func summary(budgetRefused: Int, transitions: [String]) -> Summary {
    Summary(
      orders: orders, created: count(.created), degraded: count(.degraded),
      refused: count(.refused), userCalls: userCalls, attempts: attempts,
      budgetRefused: budgetRefused, transitions: transitions)
  }

  private static let story = [
    "closed", "open", "half-open", "open", "half-open", "open", "half-open", "closed",
  ].joined(separator: ">")

  private var userCalls: Int { entries.reduce(0) { $0 + $1.userCalls } }

  private var attempts: Int { entries.reduce(0) { $0 + $1.attempts } }

  private func count(_ answer: OrderEntry.Answer) -> Int { entries.count { $0.answer == answer } }

  private mutating func expect<Value: Equatable>(_ got: Value, _ wanted: Value, _ what: String) {
    if got != wanted { surprises.append("\(what): expected \(wanted), got \(got)") }
  }

  private mutating func expect(_ got: Int, in wanted: ClosedRange<Int>, _ what: String) {
    guard !wanted.contains(got) else { return }
    let range = wanted.count == 1 ? "\(wanted.lowerBound)" : "\(wanted)"
    surprises.append("\(what): expected \(range), got \(got)")
  }
}

// MARK: - Audit

extension Ledger {
  /// Compares the answers with what the other parts counted, and those with each other.
  mutating func audit(_ shop: Shop, plan: Plan, states: [String]) async {
    expect(orders, plan.total, "orders answered")
    expect(states.joined(separator: ">"), Self.story, "the transitions")
    expect(shop.userClient.calls, attempts, "requests the client made")
    // One found no listener.
    expect(await shop.userService.requests, attempts - 1, "requests the user service received")
    let breaker = shop.policies.breaker.snapshot()
    let retry = shop.policies.retry.snapshot()
    audit(breaker)
    audit(retry)
    // Each order makes a first attempt, and the retry decides on the others.
    expect(
      attempts + Int(clamping: breaker.totals.rejected), orders + retry.totals.retries,
      "attempts that the breaker let through or refused")
  }

  private mutating func audit(_ breaker: CircuitBreaker.Snapshot) {
    let totals = breaker.totals
    expect("\(breaker.state)", "closed", "the circuit in the end")
    expect(Int(clamping: totals.ignored), 1, "calls the breaker ignored: the unknown user")
    expect(
      Int(clamping: totals.successes + totals.failures + totals.ignored), attempts,
      "calls the breaker let through")
    if !entries.contains(where: { $0.attempts == 0 }) {
      surprises.append("no order met an open circuit")
    }
  }

  private mutating func audit(_ retry: Retry.Snapshot) {
    let healed = entries.count { $0.answer == .created && $0.attempts > 1 }
    expect(retry.totals.recovered, healed, "calls the retry saved")
    if healed == 0 { surprises.append("no order was saved by a retry") }
    guard let budget = retry.budget else { return surprises.append("retries without a budget") }
    expect(budget.withdrawn, retry.totals.retries, "retries the budget paid for")
    expect(budget.refused, retry.totals.budgetRefused, "retries the budget refused")
  }
}
