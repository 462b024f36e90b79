import Resilience
import ResilienceTesting
import Testing

/// The bodies here never mention `self`, as in ``IsolationTests``.
@Suite("Isolation: every attempt runs where the caller is")
struct RetryIsolationTests {
  typealias Home = IsolationTests.Home
  typealias Ledger = IsolationTests.Ledger
  typealias Ticket = IsolationTests.Ticket

  @globalActor
  actor Workshop {
    static let shared = Workshop()
  }

  /// Suspends whoever sleeps, on another actor, and is then as late as they wanted it to be.
  actor LeapingClock: Clock {
    typealias Instant = VirtualClock.Instant
    private nonisolated let time = Shared(Duration.zero)

    nonisolated var now: Instant { Instant(offset: time.value) }
    nonisolated var minimumResolution: Duration { .zero }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
      await Task.yield()
      time.value = max(time.value, deadline.offset)
    }
  }

  /// Retries by backoff, without a wait, by decision, and after a rejection.
  static func retries() -> [Retry] {
    let clock = LeapingClock()
    let second = Backoff.constant(.seconds(1), jitter: .none)
    return [
      Retry(maxAttempts: 4, backoff: second, budget: nil, clock: clock),
      Retry(maxAttempts: 4, backoff: .none, budget: nil, clock: clock),
      Retry(
        maxAttempts: 4, backoff: .none, budget: RetryBudget(minimumCapacity: 9_999, clock: clock),
        deciding: { _ in .retry(after: .seconds(3)) }, clock: clock),
      Retry(
        maxAttempts: 4, backoff: second, nesting: .allowed, budget: nil, clock: clock,
        observers: [EventRecorder()]),
    ]
  }
}

// MARK: - Calls, isolated to nothing that they could name

extension RetryIsolationTests {
  /// Errors first, then a result that fails, then one that does not.
  static func tryAgain(_ policy: some ResiliencePolicy, _ home: Home, pausing: Bool) async throws {
    let ledger = Ledger()
    var log: [String] = []
    let ticket = try await policy.run { execution in
      home.check()
      ledger.entries += 1
      log.append("attempt \(execution.attempt)")
      if pausing { await home.leave() }
      ledger.entries += 1
      if execution.attempt < 3 { throw IsolationTests.Mishap() }
      return Ticket(number: execution.attempt)
    } failingWhen: { ticket in
      home.check()
      ledger.entries += 1
      return ticket.number == 3
    }
    home.check()
    #expect(ticket.number == 4)
    #expect(ledger.entries == 10)
    #expect(log == (1...4).map { "attempt \($0)" })
  }

  /// Fails to the end; the fallback retries as well.
  static func giveUp(_ policy: some ResiliencePolicy, _ home: Home, pausing: Bool) async throws {
    let ledger = Ledger()
    do {
      try await policy.run {
        home.check()
        ledger.entries += 1
        if pausing { await home.leave() }
        throw IsolationTests.Mishap()
      }
    } catch { home.check() }
    let same = try await policy.run { () -> Ledger in
      home.check()
      if pausing { await home.leave() }
      throw IsolationTests.Mishap()
    } fallback: { _ in
      home.check()
      await home.leave()
      let ticket = try await policy.run { execution in
        home.check()
        if pausing { await home.leave() }
        return Ticket(number: execution.attempt)
      } failingWhen: { ticket in
        home.check()
        return ticket.number < 4
      }
      home.check()
      ledger.entries += ticket.number
      return ledger
    }
    home.check()
    #expect(same === ledger)
    #expect(ledger.entries == 8)
  }

  static func callInEveryWay(from actor: any Actor) async throws {
    let home = Home(actor: actor)
    for retry in retries() {
      for pausing in [false, true] {
        try await tryAgain(retry, home, pausing: pausing)
        try await giveUp(retry, home, pausing: pausing)
        try await tryAgain(
          Pipeline {
            Timeout(.seconds(60))
            retry
            IsolationTests.Waiting()
            CircuitBreaker("inside", tripping: .never)
            Retry(budget: nil)
            Timeout(.seconds(30))
          }, home, pausing: pausing)
      }
      try await IsolationTests.nest(under: retry, home)
    }
  }
}

// MARK: - Callers

extension RetryIsolationTests {
  actor Clerk {
    private(set) var entries = 0

    func callInEveryWay() async throws {
      // 6.3.1 forgets to come to the actor at all if a method begins with a call of such a function.
      preconditionIsolated()
      try await RetryIsolationTests.callInEveryWay(from: self)
      preconditionIsolated()
    }

    /// The closures are written here, and do not mention the actor. Adds 4.
    func call(_ retry: Retry) async throws {
      let me: any Actor = self
      let ledger = Ledger()
      let ticket = try await retry.run { execution in
        me.preconditionIsolated()
        ledger.entries += 1
        if execution.attempt < 3 { throw IsolationTests.Mishap() }
        await Task.yield()
        me.preconditionIsolated()
        return Ticket(number: ledger.entries)
      } failingWhen: { ticket in
        me.preconditionIsolated()
        return ticket.number == 3
      }
      preconditionIsolated()
      entries += ticket.number
    }
  }

  @Test("RT: an actor, through a function that is isolated to nothing")
  func actorThroughHelper() async throws {
    try await Clerk().callInEveryWay()
  }

  @Test("RT: an actor's own closures, several calls beside each other: nothing is lost")
  func ownClosures() async throws {
    let (clerk, retries) = (Clerk(), Self.retries())
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask { for retry in retries { for _ in 0..<10 { try await clerk.call(retry) } } }
      }
      try await group.waitForAll()
    }
    #expect(await clerk.entries == 4 * 4 * 10 * 4)
  }

  @Workshop
  @Test("RT: a global actor, through a function that is isolated to nothing")
  func globalActorThroughHelper() async throws {
    Workshop.preconditionIsolated()
    try await Self.callInEveryWay(from: Workshop.shared)
    Workshop.preconditionIsolated()
  }

  @MainActor
  @Test("RT: the main actor, through a function that is isolated to nothing")
  func mainActorThroughHelper() async throws {
    MainActor.preconditionIsolated()
    try await Self.callInEveryWay(from: MainActor.shared)
    MainActor.preconditionIsolated()
  }

  @Test("RT: calls from nowhere keep what is not Sendable, and give back what is not copyable")
  func nonisolatedCaller() async throws {
    for retry in Self.retries() {
      let ledger = Ledger()
      let ticket = try await retry.run { execution in
        ledger.entries += 1
        if execution.attempt < 4 { throw IsolationTests.Mishap() }
        return Ticket(number: ledger.entries)
      }
      #expect(ticket.number == 4)
    }
  }
}
