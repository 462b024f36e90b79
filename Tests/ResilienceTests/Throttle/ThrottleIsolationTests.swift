import Testing

@testable import Resilience

/// The calls are those of ``IsolationTests``; none of their bodies mentions an actor's `self`.
@Suite("TH-1, isolation: under a throttle everything runs where the caller is")
struct ThrottleIsolationTests {
  private static func refusing() -> Throttle {
    let throttle = Throttle(maxRejection: 1, seed: 1)
    throttle.shared.withLock { $0.core.count(.failure, 10_000) }
    return throttle
  }

  /// So many successes that no failure below is followed by a refusal.
  private static func passing() -> Throttle {
    let throttle = Throttle(window: .seconds(3600))
    throttle.shared.withLock { $0.core.count(.success, 1_000) }
    return throttle
  }

  private static func callInEveryWay(from actor: any Actor) async throws {
    let home = IsolationTests.Home(actor: actor)
    try await IsolationTests.succeed(under: passing(), home)
    for pausing in [false, true] {
      try await IsolationTests.fail(under: passing(), home, pausing: pausing)
      try await IsolationTests.fail(under: refusing(), home, pausing: pausing)
    }
    try await IsolationTests.nest(under: passing(), home)
    try await Criticality.critical.run {
      try await IsolationTests.succeed(under: passing(), home)
    }
  }

  actor Clerk {
    func callInEveryWay() async throws {
      // 6.3.1 forgets to come to the actor at all if a method begins with a call of such a function.
      preconditionIsolated()
      try await ThrottleIsolationTests.callInEveryWay(from: self)
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
}
