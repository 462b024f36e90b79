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
