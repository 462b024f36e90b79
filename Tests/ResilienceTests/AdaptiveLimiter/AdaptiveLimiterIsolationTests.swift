import Resilience
import Testing

/// The bodies here never mention `self`, as in ``IsolationTests``.
@Suite("Isolation: a limited call runs where the caller is")
struct AdaptiveLimiterIsolationTests {
  typealias Home = IsolationTests.Home

  static func callInEveryWay(from actor: any Actor) async throws {
    let home = Home(actor: actor)
    for algorithm in [AdaptiveLimiter.Algorithm.aimd(), .vegas(), .gradient()] {
      try await IsolationTests.succeed(under: AdaptiveLimiter(algorithm: algorithm), home)
      try await IsolationTests.nest(under: AdaptiveLimiter(algorithm: algorithm), home)
    }
    let full = AdaptiveLimiter(algorithm: .aimd(initial: 1, maximum: 1))
    let permit = full.tryAcquire()
    for pausing in [false, true] {
      try await IsolationTests.fail(under: AdaptiveLimiter(), home, pausing: pausing)
      try await IsolationTests.fail(under: full, home, pausing: pausing)
    }
    permit?.succeed()
    #expect(full.snapshot().totals.rejected > 0)
  }

  actor Clerk {
    func callInEveryWay() async throws {
      preconditionIsolated()
      try await AdaptiveLimiterIsolationTests.callInEveryWay(from: self)
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

  @Test("an actor's own closures, beside its other methods: nothing is lost")
  func ownClosures() async throws {
    let clerk = IsolationTests.Clerk()
    let limiter = AdaptiveLimiter(algorithm: .aimd(initial: 100))
    try await withThrowingTaskGroup { group in
      for _ in 0..<20 {
        group.addTask { try await clerk.call(limiter) }
        group.addTask { await clerk.add() }
      }
      try await group.waitForAll()
    }
    #expect(await clerk.total() == 20 * 4)
    #expect(limiter.snapshot().inFlight == 0)
  }
}
