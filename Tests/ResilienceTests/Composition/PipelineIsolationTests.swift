import Resilience
import Testing

/// The bodies here never mention `self`, as in ``IsolationTests``, whose calls they repeat under
/// policies that suspend before they call inwards.
@Suite("Isolation: everything runs where the caller is, through pipelines")
struct PipelineIsolationTests {
  typealias Home = IsolationTests.Home
  typealias Waiting = IsolationTests.Waiting

  /// Sleeps as a limiter or a backoff does. Its clock has a type: behind `any`, 6.3.1 happens to come
  /// back from it without the check that follows.
  struct Sleeping: ResiliencePolicy {
    let clock = Prompt()

    func execute<Success: ~Copyable>(
      _ execution: Execution, _ operation: (Execution) async throws -> Graded<Success>
    ) async throws -> Graded<Success> {
      try await clock.sleep(for: .seconds(1))
      try Task.checkCancellation()
      return try await operation(execution)
    }
  }

  /// Tries again after an error, and suspends in between.
  struct Retrying: ResiliencePolicy {
    func execute<Success: ~Copyable>(
      _ execution: Execution, _ operation: (Execution) async throws -> Graded<Success>
    ) async throws -> Graded<Success> {
      do { return try await operation(execution) } catch {}
      await IsolationTests.Elsewhere.shared.visit()
      try Task.checkCancellation()
      return try await operation(Execution(attempt: execution.attempt + 1))
    }
  }

  /// Every sleep on it suspends, and is over at once.
  struct Prompt: Clock {
    struct Instant: InstantProtocol {
      var offset = Duration.zero
      func advanced(by duration: Duration) -> Self { Self(offset: offset + duration) }
      func duration(to other: Self) -> Duration { other.offset - offset }
      static func < (one: Self, other: Self) -> Bool { one.offset < other.offset }
    }

    var now: Instant { Instant() }
    var minimumResolution: Duration { .zero }

    /// Leaves the caller's actor, as the sleep of the standard library's clocks does.
    @concurrent
    func sleep(until deadline: Instant, tolerance: Duration?) async throws { await Task.yield() }
  }

  static func call(_ pipeline: some ResiliencePolicy, _ home: Home) async throws {
    try await IsolationTests.succeed(under: pipeline, home)
    for pausing in [false, true] {
      try await IsolationTests.fail(under: pipeline, home, pausing: pausing)
    }
    try await IsolationTests.nest(under: pipeline, home)
  }

  static func callInEveryWay(from actor: any Actor) async throws {
    let home = Home(actor: actor)
    let isTaken = true
    let erased: any ResiliencePolicy = Sleeping()
    try await call(
      Pipeline {
        Waiting()
        Sleeping()
        Retrying()
      }, home)
    try await call(
      Pipeline {
        Sleeping()
        Retrying()
        IsolationTests.closed()
        Waiting()
        Sleeping()
      }, home)
    try await call(
      Pipeline {
        if isTaken { Waiting() }
        Pipeline {
          AnyResiliencePolicy(erased)
          if isTaken { Retrying() } else { Sleeping() }
        }
        if !isTaken { Waiting() }
        Retrying()
      }, home)
    for pausing in [false, true] {
      try await IsolationTests.fail(
        under: Pipeline {
          Sleeping()
          Retrying()
          IsolationTests.refusing()
        }, home, pausing: pausing)
    }
  }

  /// A pipeline that is concurrent asks for more, but its fallback runs where the caller is.
  static func fallBack(from actor: any Actor) async throws {
    let home = Home(actor: actor)
    let pipeline = Pipeline {
      Waiting()
      ConcurrentPlaceholder()
      Sleeping()
    }
    let ledger = IsolationTests.Ledger()
    let number = try await pipeline.run { () -> Int in
      throw IsolationTests.Mishap()
    } fallback: { _ in
      home.check()
      await home.leave()
      ledger.entries += 1
      return ledger.entries
    }
    home.check()
    #expect(number == 1)
  }
}

// MARK: - Callers

extension PipelineIsolationTests {
  actor Clerk {
    func callInEveryWay() async throws {
      // 6.3.1 forgets to come to the actor at all if a method begins with a call of such a function.
      preconditionIsolated()
      try await PipelineIsolationTests.callInEveryWay(from: self)
      preconditionIsolated()
      try await PipelineIsolationTests.fallBack(from: self)
    }

    /// The closures are written here, and do not mention the actor.
    func call(_ pipeline: some ResiliencePolicy) async throws -> Int {
      let me: any Actor = self
      let ledger = IsolationTests.Ledger()
      let ticket = try await pipeline.run {
        me.preconditionIsolated()
        ledger.entries += 1
        return IsolationTests.Ticket(number: ledger.entries)
      } failingWhen: { ticket in
        me.preconditionIsolated()
        return ticket.number == 1
      } fallback: { _ in
        me.preconditionIsolated()
        ledger.entries += 1
        return IsolationTests.Ticket(number: ledger.entries)
      }
      preconditionIsolated()
      return ticket.number
    }
  }

  @MainActor
  final class Model {
    var entries = 0

    /// As the library's users write it: through a function of theirs that is isolated to nothing.
    func update(_ pipeline: some ResiliencePolicy) async throws {
      try await PipelineIsolationTests.pass(pipeline) {
        MainActor.preconditionIsolated()
        self.entries += 1
      }
    }
  }

  static func pass(
    _ policy: some ResiliencePolicy, _ operation: () async throws -> Void
  ) async throws {
    try await policy.run { try await operation() }
  }

  private static func five() -> Pipeline<some ResiliencePolicy> {
    Pipeline {
      Sleeping()
      Retrying()
      IsolationTests.closed()
      Waiting()
      Sleeping()
    }
  }

  @Test("PL-1: an actor's calls through pipelines")
  func actorThroughHelper() async throws {
    try await Clerk().callInEveryWay()
    #expect(try await Clerk().call(Self.five()) == 2)
  }

  @MainActor
  @Test("PL-1: the main actor's calls through pipelines")
  func mainActorThroughHelper() async throws {
    MainActor.preconditionIsolated()
    try await Self.callInEveryWay(from: MainActor.shared)
    MainActor.preconditionIsolated()
    try await Self.fallBack(from: MainActor.shared)
    let model = Model()
    try await model.update(Self.five())
    #expect(model.entries == 1)
  }

  @Test("PL-1: calls from nowhere keep what is not Sendable, and give back what is not copyable")
  func nonisolatedCaller() async throws {
    let ledger = IsolationTests.Ledger()
    let ticket = try await Self.five().run {
      ledger.entries += 1
      if ledger.entries == 1 { throw IsolationTests.Mishap() }
      return IsolationTests.Ticket(number: ledger.entries)
    }
    #expect(ticket.number == 2)
    let same = try await Self.five().run { ledger }
    #expect(same === ledger)
  }
}
