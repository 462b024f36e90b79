import Resilience
import ResilienceTesting
import Synchronization
import Testing

extension Documentation {
  struct Order: Hashable, Sendable {
    let key: String
  }

  /// A payment service whose first answer is lost after its work is done.
  final class Payments: Sendable {
    private struct State {
      var requests = 0
      var keys: Set<String> = []
      var charged: [Order] = []
    }

    private let state = Mutex(State())

    var requests: Int { state.withLock { $0.requests } }
    var charged: [Order] { state.withLock { $0.charged } }

    func charge(_ order: Order, key: String? = nil) async throws {
      let isFirst = state.withLock { state in
        state.requests += 1
        if key.map({ state.keys.insert($0).inserted }) ?? true { state.charged.append(order) }
        return state.requests == 1
      }
      if isFirst { throw Unavailable() }
    }
  }

  /// Reports that take a while to be made.
  struct Reports {
    struct NotReady: Error {}

    let clock: VirtualClock

    func isReady(_ id: Int) async throws -> Bool { clock.now.offset >= .seconds(60) }

    func fetch(_ id: Int) async throws -> String {
      guard try await isReady(id) else { throw NotReady() }
      return "report \(id)"
    }
  }

  /// What the guide warns of: each with the harm that it does, then the cure without it.
  @Suite("Documentation: anti-patterns of retries")
  struct RetryAntiPatterns {
    let users = UserService(.failing(Unavailable()))
    let id = 1

    @Test("an operation with effects has them twice")
    func effects() async throws {
      let payments = Payments()
      let order = Order(key: "order-1")
      let retry = Retry("payments", backoff: .none)
      // snippet
      try await retry.run { try await payments.charge(order) }
      // end snippet
      #expect(payments.charged == [order, order])
    }

    @Test("a loop around a retry multiplies its attempts")
    func loop() async throws {
      let (users, id) = (users, id)
      let retry = Retry("user-service", backoff: .none, budget: nil)
      func find() async throws -> User {
        // snippet
        for _ in 1...3 {
          do { return try await retry.run { try await users.find(id) } } catch {}
        }
        throw Unavailable()
        // end snippet
      }
      _ = try? await find()
      #expect(users.calls == 9)
    }

    @Test("without a budget, an outage gets as many attempts as there may be")
    func noBudget() async throws {
      let (users, id) = (users, id)
      try await withVirtualTime { clock in
        // snippet
        let retry = Retry("user-service", budget: nil, clock: clock)
        // end snippet
        for _ in 1...1000 { _ = try? await retry.run { try await users.find(id) } }
        #expect(users.calls == 3000)
      }
    }

    // MARK: Repeating inside

    @Test("a breaker sees nothing of attempts that are repeated inside")
    func repeatingInside() async throws {
      let (users, id) = (users, id)
      try await withVirtualTime { clock in
        let breaker = CircuitBreaker("user-service", clock: clock)
        func find(_ users: Hourly) async throws -> User {
          // snippet
          try await breaker.run {
            while true {
              do { return try await users.find(id) } catch {}
            }
          }
          // end snippet
        }
        _ = try await find(Hourly(users: users, clock: clock))
        #expect(users.calls == 3600)
        #expect(breaker.snapshot().totals.failures == 0)
      }
    }

    @Test("a breaker inside a retry sees every attempt, and ends it")
    func repeatingOutside() async throws {
      let (users, id) = (users, id)
      try await withVirtualTime { clock in
        let breaker = CircuitBreaker(
          "user-service", tripping: .consecutiveFailures(2), clock: clock)
        let retry = Retry("user-service", maxAttempts: 10, budget: nil, clock: clock)
        func find() async throws -> User {
          // snippet
          try await retry.run {
            try await breaker.run { try await users.find(id) }
          }
          // end snippet
        }
        do {
          _ = try await find()
          Issue.record("no error")
        } catch { #expect(error is CircuitOpenError) }
        #expect(users.calls == 2)
      }
    }

    /// A service that fails for an hour, and takes a second for it.
    struct Hourly: Sendable {
      let users: UserService
      let clock: VirtualClock

      func find(_ id: Int) async throws -> User {
        try await clock.sleep(for: .seconds(1))
        if clock.now.offset >= .seconds(3600) { users.become(.answering) }
        return try await users.find(id)
      }
    }

    // MARK: Waiting

    @Test("long waits outlive whoever waits")
    func longWaits() async throws {
      let (users, id) = (users, id)
      try await withVirtualTime { clock in
        let budget = RetryBudget(minimumCapacity: 10, clock: clock)
        func find() async throws -> User {
          // snippet
          let retry = Retry(
            maxAttempts: 10, backoff: .exponential(from: .seconds(1), jitter: .none),
            budget: budget, clock: clock)
          let user = try await retry.run { try await users.find(id) }
          // end snippet
          return user
        }
        _ = try? await find()
        #expect(clock.now == .init(offset: .seconds(111)))
      }
    }

    @Test("what is not ready yet is no failure")
    func polling() async throws {
      try await withVirtualTime { clock in
        let (reports, id) = (Reports(clock: clock), 1)
        let budget = RetryBudget(minimumCapacity: 2, clock: clock)
        let retry = Retry("reports", budget: budget, clock: clock)
        func fetch() async throws -> String {
          // snippet
          let report = try await retry.run { try await reports.fetch(id) }
          // end snippet
          return report
        }
        do {
          _ = try await fetch()
          Issue.record("no error")
        } catch { #expect(error is Reports.NotReady) }
        #expect(budget.snapshot().tokens == 0)
      }
    }

    @Test("a loop waits until it is")
    func waiting() async throws {
      try await withVirtualTime { clock in
        let (reports, id) = (Reports(clock: clock), 1)
        // snippet
        while try await !reports.isReady(id) { try await clock.sleep(for: .seconds(1)) }
        let report = try await reports.fetch(id)
        // end snippet
        #expect(report == "report 1")
      }
    }

    // MARK: Refusals

    @Test("a refusal that is retried is a refusal three times")
    func retryingRefusals() async throws {
      let (users, id) = (users, id)
      try await withVirtualTime { clock in
        let budget = RetryBudget(minimumCapacity: 10, clock: clock)
        let breaker = CircuitBreaker("user-service", clock: clock)
        breaker.isolate()
        // snippet
        let retry = Retry("user-service", budget: budget, deciding: { _ in .retry }, clock: clock)
        // end snippet
        _ = try? await retry.run { try await breaker.run { try await users.find(id) } }
        #expect(breaker.snapshot().totals.rejected == 3)
        users.become(.failing(NoSuchUser()))
        _ = try? await retry.run { try await users.find(id) }
        #expect(users.calls == 3)
      }
    }

    @Test("a decision that leaves the rest to the library stops there")
    func leavingTheRest() async throws {
      let (users, id) = (users, id)
      try await withVirtualTime { clock in
        let budget = RetryBudget(minimumCapacity: 10, clock: clock)
        let breaker = CircuitBreaker("user-service", clock: clock)
        breaker.isolate()
        let retry = Retry(
          "user-service", budget: budget, deciding: { $0 is NoSuchUser ? .stop : nil },
          clock: clock)
        _ = try? await retry.run { try await breaker.run { try await users.find(id) } }
        #expect(breaker.snapshot().totals.rejected == 1)
        users.become(.failing(NoSuchUser()))
        _ = try? await retry.run { try await users.find(id) }
        #expect(users.calls == 1)
        #expect(clock.now == .start)
      }
    }
  }
}
