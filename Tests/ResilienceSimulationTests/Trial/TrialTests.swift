import Resilience
import ResilienceTesting
import Testing

@testable import ResilienceSimulation

@Suite("Trials")
struct TrialTests {
  // MARK: - What is left

  @Test("callers who give up leave no call and no timer", arguments: Stack.own.indices)
  func givingUp(_ index: Int) async throws {
    var scenario = Scenario.smallBrownout
    scenario.phases[0].troubles = [.silence()]
    scenario.load.cancelling = 0.5
    let result = try await Trial(scenario, Stack.own[index], clients: 4).run()
    #expect(result.calls().cancelled > 3)
    #expect(result.unfinishedCalls == 0)
    #expect(result.leftoverTimers == 0)
  }

  @Test("calls that hang for ever are reported, and do not hang the trial")
  func hanging() async throws {
    let scenario = Scenario.quiet(phases: [.init(.seconds(2), .silence())])
    let result = try await Trial(scenario, .direct).run()
    let lost = result.calls(in: .trouble).offered
    #expect(lost > 30)
    #expect(result.unfinishedCalls == lost)
    #expect(result.calls().good == result.calls().offered - lost)
    #expect(result.peakInFlight >= lost)
  }

  /// Sets a timer for each call and forgets it.
  private struct Forgetful: ConcurrentPolicy {
    let clock: VirtualClock

    func execute<Success: Sendable>(
      _ execution: Execution,
      concurrently operation: @escaping @Sendable (Execution) async throws -> Graded<Success>
    ) async throws -> Graded<Success> {
      _ = clock.schedule(at: clock.now.advanced(by: .seconds(3_600))) {}
      return try await operation(execution)
    }
  }

  @Test("timers that a stack forgets are counted")
  func forgottenTimers() async throws {
    let stack = Stack("forgetful") { Forgetful(clock: $0.clock as! VirtualClock) }
    let result = try await Trial(.quiet(), stack).run()
    #expect(result.leftoverTimers == result.calls().offered)
  }

  @Test(
    "the service's own timers are no leak",
    arguments: [
      // Answers that nobody waits for any more, and pauses that are still to come.
      Trouble.stragglers(1, delay: .seconds(2)), .failing(1, after: .seconds(2)),
      .serverPauses(of: .milliseconds(10), every: .milliseconds(700)),
    ])
  func ownTimers(_ trouble: Trouble) async throws {
    var scenario = Scenario.quiet()
    scenario.afterwards = [trouble]
    let result = try await Trial(scenario, .bare).run()
    #expect(result.leftoverTimers == 0)
    #expect(result.unfinishedCalls == 0)
  }

  // MARK: - Endings

  @Test("every call ends in one way, and all ways are counted", arguments: ["bare", "tuned"])
  func endings(_ stack: String) async throws {
    let result = try await Trial(.smallBrownout, .named(stack), clients: 4).run()
    let calls = result.calls()
    #expect(
      calls.offered == calls.good + calls.late + calls.refused + calls.failed + calls.cancelled)
    #expect(calls.offered == result.timeline.reduce(0) { $0 + $1.offered } + calls.cancelled)
    #expect(calls.good == result.timeline.reduce(0) { $0 + $1.good })
    #expect(
      calls.offered == [.critical, .normal, .sheddable].reduce(0) { $0 + result.calls($1).offered })
    #expect(calls.wasted > 0)
    #expect(calls.completions == calls.attempts)
  }

  @Test("an answer after the user's deadline is late, and worth nothing")
  func late() async throws {
    var scenario = Scenario.quiet()
    scenario.deadline = .milliseconds(9)
    let calls = try await Trial(scenario, .direct).run().calls()
    #expect(calls.late == calls.offered)
    #expect(calls.goodput == 0)
    scenario.deadline = .milliseconds(10)
    #expect(try await Trial(scenario, .direct).run().calls().goodput == 1)
  }

  @Test("who refuses what the service would have answered does collateral damage")
  func collateral() async throws {
    let refusing = Stack("refusing") { _ in GuardianTests.Closed() }
    let scenario = Scenario.quiet(phases: [.init(.seconds(2), .silence())])
    let result = try await Trial(scenario, refusing).run()
    #expect(result.calls().refused == result.calls().offered)
    #expect(result.calls().attempts == 0)
    #expect(result.calls(in: .warmUp).collateral == result.calls(in: .warmUp).offered)
    #expect(result.calls(in: .trouble).collateral == 0)
  }

  @Test("a rejection after an attempt is a failure, not a refusal")
  func rejectionAfterAttempt() async throws {
    struct Late: ConcurrentPolicy {
      func execute<Success: Sendable>(
        _ execution: Execution,
        concurrently operation: @escaping @Sendable (Execution) async throws -> Graded<Success>
      ) async throws -> Graded<Success> {
        _ = try await operation(execution)
        throw GuardianTests.Closed.Refusal()
      }
    }
    let calls = try await Trial(.quiet(), Stack("late") { _ in Late() }).run().calls()
    #expect(calls.failed == calls.offered)
    #expect(calls.refused == 0)
  }

  // MARK: - Hops

  @Test("a call goes through a stack at each hop, and all of them retry")
  func hops() async throws {
    var scenario = Scenario.quiet()
    scenario.hops = 3
    scenario.always = [.failing(1)]
    // Inside one process the inner retry would leave it to the outer one.
    let stack = Stack("twice") { client in
      Retry(
        maxAttempts: 2, backoff: .none, budget: nil, clock: client.clock, seed: client.seed())
    }
    let calls = try await Trial(scenario, stack, clients: 2).run().calls()
    #expect(calls.failed == calls.offered)
    #expect(calls.amplification == 8)
  }

  @Test("deadline and criticality pass every hop, cancellation none")
  func contextOfHops() async throws {
    let notebook = GuardianTests.Notebook()
    var scenario = Scenario.quiet()
    scenario.hops = 3
    scenario.load.critical = 1
    scenario.deadline = .milliseconds(5)
    let stack = Stack("deadline") { Timeout($0.deadline, clock: $0.clock) }
      .guarded("guarded") { _ in notebook }
    let result = try await Trial(scenario, stack, clients: 2).run()
    // Work takes 10 ms: all callers have hung up when it is done, and it is done all the same.
    #expect(result.calls().failed == result.calls().offered)
    #expect(result.calls().wasted == result.calls().offered)
    #expect(
      Set(notebook.notes) == [.init(criticality: .critical, remaining: .milliseconds(5))])
    #expect(notebook.notes.count == result.calls().offered)
  }
}
