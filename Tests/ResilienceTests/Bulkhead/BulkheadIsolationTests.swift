import Resilience
import Testing

/// The calls are those of ``IsolationTests``; none of their bodies mentions an actor's `self`.
@Suite("BH-1, isolation: everything runs where the caller is", .timeLimit(.minutes(20)))
struct BulkheadIsolationTests {
  /// A bulkhead whose only place is taken until somebody waits for it: every call through this one
  /// waits.
  struct Crowded: ResiliencePolicy {
    let bulkhead = Bulkhead(limit: 1, queue: 10, maxWait: .seconds(600))

    func execute<Success: ~Copyable>(
      _ execution: Execution, _ operation: (Execution) async throws -> Graded<Success>
    ) async throws -> Graded<Success> {
      let occupants = Occupants(bulkhead, 1, #_sourceLocation)
      let bulkhead = bulkhead
      Task.detached {
        while bulkhead.snapshot().waiting == 0 { await Task.yield() }
        occupants.leave()
      }
      return try await bulkhead.execute(execution, operation)
    }
  }

  private static func callInEveryWay(from actor: any Actor) async throws {
    let home = IsolationTests.Home(actor: actor)
    let full = Bulkhead(limit: 1)
    let occupants = Occupants(full, 1, #_sourceLocation)
    let crowded = Crowded()
    try await IsolationTests.succeed(under: Bulkhead(limit: 1), home)
    try await IsolationTests.succeed(under: crowded, home)
    for pausing in [false, true] {
      try await IsolationTests.fail(under: Bulkhead(limit: 2), home, pausing: pausing)
      try await IsolationTests.fail(under: full, home, pausing: pausing)
    }
    try await IsolationTests.nest(under: Bulkhead(limit: 1), home)
    try await IsolationTests.nest(under: crowded, home)
    try await IsolationTests.succeed(
      under: Pipeline {
        CircuitBreaker("users")
        crowded
        IsolationTests.Waiting()
      }, home)
    #expect(crowded.bulkhead.snapshot().totals.waited > 5)
    #expect(crowded.bulkhead.snapshot().inFlight == 0)
    try await hold(crowded.bulkhead, home)
    occupants.leave()
  }

  /// A permit, after a wait and without one.
  private static func hold(_ bulkhead: Bulkhead, _ home: IsolationTests.Home) async throws {
    let ledger = IsolationTests.Ledger()
    let permit = try await bulkhead.acquire()
    home.check()
    Task.detached {
      while bulkhead.snapshot().waiting == 0 { await Task.yield() }
      bulkhead.limit = 2
    }
    let second = try await bulkhead.acquire()
    home.check()
    ledger.entries += 1
    second.release()
    permit.release()
    #expect(ledger.entries == 1)
    #expect(bulkhead.snapshot().inFlight == 0)
  }

  actor Clerk {
    func callInEveryWay() async throws {
      // 6.3.1 forgets to come to the actor at all if a method begins with a call of such a function.
      preconditionIsolated()
      try await BulkheadIsolationTests.callInEveryWay(from: self)
    }
  }

  @Test("an actor, through a function that is isolated to nothing")
  func actorThroughHelper() async throws {
    try await Clerk().callInEveryWay()
  }

  @MainActor
  @Test("the main actor, through a function that is isolated to nothing")
  func mainActorThroughHelper() async throws {
    MainActor.preconditionIsolated()
    try await Self.callInEveryWay(from: MainActor.shared)
  }

  @Test("an actor's own closures, beside its other methods: no data race, nothing lost")
  func ownClosures() async throws {
    let clerk = IsolationTests.Clerk()
    let bulkhead = Bulkhead(limit: 1, queue: 100, maxWait: .seconds(600))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          for _ in 0..<25 {
            try await clerk.call(bulkhead)
            await clerk.add()
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(await clerk.total() == 4 * 25 * 4)
  }
}
