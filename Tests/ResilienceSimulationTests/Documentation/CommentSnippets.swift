import Resilience
import ResilienceSimulation
import Testing

extension Documentation {
  @Suite("Documentation: comments of the simulation")
  struct CommentSnippets {
    @Test("a stack of one's own")
    func stack() async throws {
      // snippet
      let mine = Stack("mine") { client in
        Pipeline {
          Timeout(client.deadline, clock: client.clock)
          Retry(maxAttempts: client.maxAttempts, clock: client.clock, seed: client.seed())
          CircuitBreaker(
            "users", clock: client.clock, seed: client.seed(), observers: client.observers)
          Timeout(client.attemptTimeout, clock: client.clock)
        }
      }
      // end snippet
      let result = try await Trial(.userServiceBrownout(), mine, clients: 5).run()
      #expect(result.stack == "mine")
      #expect(!result.isMetastable)
    }

    @Test("a campaign of one scenario and two stacks")
    func campaign() async throws {
      let mine = Stack.users
      let brownouts = FailureScenario(
        number: 1, title: "Brownouts", summary: "The user service answers less for a while.",
        variants: [
          FailureScenario.Variant(
            scenario: .userServiceBrownout(),
            figures: [Figure("goodput", .share) { $0.calls().goodput }])
        ])
      // snippet
      let report = try await Campaign([brownouts], stacks: [.bare, mine], seeds: [1, 2]).run()
      print(report.text)
      // end snippet
      #expect(report.stacks == ["bare", "users"])
      #expect(report.sections.map(\.title) == ["Brownouts"])
    }

    @Test("a search for the smallest fatal trouble")
    func metastability() async throws {
      let mine = Stack.users
      let search = Metastability(of: "brownout", from: .seconds(2), to: .seconds(2)) {
        .userServiceBrownout(lasting: $0)
      }
      // snippet
      let verdict = try await search.verdict(on: mine)
      #expect(verdict.smallestFatal == nil, "\(verdict)")
      // end snippet
      #expect("\(verdict)" == "users: recovers from every brownout up to 2 s")
    }
  }
}
