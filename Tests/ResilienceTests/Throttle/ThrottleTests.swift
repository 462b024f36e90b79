import ResilienceTesting
import Testing

@testable import Resilience

@Suite("Throttle", .timeLimit(.minutes(20)))
struct ThrottleTests {
  let clock = VirtualClock()
  let recorder = EventRecorder()

  func throttle(
    maxRejection: Double = 0.9, classify: (@Sendable (any Error) -> Outcome?)? = nil
  ) -> Throttle {
    Throttle(
      "users", maxRejection: maxRejection, classify: classify, clock: clock, seed: 1,
      observers: [recorder])
  }

  /// A throttle that refuses all calls, at a limit of 1 and after so many failures that chance does
  /// not matter.
  func refusing() -> Throttle {
    let throttle = throttle(maxRejection: 1)
    throttle.shared.withLock { $0.core.count(.failure, 10_000) }
    return throttle
  }

  @Test("TH-1: a refused call does not run, and is told who refused it and why")
  func refusal() async throws {
    let throttle = refusing()
    var runs = 0
    do {
      try await throttle.run { runs += 1 }
      Issue.record("it passed")
    } catch let error as ThrottledError {
      #expect(error.policy == "users")
      #expect(error.reason == .overloaded)
      #expect(error.retryAfter == nil)
      #expect(
        "\(error)" == "throttle \"users\" refused the call: too few of the recent calls succeeded")
      #expect(MemoryLayout.size(ofValue: error) == MemoryLayout<Int>.size)
    }
    #expect(runs == 0)
    #expect(
      recorder.descriptions
        == ["throttle \"users\": rejected a normal call, as 100.0 % of them"])
    #expect(throttle.snapshot().totals.rejected == 1)
  }

  @Test("TH-1: outcomes count: values, values that fail, errors")
  func outcomes() async throws {
    let throttle = throttle()
    for _ in 1...3 { try await throttle.run {} }
    _ = try await throttle.run {
      503
    } failingWhen: {
      $0 == 503
    }
    let errors: [any Error] = [
      Unavailable(), ThrottledError(policy: "inside"), CancellationError(),
    ]
    for error in errors {
      do {
        try await throttle.run { throw error }
      } catch let thrown { #expect(type(of: thrown) == type(of: error)) }
    }
    let snapshot = throttle.snapshot()
    #expect(
      snapshot
        == Throttle.Snapshot(
          name: "users", rejectionShare: 0,
          rejectionShares: [.sheddable: 0, .normal: 0, .critical: 0], requests: 5, accepts: 3,
          inFlight: 0,
          totals: Throttle.Totals(
            admitted: 7, rejected: 0, successes: 3, failures: 2, ignored: 2)))
    #expect(recorder.events.isEmpty)
  }

  @Test("X-2: errors are what `classify:` says, asked once, and never about a cancelled call")
  func classify() async {
    let asked = Shared(0)
    let throttle = throttle { error in
      asked.value += 1
      return error is Injected ? .success : nil
    }
    for error in [Injected(), Unavailable()] as [any Error] {
      try? await throttle.run { throw error }
    }
    await withTaskGroup(of: Void.self) { group in
      group.cancelAll()
      group.addTask { try? await throttle.run { throw Unavailable() } }
    }
    #expect(asked.value == 2)
    #expect(
      throttle.snapshot().totals
        == Throttle.Totals(admitted: 3, rejected: 0, successes: 1, failures: 1, ignored: 1))
  }

  @Test("X-4: a call that its caller cancels leaves at once and says nothing")
  func cancellation() async throws {
    try await withVirtualTime { clock in
      let throttle = Throttle(clock: clock)
      await withTaskGroup(of: Void.self) { group in
        group.addTask { try? await throttle.run { try await clock.sleep(for: .seconds(60)) } }
        await clock.advance(by: .seconds(1))
        #expect(throttle.snapshot().inFlight == 1)
        #expect(!throttle.isEvictable)
        group.cancelAll()
      }
      #expect(throttle.snapshot().inFlight == 0)
      #expect(throttle.snapshot().totals.ignored == 1)
      #expect(throttle.isEvictable)
      #expect(clock.now == .init(offset: .seconds(1)))
    }
  }

  @Test("TH-1: permits report once, however they end")
  func permits() throws {
    let throttle = throttle()
    for ending in 0..<5 {
      guard let permit = throttle.tryAcquire() else {
        Issue.record("refused")
        return
      }
      switch ending {
      case 0: permit.succeed()
      case 1: permit.fail()
      case 2: permit.end(throwing: CancellationError())
      case 3: permit.ignore()
      default: _ = consume permit
      }
      #expect(throttle.snapshot().inFlight == 0)
    }
    #expect(
      throttle.snapshot().totals
        == Throttle.Totals(admitted: 5, rejected: 0, successes: 1, failures: 1, ignored: 3))
    let refused = refusing().tryAcquire() == nil
    #expect(refused)
  }

  @Test("CR-1: a call counts under the criticality of its task")
  func criticality() async {
    let throttle = throttle(maxRejection: 1)
    throttle.shared.withLock {
      $0.core.count(.failure, 10_000, of: .sheddable)
      $0.core.count(.success, 4_000, of: .critical)
    }
    func passes(_ criticality: Criticality) async -> Int {
      var passed = 0
      for _ in 0..<1_000 {
        do {
          try await criticality.run { try await throttle.run {} }
          passed += 1
        } catch { #expect(error is ThrottledError) }
      }
      return passed
    }
    #expect((300...500).contains(await passes(.sheddable)))
    #expect(await passes(.normal) == 1_000)
    #expect(await passes(.critical) == 1_000)
    let told = Set(recorder.events(of: Throttle.Event.self).map(\.kind.criticality))
    #expect(told == [.sheddable])
  }

  @Test("X-3: reading changes nothing, and reads as gone what has left the window")
  func passive() {
    let throttle = refusing()
    let before = throttle.snapshot()
    #expect(throttle.snapshot() == before)
    #expect(!throttle.isEvictable)
    clock.advance(by: .seconds(10))
    let after = throttle.snapshot()
    #expect(after.rejectionShare == 0)
    #expect(after.requests == 0)
    #expect(after.totals == before.totals)
    #expect(throttle.isEvictable)
  }

  @Test("X-3: the same seed refuses the same calls")
  func seeds() {
    func passed(seed: UInt64) -> [Bool] {
      let throttle = Throttle(clock: clock, seed: seed)
      return (0..<200).map { _ in
        guard let permit = throttle.tryAcquire() else { return false }
        permit.fail()
        return true
      }
    }
    #expect(passed(seed: 5) == passed(seed: 5))
    #expect(passed(seed: 5) != passed(seed: 6))
  }

  @Test("TH-1: a layer says how it is set")
  func layers() {
    #expect(
      throttle().layers == [
        PolicyLayer(
          role: .throttle, name: "users",
          settings: "2.0 calls for each success in 10.0 seconds, at most 0.9 refused")
      ])
  }

  @Test("TH-1: calls at a time lose nothing")
  func contention() async {
    let throttle = Throttle(seed: 1)
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<4 {
        group.addTask {
          for _ in 0..<500 {
            try? await throttle.run { if task == 0 { throw Unavailable() } }
          }
        }
      }
    }
    let (snapshot, totals) = (throttle.snapshot(), throttle.snapshot().totals)
    #expect(snapshot.inFlight == 0)
    #expect(totals.admitted + totals.rejected == 2_000)
    #expect(totals.successes + totals.failures == totals.admitted)
  }
}

extension Throttle.Event.Kind {
  var criticality: Criticality {
    switch self {
    case .rejected(let criticality, _): criticality
    }
  }
}
