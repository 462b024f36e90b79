import Resilience
import Testing

/// The bodies here never mention `self`: a closure that does is isolated by itself, and comes back
/// to its actor whatever the library does.
@Suite("Isolation: everything runs where the caller is")
struct IsolationTests {
  struct Mishap: Error {}

  /// Neither `Sendable` nor guarded: the thread sanitizer watches it.
  final class Ledger {
    var entries = 0
  }

  struct Ticket: ~Copyable {
    let number: Int
  }

  actor Elsewhere {
    static let shared = Elsewhere()
    func visit() {}
  }

  @globalActor
  actor Office {
    static let shared = Office()
  }

  /// Where a caller is at home.
  struct Home {
    let actor: any Actor

    func check() { actor.preconditionIsolated() }

    /// Leaves in every way, and checks after each.
    func leave() async {
      check()
      await Task.yield()
      check()
      await Elsewhere.shared.visit()
      check()
      async let visit: Void = Elsewhere.shared.visit()
      check()
      await visit
      check()
    }
  }

  /// A policy of somebody else that waits before and after the operation.
  struct Waiting: ResiliencePolicy {
    func execute<Success: ~Copyable>(
      _ execution: Execution, _ operation: (Execution) async throws -> Graded<Success>
    ) async throws -> Graded<Success> {
      await Elsewhere.shared.visit()
      try Task.checkCancellation()
      let graded = try await operation(execution)
      await Elsewhere.shared.visit()
      return graded
    }
  }

  static func closed() -> CircuitBreaker {
    CircuitBreaker("closed", tripping: .consecutiveFailures(1_000_000), over: .sinceTransition)
  }

  static func refusing() -> CircuitBreaker {
    let breaker = CircuitBreaker("refusing")
    breaker.isolate()
    return breaker
  }
}

// MARK: - Calls, isolated to nothing that they could name

extension IsolationTests {
  static func succeed(under policy: some ResiliencePolicy, _ home: Home) async throws {
    let ledger = Ledger()
    var log: [String] = []
    let same = try await policy.run {
      home.check()
      ledger.entries += 1
      await home.leave()
      log.append("operation")
      return ledger
    }
    home.check()
    #expect(same === ledger)
    let ticket = try await policy.run {
      home.check()
      await home.leave()
      return Ticket(number: 7)
    } failingWhen: { ticket in
      home.check()
      log.append("failingWhen")
      return ticket.number == 7
    }
    home.check()
    #expect(ticket.number == 7)
    try await policy.run { _ in
      home.check()
      await home.leave()
      ledger.entries += 1
    }
    home.check()
    let graded = try await policy.execute(Execution(attempt: 2)) { execution in
      home.check()
      await home.leave()
      return Graded(Ticket(number: execution.attempt), outcome: .ignored)
    }
    home.check()
    #expect(graded.value.number == 2)
    #expect(log == ["operation", "failingWhen"])
    #expect(ledger.entries == 2)
  }

  /// The policy may also refuse: then only the fallbacks run.
  static func fail(under policy: some ResiliencePolicy, _ home: Home, pausing: Bool) async throws {
    var answers = 0
    do {
      // Not in `#expect(throws:)`: that leaves the actor by itself.
      try await policy.run {
        home.check()
        if pausing { await home.leave() }
        throw Mishap()
      }
    } catch {
      home.check()
      answers += 1
    }
    let ticket = try await policy.run { () -> Ticket in
      home.check()
      if pausing { await home.leave() }
      throw Mishap()
    } fallback: { _ in
      home.check()
      await home.leave()
      answers += 1
      return Ticket(number: answers)
    }
    home.check()
    #expect(ticket.number == 2)
    try await policy.run { (_: Execution) in
      home.check()
      if pausing { await home.leave() }
    } failingWhen: { _ in
      home.check()
      return true
    } fallback: { _ in
      home.check()
      answers += 1
    }
    home.check()
    try await policy.run {
      if pausing { await home.leave() }
      throw Mishap()
    } fallback: { _ in
      home.check()
      if pausing { await home.leave() }
      try await policy.run {
        home.check()
        if pausing { await home.leave() }
        throw Mishap()
      } fallback: { _ in
        home.check()
        await home.leave()
        answers += 1
      }
      home.check()
    }
    home.check()
    #expect(answers == 4)
  }

