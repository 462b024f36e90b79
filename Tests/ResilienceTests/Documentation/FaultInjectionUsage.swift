import Resilience
import ResilienceTesting
import Synchronization
import Testing

extension Documentation {
  /// What an order flow changes: goods that are kept aside, and orders for them.
  final class Stock: Sendable {
    private let state: Mutex<Int>

    init(amount: Int) { state = Mutex(amount) }

    var amount: Int { state.withLock { $0 } }

    func take() async throws { state.withLock { $0 -= 1 } }
    func putBack() async throws { state.withLock { $0 += 1 } }
  }

  final class Orders: Sendable {
    private let state = Mutex(0)

    var count: Int { state.withLock { $0 } }

    func add() async throws { state.withLock { $0 += 1 } }
  }

  /// Takes from the stock and orders, by calls that may fail.
  struct OrderDesk<Policy: ResiliencePolicy> {
    let stock: Stock
    let orders: Orders
    let calling: Policy

    func order() async throws {
      try await calling.run { try await stock.take() }
      do {
        try await calling.run { try await orders.add() }
      } catch {
        try await Retry(backoff: .none).run {
          try await calling.run { try await stock.putBack() }
        }
        throw error
      }
    }

    func orderCarelessly() async throws {
      try await calling.run { try await stock.take() }
      try await calling.run { try await orders.add() }
    }
  }
}

extension Documentation {
  @Suite("Documentation: use of fault injection")
  struct FaultInjectionUsage {
    static let guide = "\(catalog)/FaultInjectionGuide.md"

    let users = UserService()
    let id = 1

    @Test("faults stand in a list")
    func faults() async throws {
      // snippet
      let faults = FaultInjection([
        .latency(.milliseconds(200), rate: 0.5),
        .error(rate: 0.1) { Unavailable() },
      ])
      // end snippet
      #expect(
        faults.layers.map(\.settings) == ["latency 0.2 seconds at 0.5, error at 0.1"])
    }

    @Test("it is the innermost policy")
    func innermost() async throws {
      let faults = FaultInjection([.error(onCall: 1) { Unavailable() }])
      // snippet
      let pipeline = Pipeline {
        Retry(backoff: .none)
        CircuitBreaker("user-service")
        faults
      }

      let user = try await pipeline.run { try await users.find(id) }
      // end snippet
      #expect(user == User(id: 1))
      #expect(users.calls == 1)
      #expect(faults.snapshot().calls == 2)
    }

    @Test("a result is for calls of its type")
    func result() async throws {
      // snippet
      let faults = FaultInjection([
        .result(Response(status: 503), rate: 0.1, countsAsFailure: true)
      ])
      // end snippet
      faults.setFaults([.result(Response(status: 503), rate: 1, countsAsFailure: true)])
      let response = try await faults.run { Response(status: 200) }
      #expect(response.status == 503)
    }

    @Test("it is a switch in a program that runs")
    func switching() async throws {
      // snippet
      let faults = FaultInjection("user-service", [.hang(rate: 0.01)], isEnabled: false)

      func startExperiment(_ experiment: FaultInjection.Configuration) throws {
        try experiment.validate()
        faults.setFaults(experiment.faults)
        faults.isEnabled = true
      }

      func endExperiment() {
        faults.isEnabled = false
      }
      // end snippet
      #expect(try await faults.run { try await users.find(id) } == User(id: 1))
      try startExperiment(.init([.result(User(id: 7), rate: 1)]))
      #expect(try await faults.run { try await users.find(id) } == User(id: 7))
      #expect(throws: ConfigurationError.self) { try startExperiment(.init([.hang(rate: 7)])) }
      endExperiment()
      #expect(try await faults.run { try await users.find(id) } == User(id: 1))
    }

    @Test("an order that cannot be placed puts the goods back")
    func placing() async throws {
      let (stock, orders) = (Stock(amount: 1), Orders())
      let calling = FaultInjection([.error(onCall: 2) { Unavailable() }])
      // snippet
      func order() async throws {
        try await calling.run { try await stock.take() }
        do {
          try await calling.run { try await orders.add() }
        } catch {
          try await Retry(backoff: .none).run {
            try await calling.run { try await stock.putBack() }
          }
          throw error
        }
      }
      // end snippet
      try? await order()
      #expect(stock.amount == 1)
      #expect(orders.count == 0)
    }

    @Test("a careless order loses the goods")
    func losing() async throws {
      let (stock, orders) = (Stock(amount: 1), Orders())
      let calling = FaultInjection([.error(onCall: 2) { Unavailable() }])
      // snippet
      func orderCarelessly() async throws {
        try await calling.run { try await stock.take() }
        try await calling.run { try await orders.add() }
      }
      // end snippet
      try? await orderCarelessly()
      #expect(stock.amount == 0)
      #expect(orders.count == 0)
    }

