import Resilience
import ResilienceTesting
import Testing

/// The calls are those of ``IsolationTests``; none of their bodies mentions an actor's `self`.
@Suite("FI-1, isolation: under a fault injection everything runs where the caller is")
struct FaultInjectionIsolationTests {
  typealias Home = IsolationTests.Home

  private static func callInEveryWay(from actor: any Actor) async throws {
    let home = Home(actor: actor)
    let late = FaultInjection(
      [.latency(.seconds(1), rate: 1)], clock: RetryIsolationTests.LeapingClock(),
      observers: [EventRecorder()])
    for policy in [FaultInjection([]), FaultInjection([], isEnabled: false), late] {
      try await IsolationTests.succeed(under: policy, home)
      for pausing in [false, true] {
        try await IsolationTests.fail(under: policy, home, pausing: pausing)
      }
      try await IsolationTests.nest(under: policy, home)
    }
    try await IsolationTests.succeed(
      under: Pipeline {
        late
        IsolationTests.Waiting()
        late
      }, home)
    let failing = FaultInjection([.latency(.seconds(1), rate: 1), .error(rate: 1) { Injected() }])
    failing.setFaults([.error(rate: 1) { Injected() }])
    for pausing in [false, true] {
      try await IsolationTests.fail(under: failing, home, pausing: pausing)
    }
    try await hang(home)
    try await failEachCall(home)
  }

  /// A call that hangs and is let go comes back to its caller's actor.
  private static func hang(_ home: Home) async throws {
    let faults = FaultInjection([.hang(rate: 1)])
    let release = Task.detached {
      while faults.snapshot().waiting == 0 { await Task.yield() }
      faults.isEnabled = false
    }
    let ledger = IsolationTests.Ledger()
    try await faults.run {
      home.check()
      ledger.entries += 1
      await home.leave()
    }
    home.check()
    await release.value
    home.check()
    #expect(ledger.entries == 1)
  }

  private static func failEachCall(_ home: Home) async throws {
    let ledger = IsolationTests.Ledger()
    let runs = try await FaultInjection.failingEachCall(with: { Injected() }) { faults in
      home.check()
      for _ in 1...3 {
        do {
          try await faults.run {
            home.check()
            ledger.entries += 1
            await home.leave()
          }
        } catch { home.check() }
        home.check()
      }
      await home.leave()
    }
    home.check()
    #expect(runs == 4)
    #expect(ledger.entries == 2 + 2 + 2 + 3)
  }

  actor Clerk {
    func callInEveryWay() async throws {
      // 6.3.1 forgets to come to the actor at all if a method begins with a call of such a function.
      preconditionIsolated()
      try await FaultInjectionIsolationTests.callInEveryWay(from: self)
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
    let late = FaultInjection(
      [.latency(.seconds(1), rate: 0.5)], clock: RetryIsolationTests.LeapingClock())
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          for _ in 0..<25 {
            try await clerk.call(late)
            await clerk.add()
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(await clerk.total() == 4 * 25 * 4)
  }
}
