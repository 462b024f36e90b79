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
  private var rush: [RushOrderEntry] = []
  private var rushRequests = 0
  private var laws = Laws()
  private var unexpected: [String] = []

  var orders: Int { entries.count }

  /// Laws that were broken, and expectations that were not met.
  var surprises: [String] { laws.violations + unexpected }

  /// - Parameter expected: `nil` if chance decides.
  mutating func add(_ entry: OrderEntry, expecting expected: Expectation?) {
    entries.append(entry)
    laws.holdAlone(entry)
    guard let expected else { return }
    expect(entry.status, expected.status, "\(entry.label): the status (\(entry.why))")
    expect(entry.answer, expected.answer, "\(entry.label): the answer (\(entry.why))")
    expect(entry.attempts, in: expected.attempts, "\(entry.label): requests to the user service")
  }

  /// - Parameter requests: how many the whole rush made to the user service.
  mutating func add(_ rush: [RushOrderEntry], requests: Int) {
    self.rush = rush
    rushRequests = requests
    // Side by side, one may be answered from what another has just learned.
    for entry in rush where entry.answer == .created { laws.hold(entry) }
    for entry in rush where entry.answer != .created { laws.hold(entry) }
  }

  func summary(_ books: Books, transitions: [String]) -> Summary {
    Summary(
      orders: orders, created: count(.created), degraded: count(.degraded),
      refused: count(.refused), userCalls: entries.reduce(0) { $0 + $1.userCalls },
      attempts: attempts, budgetRefused: books.budgetRefused, rush: rush.count, busy: busy,
      injected: books.injected, transitions: transitions)
  }

  private var attempts: Int { entries.reduce(0) { $0 + $1.attempts } }

  private var busy: Int { rush.count { $0.answer == .busy } }

  private func count(_ answer: OrderEntry.Answer) -> Int { entries.count { $0.answer == answer } }

  private mutating func expect<Value: Equatable>(_ got: Value, _ wanted: Value, _ what: String) {
    if got != wanted { unexpected.append("\(what): expected \(wanted), got \(got)") }
  }

  private mutating func expect(_ got: Int, in wanted: ClosedRange<Int>, _ what: String) {
    guard !wanted.contains(got) else { return }
    let range = wanted.count == 1 ? "\(wanted.lowerBound)" : "\(wanted)"
    unexpected.append("\(what): expected \(range), got \(got)")
  }
}

// MARK: - Audit

extension Ledger {
  /// Compares the answers with what the other parts counted, and those with each other.
  mutating func audit(_ books: Books) {
    let created = count(.created) + rush.count { $0.answer == .created }
    laws.hold(
      books,
      Laws.Sums(
        orders: orders, rush: rush.count, requests: attempts + rushRequests, created: created,
        busy: busy))
  }

  private static let story = [
    "closed", "open", "half-open", "open", "half-open", "open", "half-open", "closed",
  ].joined(separator: ">")

  /// Compares them with the story, which takes its course if no faults are injected.
  mutating func auditStory(_ books: Books, plan: Plan, states: [String]) {
    expect(orders, plan.total, "orders answered")
    expect(states.joined(separator: ">"), Self.story, "the transitions")
    expect(books.circuit, "closed", "the circuit in the end")
    // One found no listener.
    expect(books.received, books.requests - 1, "requests the user service received")
    expect(books.ignored, 1, "calls the breaker ignored: the unknown user")
    if !entries.contains(where: { $0.attempts == 0 }) {
      unexpected.append("no order met an open circuit")
    }
    let healed = entries.count { $0.answer == .created && $0.attempts > 1 }
    expect(books.recovered, healed, "calls the retry saved")
    if healed == 0 { unexpected.append("no order was saved by a retry") }
    auditRush(limit: books.limit)
  }

  private mutating func auditRush(limit: Int) {
    expect(rush.count { $0.answer == .created }, limit, "orders of the rush that were created")
    expect(busy, rush.count - limit, "orders of the rush that were turned away")
    expect(rushRequests, limit, "requests to the user service in the rush")
  }
}