    // snippet
    @Test func keepsItsPromiseWhateverFails() async throws {
      let runs = try await FaultInjection.failingEachCall(with: { Unavailable() }) { faults in
        let (stock, orders) = (Stock(amount: 1), Orders())
        let desk = OrderDesk(stock: stock, orders: orders, calling: faults)

        try? await desk.order()

        #expect(stock.amount + orders.count == 1, "\(faults.name)")
      }
      #expect(runs == 3)
    }
    // end snippet

    @Test("each call of a flow fails once")
    func failingEachCall() async throws {
      // snippet
      try await FaultInjection.failingEachCall(with: { Unavailable() }) { faults in
        let (stock, orders) = (Stock(amount: 1), Orders())
        let desk = OrderDesk(stock: stock, orders: orders, calling: faults)

        try? await desk.order()

        #expect(stock.amount + orders.count == 1)
      }
      // end snippet
    }

    @Test("a careless flow is found out, by its second call")
    func careless() async throws {
      var broken: [String] = []
      try await FaultInjection.failingEachCall(with: { Unavailable() }) { faults in
        let (stock, orders) = (Stock(amount: 1), Orders())
        let desk = OrderDesk(stock: stock, orders: orders, calling: faults)
        try? await desk.orderCarelessly()
        if stock.amount + orders.count != 1 { broken.append(faults.name) }
      }
      #expect(broken == ["failing call 2"])
      // What `order()` holds in the guide is no accident of the first failure alone.
      let desk = OrderDesk(stock: Stock(amount: 1), orders: Orders(), calling: FaultInjection([]))
      try await desk.order()
      #expect(desk.stock.amount == 0)
      #expect(desk.orders.count == 1)
    }

    @Test("events are lines for a log")
    func events() async throws {
      let lines = try await withVirtualTime { clock in
        let events = EventRecorder()
        let faults = FaultInjection(
          [.latency(.milliseconds(200), rate: 1), .error(rate: 1) { Unavailable() }], clock: clock,
          observers: [events])
        _ = try? await faults.run {}
        faults.isEnabled = false
        return events.descriptions
      }
      let shown = try blocks(inMarkdown: Self.guide).filter { $0.info == "text" }
      #expect(shown.map(\.code) == [lines])
    }

    @Test("the defaults are those in the table")
    func defaults() async throws {
      let rows = try rows(inMarkdown: Self.guide)
      let value = { (parameter: String) in rows.first { $0.first == "`\(parameter)`" }?[1] }
      let faults = FaultInjection([.result(1, rate: 1)])
      let graded = try await faults.execute(Execution()) { _ in Graded(2) }
      #expect(value("name") == "`\"\(faults.name)\"`")
      #expect(value("isEnabled") == "`\(faults.isEnabled)`")
      #expect(value("countsAsFailure") == "`\(graded.outcome == .failure)`")
      let runs = 999
      let count = try await FaultInjection.failingEachCall(with: { Unavailable() }) { faults in
        for _ in 1...runs { try? await faults.run {} }
      }
      #expect(value("upTo") == "`\(count)`")
      do {
        try await FaultInjection.failingEachCall(with: { Unavailable() }) { faults in
          for _ in 1...runs + 1 { try? await faults.run {} }
        }
        Issue.record("more runs than the table says")
      } catch { #expect(error is FaultInjection.TooManyCallsError) }
    }
  }
}

// MARK: - Anti-patterns

extension Documentation.FaultInjectionUsage {
  typealias Unavailable = Documentation.Unavailable
  typealias User = Documentation.User

  @Test("outside the retry, a fault is never retried")
  func outside() async {
    let faults = FaultInjection([.error(onCall: 1) { Unavailable() }])
    // snippet
    let pipeline = Pipeline {
      faults
      Retry(backoff: .none)
    }
    // end snippet
    let user = try? await pipeline.run { try await users.find(id) }
    #expect(user == nil)
    #expect(users.calls == 0)
  }

  @Test("a result of another type meets nobody")
  func otherType() async throws {
    // snippet
    let faults = FaultInjection([.result(User(id: 7), rate: 1)])

    let user: User? = try await faults.run { try? await users.find(id) }
    // end snippet
    #expect(user == User(id: 1))
    #expect(faults.snapshot().results == 0)
  }

  @Test("an optional result meets calls that return optionals")
  func sameType() async throws {
    // snippet
    let faults = FaultInjection([.result(User?.some(User(id: 7)), rate: 1)])
    // end snippet
    let user: User? = try await faults.run { try? await users.find(id) }
    #expect(user == User(id: 7))
  }

  @Test("a hang without a limit outside is for ever")
  func unlimited() async throws {
    try await withVirtualTime { clock in
      let users = Documentation.UserService()
      let faults = FaultInjection([.hang(rate: 1)], clock: clock)
      // snippet
      let pipeline = Pipeline {
        Timeout(.seconds(2), clock: clock)
        faults
      }
      // end snippet
      do {
        _ = try await pipeline.run { try await users.find(1) }
        Issue.record("an answer")
      } catch { #expect(error is TimeoutError) }
      #expect(users.calls == 0)
    }
  }
}
