import Resilience
import ResilienceTesting
import Testing

@testable import ResilienceSimulation

@Suite("The same seed gives the same trial")
struct ReproductionTests {
  static let scenarios: [Scenario] = [.smallOutage, .smallBrownout]

  @Test("line by line, again and again", arguments: ["recommended", "hedged", "guarded"])
  func traces(_ stack: String) async throws {
    for scenario in Self.scenarios {
      let trial = Trial(scenario, .named(stack), clients: 4, seed: 3)
      let first = try await trial.trace()
      #expect(first.count > 1_000)
      #expect(try await trial.trace() == first)
    }
  }

  /// If one of these differs, the machine, the build, or a policy does: if it is a policy, and on
  /// purpose, put the new number here.
  @Test(
    "in every build, process and machine",
    arguments: [
      (0, "recommended", 3_391_506_034_301_527_596 as UInt64),
      (0, "tuned", 11_689_860_200_041_756_441),
      (1, "recommended", 7_812_276_013_233_056_664),
      (1, "tuned", 11_914_321_917_474_634_088),
    ])
  func digests(_ scenario: Int, _ stack: String, _ digest: UInt64) async throws {
    let result = try await Trial(Self.scenarios[scenario], .named(stack), clients: 4, seed: 3).run()
    #expect(result.digest == digest)
  }

  @Test("tracing changes nothing")
  func tracing() async throws {
    let trial = Trial(.smallOutage, .recommended, clients: 4, seed: 3)
    let digest = try await trial.run().digest
    _ = try await trial.trace()
    #expect(try await trial.run().digest == digest)
  }

  @Test("another seed gives another one")
  func seeds() async throws {
    var digests: Set<UInt64> = []
    for seed in 1...5 as ClosedRange<UInt64> {
      digests.insert(
        try await Trial(.smallOutage, .recommended, clients: 4, seed: seed).run().digest)
    }
    #expect(digests.count == 5)
  }

  @Test("two stacks meet the same calls under the same seed")
  func sameCalls() async throws {
    func calls(_ stack: Stack) async throws -> [String] {
      try await Trial(.smallOutage, stack, clients: 4).trace().filter { $0.contains(" call ") }
    }
    let calls = (try await calls(.bare), try await calls(.tuned))
    #expect(calls.0 == calls.1)
    #expect(calls.0.count > 500)
  }

  @Test("also if others run at the same time")
  func concurrently() async throws {
    let trial = Trial(.smallBrownout, .tuned, clients: 4, seed: 3)
    let alone = try await trial.run()
    let together = try await withThrowingTaskGroup(of: TrialResult.self) { group in
      for _ in 0..<4 { group.addTask { try await trial.run() } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(together == [alone, alone, alone, alone])
  }

  @Test("also in a task with a deadline and a criticality of its own")
  func ambientTask() async throws {
    let trial = Trial(.smallBrownout, .guarded, clients: 4, seed: 3)
    let alone = try await trial.run()
    let inside = try await Criticality.sheddable.run {
      // On the real clock: it would pass at another instant of the trial each time.
      try await Deadline(in: .zero).run { try await trial.run() }
    }
    #expect(inside == alone)
  }

  @Test("a trial whose task is cancelled throws")
  func cancelled() async throws {
    let task = Task {
      unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
      return try await Trial(.smallOutage, .recommended).run()
    }
    await #expect(throws: CancellationError.self) { try await task.value }
  }
}
