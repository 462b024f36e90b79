import Resilience
import ResilienceSimulation
import Testing

// snippet
extension Stack {
  static let users = Stack("users") { client in
    Pipeline {
      Timeout(client.deadline, name: "total", clock: client.clock)
      Retry(
        "users", maxAttempts: client.maxAttempts, clock: client.clock, seed: client.seed())
      CircuitBreaker(
        "users", clock: client.clock, seed: client.seed(), observers: client.observers)
      Timeout(client.attemptTimeout, name: "attempt", clock: client.clock)
    }
  }
}
// end snippet

// snippet
extension Scenario {
  /// 8 requests at a time, 40 ms each: 200 a second. 150 come, and for a while 80 are answered.
  static func userServiceBrownout(lasting length: Duration = .seconds(5)) -> Scenario {
    var scenario = Scenario("brownout of the user service")
    scenario.service = ServiceModel(
      workers: 8, queueLimit: 2_000, serviceTime: .exponential(mean: .milliseconds(40)))
    scenario.load.rate = .total(150)
    scenario.attemptTimeout = .milliseconds(250)
    scenario.deadline = .seconds(1)
    scenario.maxAttempts = 3
    scenario.warmUp = .seconds(5)
    scenario.phases = [Phase(length, .capacity(0.4))]
    scenario.watch = .seconds(20)
    return scenario
  }
}
// end snippet

// snippet
extension Stack {
  static let eagerUsers = Stack("eager users") { client in
    Pipeline {
      Timeout(client.deadline, name: "total", clock: client.clock)
      Retry(
        "users", maxAttempts: client.maxAttempts, budget: nil, clock: client.clock,
        seed: client.seed())
      Timeout(client.attemptTimeout, name: "attempt", clock: client.clock)
    }
  }
}
// end snippet

extension Documentation {
  @Suite("Documentation: testing your own resilience")
  struct GuideSnippets {
    static let page =
      "Sources/ResilienceSimulation/Documentation.docc/TestingYourResilience.md"

    // snippet
    @Test("a brownout is over when it is over", arguments: 1...3 as ClosedRange<UInt64>)
    func recovers(seed: UInt64) async throws {
      let result = try await Trial(
        .userServiceBrownout(), .users, clients: 5, seed: seed
      ).run()
      #expect(!result.isMetastable)
    }
    // end snippet

    @Test("retries that nobody pays for keep the service down")
    func unpaidRetries() async throws {
      await withKnownIssue {
        // snippet
        let result = try await Trial(.userServiceBrownout(), .eagerUsers, clients: 5).run()
        #expect(!result.isMetastable)  // fails
        // end snippet
      }
      let result = try await Trial(.userServiceBrownout(), .eagerUsers, clients: 5).run()
      #expect(result.timeToRecover == nil)
      #expect(result.calls(in: .afterwards).good == 0)
      #expect(result.calls(in: .afterwards).amplification > 3)
      #expect(result.calls().wastedShare > 0.85)
    }

    @Test("a result is read by stretch and by group")
    func reading() async throws {
      // snippet
      let result = try await Trial(.userServiceBrownout(), .users, clients: 5).run()
      let before = result.calls(in: .warmUp)
      let trouble = result.calls(in: .trouble)
      let afterwards = result.calls(in: .afterwards)
      #expect(before.goodput > 0.99)
      #expect(trouble.amplification < 1.2)
      #expect(afterwards.goodput > 0.9)
      #expect((result.timeToRecover ?? .max) <= 5)
      #expect(result.calls().wastedShare < 0.2)
      #expect(result.circuits.tripsAfterwards == 0)
      #expect(result.unfinishedCalls == 0 && result.leftoverTimers == 0)
      // end snippet
    }

