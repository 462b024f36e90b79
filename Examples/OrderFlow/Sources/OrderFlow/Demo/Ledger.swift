import Resilience

/// What an order should be answered with.
struct Expectation: Sendable {
  let answer: OrderEntry.Answer
  let status: Int
  /// Whether it should reach the user service; no order does while the circuit is open.
  let userCalls: Int

  static let created = Expectation(answer: .created, status: 201, userCalls: 1)
  static let unknown = Expectation(answer: .refused, status: 422, userCalls: 1)
  static let degraded = Expectation(answer: .degraded, status: 201, userCalls: 1)
  static let degradedAtOnce = Expectation(answer: .degraded, status: 201, userCalls: 0)
  static let turnedAway = Expectation(answer: .refused, status: 503, userCalls: 0)
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
    expect(entry.userCalls, expected.userCalls, "\(what): calls to the user service")
    if entry.status == 503, entry.retryAfter == nil {
      surprises.append("\(what): a 503 without Retry-After")
    }
  }

  func summary(transitions: [String]) -> Summary {
    Summary(
      orders: orders, created: count(.created), degraded: count(.degraded),
      refused: count(.refused), userCalls: userCalls, transitions: transitions)
  }

  /// Compares the answers with what the other parts counted.
  mutating func audit(_ shop: Shop, plan: Plan, states: [String]) async {
    let breaker = shop.breaker.snapshot()
    let turnedAway = entries.count { $0.userCalls == 0 }
    expect(orders, plan.total, "orders answered")
    expect(states.joined(separator: ">"), Self.story, "the transitions")
    expect("\(breaker.state)", "closed", "the circuit in the end")
    expect(Int(clamping: breaker.totals.ignored), 1, "calls the breaker ignored: the unknown user")
    expect(Int(clamping: breaker.totals.rejected), turnedAway, "calls the breaker refused")
    expect(shop.userClient.calls, userCalls, "calls made to the user service")
    // One found no listener.
    expect(await shop.userService.requests, userCalls - 1, "requests the user service received")
    if turnedAway == 0 { surprises.append("no order met an open circuit") }
  }

  private static let story = [
    "closed", "open", "half-open", "open", "half-open", "open", "half-open", "closed",
  ].joined(separator: ">")

  private var userCalls: Int { entries.reduce(0) { $0 + $1.userCalls } }

  private func count(_ answer: OrderEntry.Answer) -> Int { entries.count { $0.answer == answer } }

  private mutating func expect<Value: Equatable>(_ got: Value, _ wanted: Value, _ what: String) {
    if got != wanted { surprises.append("\(what): expected \(wanted), got \(got)") }
  }
}
