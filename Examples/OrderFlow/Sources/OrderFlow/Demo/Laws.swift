/// An order that was answered, one after the other or in the rush.
package protocol AnsweredOrder: Sendable {
  static var event: String { get }
  var order: Int { get }
  var user: Int { get }
  var status: Int { get }
  var answer: OrderEntry.Answer { get }
  var why: String { get }
  var retryAfter: Int? { get }
}

extension AnsweredOrder {
  var label: String { "\(Self.event) \(order)" }
}

/// What holds whatever happens to the user service, and however many faults are injected.
///
/// Without chaos each answer is foretold as well, see ``Expectation``; with it these are all there is.
struct Laws {
  private(set) var violations: [String] = []
  /// The users whom the user service has told of: nobody else can be known here.
  private var seen: Set<Int> = []

  /// Holds an answer to the laws, after those that were given before it.
  mutating func hold(_ order: some AnsweredOrder) {
    if order.answer == .created { seen.insert(order.user) }
    let stranger = order.user == Shopper.stranger
    require(
      [201, 422, 503].contains(order.status), "\(order.label): answered \(order.status)", order)
    require(
      !(stranger && order.status == 201), "\(order.label): an order from an unknown user", order)
    require(
      stranger || order.status != 422, "\(order.label): a user who exists is unknown", order)
    require(
      order.status != 503 || order.retryAfter != nil, "\(order.label): a 503 without Retry-After",
      order)
    require(
      order.answer != .degraded || seen.contains(order.user),
      "\(order.label): from memory, which cannot have the user", order)
  }

  /// An order that is alone finds room, and is created only if the user service was asked for it.
  mutating func holdAlone(_ order: OrderEntry) {
    hold(order)
    require(
      order.answer != .created || order.attempts > 0,
      "\(order.label): created without asking the user service", order)
    require(order.answer != .busy, "\(order.label): turned away, and nobody else was there", order)
  }

  private mutating func require(_ holds: Bool, _ what: String, _ order: some AnsweredOrder) {
    if !holds { violations.append("\(what) (\(order.why))") }
  }
}

// MARK: - Books

extension Laws {
  /// What the orders come to.
  struct Sums: Equatable {
    /// Placed one after the other.
    var orders = 0
    /// Placed at once.
    var rush = 0
    /// Requests to the user service, as seen from the orders.
    var requests = 0
    var created = 0
    var busy = 0

    /// Orders that were let in.
    var taken: Int { orders + rush - busy }
  }

  /// Compares what was counted with the orders, and with each other.
  mutating func hold(_ books: Books, _ sums: Sums) {
    require(books.requests == sums.requests, "requests the client made and orders caused", books)
    require(
      (0...books.requests).contains(books.received), "requests the user service received", books)
    require(
      sums.created <= books.successes + books.late, "orders created and answers from the service",
      books)
    holdAttempts(books, sums)
    holdBudget(books)
    holdAdmission(books, sums)
  }

  private mutating func holdAttempts(_ books: Books, _ sums: Sums) {
    // Each order makes a first attempt, and the retry decides on the others.
    require(
      books.letThrough + books.refusedByCircuit == sums.taken + books.retries,
      "attempts that the breaker let through or refused", books)
    // In the place of a request there was an error or a hang; or a latency, if that was cut short.
    let injected = books.injected ?? .init()
    let withoutRequest = books.letThrough - books.requests
    let instead = injected.errors + injected.hangs
    require(
      (instead...(instead + injected.latencies)).contains(withoutRequest),
      "attempts, requests and injected faults", books)
  }

  private mutating func holdBudget(_ books: Books) {
    guard let budget = books.budget else {
      return violations.append("retries without a budget")
    }
    require(budget.withdrawn == books.retries, "retries the budget paid for", books)
    require(budget.refused == books.budgetRefused, "retries the budget refused", books)
    // That there is no such user is an answer too, and so may be what came late. Ten successes bring
    // a token.
    let answers = books.successes + books.ignored + books.late
    require(
      10 * (budget.withdrawn - budget.givenBack) <= answers + 10 * budget.initial,
      "failed retries and what pays for them", books)
  }

  private mutating func holdAdmission(_ books: Books, _ sums: Sums) {
    require(books.admitted == sums.taken, "orders the order service let in", books)
    require(books.turnedAway == sums.busy, "orders the order service turned away", books)
    // Nobody is turned away while there is room.
    require(
      sums.busy <= max(0, sums.rush - books.limit), "orders turned away with room left", books)
    require(books.inFlight == 0, "places that were not given back", books)
  }

  private mutating func require(_ holds: Bool, _ what: String, _ books: Books) {
    if !holds { violations.append("\(what): they do not add up in \(books)") }
  }
}