    @Test("stacks are compared by figures with targets")
    func comparing() async throws {
      // snippet
      let brownouts = FailureScenario(
        number: 1, title: "Brownout of the user service",
        summary: "It does 40 % of its work for 2 or 5 s.",
        variants: [2, 5].map { seconds in
          FailureScenario.Variant(
            name: "\(seconds) s", scenario: .userServiceBrownout(lasting: .seconds(seconds)),
            figures: [
              Figure("time to recover", .seconds, .only(["users"], .atMost(5))) {
                $0.timeToRecover.map(Double.init)
              },
              Figure("goodput", .share) { $0.calls().goodput },
              Figure("requests per call", .ratio) { $0.calls(in: .trouble).amplification },
            ])
        })
      let report = try await Campaign(
        [brownouts], stacks: [.bare, .eagerUsers, .users], clients: [5], seeds: [1, 2]
      ).run()
      print(report.text)
      #expect(report.meetsAllTargets)
      // end snippet
      #expect(report.scores.map(\.judged) == [0, 0, 2])
      let quoted = try blocks(inMarkdown: Self.page).filter { $0.info == "text" }.flatMap(\.code)
      #expect(quoted.count == 8)
      for line in quoted {
        let isReported = report.text.contains(line)
        #expect(isReported, "not in the report: \(line)")
      }
    }

    @Test("the shortest fatal trouble is searched for")
    func searching() async throws {
      // snippet
      let search = Metastability(of: "brownout", from: .seconds(2), to: .seconds(8)) {
        .userServiceBrownout(lasting: $0)
      }
      let verdict = try await search.verdict(on: .users, clients: 5)
      #expect(verdict.smallestFatal == nil, "\(verdict)")
      // end snippet
      #expect("\(verdict)" == "users: recovers from every brownout up to 8 s")
      #expect(verdict.evidence == "tried with 5 clients: 2 s, 4 s, 8 s")
      let fatal = try await search.verdict(on: .eagerUsers, clients: 5)
      let words = "never recovers from a brownout of 2 s, the shortest tried"
      #expect("\(fatal)" == "eager users: \(words)")
    }

    @Test("a rule of one's own decides what goes wrong")
    func rule() async throws {
      // snippet
      var scenario = Scenario.userServiceBrownout()
      scenario.load.keys = 8
      scenario.phases = [
        Scenario.Phase(
          .seconds(10),
          .custom("two of eight tenants fail, slowly") { request, _, chance in
            request.key < 2 ? .fail(after: .milliseconds(200 + Int(100 * chance))) : nil
          })
      ]
      // end snippet
      let result = try await Trial(scenario, .users, clients: 5).run()
      let trouble = (
        result.calls(.troubled, in: .trouble), result.calls(.untroubled, in: .trouble)
      )
      #expect(trouble.0.goodput < 0.1)
      #expect(trouble.1.goodput > 0.9)
    }

    @Test("policies by key, before a service that guards itself")
    func routingAndGuarding() async throws {
      // snippet
      let byTenant = Stack(
        "by tenant",
        routing: { client in
          let retry = Retry(
            "users", maxAttempts: client.maxAttempts, clock: client.clock, seed: client.seed())
          let breakers = Keyed<Int, CircuitBreaker>(capacity: 100) { tenant in
            CircuitBreaker(
              "tenant \(tenant)", clock: client.clock, seed: client.seed(),
              observers: client.observers)
          }
          return { request in
            Pipeline {
              retry
              breakers[request.key]
              Timeout(client.attemptTimeout, clock: client.clock)
            }
          }
        })
      let guarded = byTenant.guarded("by tenant, guarded") { service in
        AdaptiveLimiter("users", algorithm: .gradient(), clock: service.clock)
      }
      // end snippet
      var scenario = Scenario.userServiceBrownout()
      scenario.load.keys = 8
      let result = try await Trial(scenario, guarded, clients: 5).run()
      #expect(result.stack == "by tenant, guarded")
      #expect(!result.isMetastable)
    }

    @Test("a seed is a run")
    func determinism() async throws {
      // snippet
      let trial = Trial(.userServiceBrownout(), .users, clients: 5, seed: 7)
      let (once, again) = (try await trial.run(), try await trial.run())
      #expect(once == again)
      // end snippet
    }

    @Test("a policy on the real clock ends the trial")
    func realClock() async throws {
      // snippet
      let careless = Stack("careless") { _ in CircuitBreaker("users") }
      await #expect(throws: SimulationError.realClock(stack: "careless")) {
        try await Trial(.userServiceBrownout(), careless).run()
      }
      // end snippet
    }
  }
}
