import Testing

@testable import OrderFlow

@Suite("The laws that hold whatever chance does")
struct LawsTests {
  private static func order(
    by user: Int, _ status: Int, _ answer: OrderEntry.Answer, attempts: Int = 1,
    retryAfter: Int? = nil
  ) -> OrderEntry {
    OrderEntry(
      order: 2, user: user, status: status, answer: answer, state: "closed", why: "why",
      userCalls: min(attempts, 1), attempts: attempts, retryAfter: retryAfter)
  }

  private static let fineOrders = [
    order(by: 1, 201, .created), order(by: 1, 201, .degraded, attempts: 0),
    order(by: 99, 422, .refused), order(by: 99, 503, .refused, retryAfter: 1),
    order(by: 2, 503, .refused, attempts: 0, retryAfter: 2),
  ]

  @Test("are kept by every answer that an order can get")
  func kept() {
    var laws = Laws()
    for order in Self.fineOrders { laws.holdAlone(order) }
    #expect(laws.violations == [])
  }

  @Test(
    "are broken by answers that no order may get",
    arguments: [
      (order(by: 1, 500, .refused), ["order 2: answered 500 (why)"]),
      (
        order(by: 99, 201, .created), ["order 2: an order from an unknown user (why)"]
      ),
      (order(by: 1, 422, .refused), ["order 2: a user who exists is unknown (why)"]),
      (order(by: 1, 503, .refused), ["order 2: a 503 without Retry-After (why)"]),
      (
        order(by: 2, 201, .degraded),
        ["order 2: from memory, which cannot have the user (why)"]
      ),
      (
        order(by: 1, 201, .created, attempts: 0),
        ["order 2: created without asking the user service (why)"]
      ),
      (
        order(by: 1, 503, .busy, retryAfter: 1),
        ["order 2: turned away, and nobody else was there (why)"]
      ),
    ])
  func broken(order: OrderEntry, violations: [String]) {
    var laws = Laws()
    laws.holdAlone(order)
    #expect(laws.violations == violations)
  }

  /// Ten orders, four of which were saved or failed by faults; and a rush of twelve, in which four
  /// were turned away.
  private static let books = Books(
    requests: 17, received: 16, successes: 14, failures: 5, ignored: 1, late: 1,
    refusedByCircuit: 1,
    retries: 4, recovered: 2, budgetRefused: 2,
    budget: .init(withdrawn: 4, givenBack: 2, refused: 2, initial: 1),
    injected: .init(errors: 2, latencies: 2, hangs: 1), admitted: 18, turnedAway: 4, inFlight: 0,
    limit: 8)
  private static let sums = Laws.Sums(orders: 10, rush: 12, requests: 17, created: 15, busy: 4)

  struct Forgery: Sendable, CustomTestStringConvertible {
    let law: String
    let forge: @Sendable (inout Books) -> Void

    init(_ law: String, _ forge: @escaping @Sendable (inout Books) -> Void) {
      self.law = law
      self.forge = forge
    }

    var testDescription: String { law }
  }

  static let forgeries: [Forgery] = [
    Forgery("requests the client made and orders caused") { books in
      books.requests -= 1
      books.failures -= 1
      books.refusedByCircuit += 1
    },
    Forgery("requests the user service received") { $0.received = 18 },
    Forgery("orders created and answers from the service") { books in
      books.late = 0
      books.failures += 1
      books.budget?.givenBack = 3
    },
    Forgery("attempts that the breaker let through or refused") { $0.refusedByCircuit = 0 },
    Forgery("attempts, requests and injected faults") { $0.injected?.errors = 4 },
    Forgery("attempts, requests and injected faults") { books in
      books.injected = .init(errors: 0, latencies: 2, hangs: 1)
    },
    Forgery("retries the budget paid for") { books in
      books.budget?.withdrawn = 3
    },
    Forgery("retries the budget refused") { $0.budgetRefused = 3 },
    Forgery("failed retries and what pays for them") { books in
      books.budget?.givenBack = 1
    },
    Forgery("orders the order service let in") { $0.admitted = 17 },
    Forgery("orders the order service turned away") { $0.turnedAway = 3 },
    Forgery("orders turned away with room left") { $0.limit = 9 },
    Forgery("places that were not given back") { $0.inFlight = 1 },
  ]

  @Test("are kept by books that add up")
  func keptByBooks() {
    var laws = Laws()
    laws.hold(Self.books, Self.sums)
    #expect(laws.violations == [])
  }

  @Test("are broken by books that do not", arguments: forgeries)
  func brokenByBooks(forgery: Forgery) {
    var books = Self.books
    forgery.forge(&books)
    var laws = Laws()
    laws.hold(books, Self.sums)
    #expect(laws.violations == ["\(forgery.law): they do not add up in \(books)"])
  }

  @Test("want a budget for retries")
  func noBudget() {
    var books = Self.books
    books.budget = nil
    var laws = Laws()
    laws.hold(books, Self.sums)
    #expect(laws.violations == ["retries without a budget"])
  }
}
