import Resilience
import Testing

/// The calls are those of ``IsolationTests``; none of their bodies mentions an actor's `self`.
@Suite("TO-1, isolation: under a timeout everything runs where the caller is")
struct TimeoutIsolationTests {
  private static func callInEveryWay(from actor: any Actor) async throws {
    let home = IsolationTests.Home(actor: actor)
    let timeout = Timeout(.seconds(600))
    try await IsolationTests.succeed(under: timeout, home)
    for pausing in [false, true] {
      try await IsolationTests.fail(under: timeout, home, pausing: pausing)
      try await IsolationTests.fail(under: Timeout(.zero), home, pausing: pausing)
    }
    try await IsolationTests.nest(under: timeout, home)
    try await IsolationTests.succeed(
      under: Pipeline {
        timeout
        IsolationTests.Waiting()
        Timeout(.seconds(300))
      }, home)
    try await timeOut(home)
  }

  /// The body comes back to the caller's actor also when it is cancelled, at its limit.
  private static func timeOut(_ home: IsolationTests.Home) async throws {
    let ledger = IsolationTests.Ledger()
    do {
      try await Timeout(.milliseconds(1)).run {
        home.check()
        ledger.entries += 1
        do { try await ContinuousClock().sleep(for: .seconds(600)) } catch {
          home.check()
          await home.leave()
          ledger.entries += 1
          throw error
        }
      }
    } catch {
      home.check()
      #expect(error is TimeoutError)
    }
    home.check()
    #expect(ledger.entries == 2)
    let late = try await Timeout(.milliseconds(1)).run {
      while !Task.isCancelled { await Task.yield() }
      home.check()
      return IsolationTests.Ticket(number: 3)
    }
    home.check()
    #expect(late.number == 3)
    let answer = try await AbandoningTimeout(.milliseconds(1)).run {
      try await ContinuousClock().sleep(for: .seconds(600))
      return 1
    } fallback: { _ in
      home.check()
      return 2
    }
    home.check()
    #expect(answer == 2)
  }

  actor Clerk {
    func callInEveryWay() async throws {
      // 6.3.1 forgets to come to the actor at all if a method begins with a call of such a function.
      preconditionIsolated()
      try await TimeoutIsolationTests.callInEveryWay(from: self)
    }
  }

  @Test("an actor, through a function that is isolated to nothing")
  func actorThroughHelper() async throws {
    try await Clerk().callInEveryWay()
  }

  @IsolationTests.Office
  @Test("a global actor, through a function that is isolated to nothing")
  func globalActorThroughHelper() async throws {
    IsolationTests.Office.preconditionIsolated()
    try await Self.callInEveryWay(from: IsolationTests.Office.shared)
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
    let timeout = Timeout(.seconds(600))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          for _ in 0..<25 {
            try await clerk.call(timeout)
            await clerk.add()
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(await clerk.total() == 4 * 25 * 4)
  }

  @Test("isolated to nothing: captures and results need not be Sendable")
  func nonisolated() async throws {
    let ledger = IsolationTests.Ledger()
    let timeout = Timeout(.seconds(600))
    for _ in 0..<200 {
      let same = try await timeout.run {
        ledger.entries += 1
        await Task.yield()
        ledger.entries += 1
        return ledger
      }
      same.entries += 1
    }
    #expect(ledger.entries == 600)
  }
}