  /// Under deadlines, a breaker and a policy that waits, in a style of nested calls.
  static func nest(under policy: some ResiliencePolicy, _ home: Home) async throws {
    let breaker = closed()
    let ledger = Ledger()
    let number = try await Deadline(in: .seconds(60)).run {
      home.check()
      await home.leave()
      return try await policy.run {
        home.check()
        return try await Waiting().run {
          home.check()
          return try await breaker.run {
            home.check()
            return try await Deadline(in: .seconds(30)).run {
              home.check()
              await home.leave()
              ledger.entries += 1
              return ledger.entries
            }
          }
        }
      }
    }
    home.check()
    #expect(number == 1)
  }

  static func callInEveryWay(from actor: any Actor) async throws {
    let home = Home(actor: actor)
    try await succeed(under: closed(), home)
    try await succeed(under: Waiting(), home)
    for pausing in [false, true] {
      try await fail(under: closed(), home, pausing: pausing)
      try await fail(under: Waiting(), home, pausing: pausing)
      try await fail(under: refusing(), home, pausing: pausing)
    }
    try await nest(under: closed(), home)
    try await nest(under: Waiting(), home)
  }
}

// MARK: - Callers

extension IsolationTests {
  actor Clerk {
    let ledger = Ledger()

    func callInEveryWay() async throws {
      // 6.3.1 forgets to come to the actor at all if a method begins with a call of such a function.
      preconditionIsolated()
      try await IsolationTests.callInEveryWay(from: self)
    }

    /// The closures are the actor's own. Adds 3 to the ledger.
    func call(_ policy: some ResiliencePolicy) async throws {
      let home = Home(actor: self)
      let ledger = ledger
      let ticket = try await policy.run {
        home.check()
        ledger.entries += 1
        await home.leave()
        ledger.entries += 1
        return Ticket(number: 4)
      } failingWhen: { ticket in
        home.check()
        return ticket.number == 4
      } fallback: { _ in
        home.check()
        await home.leave()
        ledger.entries += 1
        return Ticket(number: 5)
      }
      preconditionIsolated()
      #expect(ticket.number == 5)
    }

    func add() { ledger.entries += 1 }
    func total() -> Int { ledger.entries }
  }

  @Test("an actor, through a function that is isolated to nothing")
  func actorThroughHelper() async throws {
    try await Clerk().callInEveryWay()
  }

  @Office
  @Test("a global actor, through a function that is isolated to nothing")
  func globalActorThroughHelper() async throws {
    Office.preconditionIsolated()
    try await Self.callInEveryWay(from: Office.shared)
  }

  @MainActor
  @Test("the main actor, through a function that is isolated to nothing")
  func mainActorThroughHelper() async throws {
    MainActor.preconditionIsolated()
    try await Self.callInEveryWay(from: MainActor.shared)
  }

  @Test("an actor that is handed in as an isolated parameter")
  func isolatedParameter() async throws {
    func call(on actor: isolated any Actor) async throws {
      actor.preconditionIsolated()
      try await Self.callInEveryWay(from: actor)
    }
    try await call(on: Clerk())
  }

  @Test("an actor's own closures, beside its other methods: no data race, nothing lost")
  func ownClosures() async throws {
    let (clerk, breaker) = (Clerk(), Self.closed())
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          for _ in 0..<25 {
            try await clerk.call(breaker)
            try await clerk.call(Waiting())
            await clerk.add()
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(await clerk.total() == 4 * 25 * 7)
  }
}
