import Resilience
import ResilienceTesting
import Testing

extension Documentation {
  @Suite("Documentation: keyed policies and criticality")
  struct KeyedSnippets {
    @Test("one circuit breaker for each host")
    func keyed() async throws {
      func fetch(_ page: String) async throws -> String { page }
      // snippet
      let breakers = Keyed<String, CircuitBreaker>(capacity: 10_000) { host in
        CircuitBreaker(host)
      }

      let page = try await breakers["shard-7"].run { try await fetch("shard-7/index") }
      // end snippet
      #expect(page == "shard-7/index")
      #expect(breakers.all().map(\.key) == ["shard-7"])
      #expect(breakers["shard-7"].name == "shard-7")
    }

    @Test("the default is that in the table")
    func defaults() throws {
      #expect(Keyed<Int, RetryBudget> { _ in RetryBudget() }.capacity == 10_000)
      let row = try rows(inMarkdown: "\(catalog)/KeyedGuide.md").first { $0.first == "`capacity`" }
      #expect(row?[1] == "`10_000`")
    }

    @Test("a class with what belongs together")
    func several() async throws {
      func fetch(_ page: String) async throws -> String { page }
      // snippet
      final class Shard: Evictable {
        let breaker: CircuitBreaker
        let budget: RetryBudget

        init(_ name: String) {
          breaker = CircuitBreaker(name)
          budget = RetryBudget(name)
        }

        var isEvictable: Bool { breaker.isEvictable && budget.isEvictable }

        func run<Success>(_ operation: () async throws -> Success) async throws -> Success {
          let policies = Pipeline {
            Retry(breaker.name, budget: budget)
            breaker
          }
          return try await policies.run(operation)
        }
      }

      let shards = Keyed<String, Shard> { Shard($0) }
      let page = try await shards["shard-7"].run { try await fetch("shard-7/index") }
      // end snippet
      #expect(page == "shard-7/index" && shards["shard-7"].isEvictable)
      #expect(shards["shard-7"].budget.snapshot().successes == 1)
    }

    @Test("all of them, and the one that is open")
    func openOnes() async throws {
      let breakers = Keyed<String, CircuitBreaker> {
        CircuitBreaker($0, tripping: .consecutiveFailures(1))
      }
      breakers["shard-7"].tryAcquire()?.fail()
      breakers["shard-8"].tryAcquire()?.succeed()
      // snippet
      let open = breakers.all().filter { $0.policy.state == .open }.map(\.key)
      // end snippet
      #expect(open == ["shard-7"])
    }

    // snippet
    @Test func oneShardDoesNotConcernTheOthers() async throws {
      let clock = VirtualClock()
      let breakers = Keyed<Int, CircuitBreaker> { shard in
        CircuitBreaker("shard \(shard)", tripping: .consecutiveFailures(5), clock: clock)
      }
      for _ in 1...5 { _ = try? await breakers[7].run { throw Unavailable() } }

      #expect(breakers[7].state == .open)
      #expect(try await breakers[8].run { "answer" } == "answer")
    }
    // end snippet

    @Test("a policy that is held stays")
    func held() async throws {
      let host = "a"
      let breakers = Keyed<String, CircuitBreaker>(capacity: 1) { CircuitBreaker($0) }
      func fetch(_ page: String) async throws -> String {
        _ = breakers["other"]
        return page
      }
      // snippet
      let breaker = breakers[host]
      let first = try await breaker.run { try await fetch(host + "/1") }
      let second = try await breaker.run { try await fetch(host + "/2") }
      // end snippet
      #expect([first, second] == ["a/1", "a/2"])
      #expect(breakers["a"] === breaker)
    }

    @Test("a dictionary grows without bound")
    func dictionary() {
      var table: [String: CircuitBreaker] = [:]
      for number in 1...1_000 {
        let host = "host-\(number)"
        // snippet
        let breaker = table[host] ?? CircuitBreaker(host)
        table[host] = breaker
        // end snippet
      }
      #expect(table.count == 1_000)
    }

    @Test("keys that never come back learn nothing")
    func endlessKeys() async {
      let breakers = Keyed<String, CircuitBreaker> {
        CircuitBreaker($0, tripping: .consecutiveFailures(5))
      }
      func fetch(_ page: String) async throws -> String { throw Unavailable() }
      func page(_ id: Int) async throws -> String {
        // snippet
        let page = try await breakers["shard-7/users/\(id)"].run {
          try await fetch("shard-7/users/\(id)")
        }
        // end snippet
        return page
      }
      for id in 1...100 { _ = try? await page(id) }
      #expect(breakers.all().allSatisfy { $0.policy.state == .closed })
    }

    @Test("a call that can be shed")
    func criticality() async throws {
      struct Catalogue {
        func recommendations(for user: Int) async throws -> [Criticality] { [.current] }
      }
      let (catalogue, user) = (Catalogue(), 1)
      // snippet
      let hints = try await Criticality.sheddable.run {
        try await catalogue.recommendations(for: user)
      }
      // end snippet
      #expect(hints == [.sheddable])
      #expect(Criticality.current == .normal)
    }
  }
}
