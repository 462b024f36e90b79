import Resilience
import ResilienceTesting
import Testing

@Suite("DL-3: work without a deadline", .timeLimit(.minutes(20)))
struct WithoutDeadlineTests {
  typealias Home = IsolationTests.Home
  typealias Ledger = IsolationTests.Ledger
  typealias Ticket = IsolationTests.Ticket

  struct Mishap: Error, Equatable {}

  let clock = VirtualClock()

  // MARK: - What it hides

  @Test("DL-3: inside there is no deadline, behind it the task's own is back")
  func scope() async throws {
    #expect(try await Deadline.withoutDeadline { Deadline.current == nil })
    try await Deadline(in: .seconds(5), clock: clock).run {
      let isHidden = try await Deadline.withoutDeadline { Deadline.current == nil }
      #expect(isHidden)
      #expect(Deadline.current?.remaining == .seconds(5))
      await #expect(throws: Mishap()) {
        try await Deadline.withoutDeadline { throw Mishap() }
      }
      #expect(Deadline.current?.remaining == .seconds(5))
    }
  }

  @Test("DL-3: a deadline entered inside is the only one, though it is later than the one outside")
  func laterInside() async throws {
    try await Deadline(in: .seconds(5), clock: clock).run {
      try await Deadline.withoutDeadline {
        try await Deadline(in: .seconds(60), clock: clock).run {
          #expect(Deadline.current?.remaining == .seconds(60))
        }
        #expect(Deadline.current == nil)
      }
    }
  }

  @Test("DL-3: a cancellation inside is judged as a caller's, whatever deadline passed outside")
  func judged() async throws {
    let breaker = CircuitBreaker("breaker", over: .sinceTransition, clock: clock)
    try await Deadline(in: .zero, clock: clock).run {
      try? await breaker.run { throw CancellationError() }
      try? await Deadline.withoutDeadline {
        try await breaker.run { throw CancellationError() }
      }
    }
    #expect(breaker.snapshot().counts == .init(failures: 1, ignored: 1, consecutiveFailures: 1))
  }

  @Test("DL-3: it hides no cancellation")
  func cancelled() async throws {
    let (start, starter) = AsyncStream<Never>.makeStream()
    let task = Task {
      try await Deadline.withoutDeadline {
        for await _ in start {}
        return Task.isCancelled
      }
    }
    task.cancel()
    starter.finish()
    #expect(try await task.value)
  }

  // MARK: - The trap

  @Test("DL-3: an unstructured task stays under the deadline of the call that started it")
  func trap() async throws {
    let (minute, end) = AsyncStream<Never>.makeStream()
    let upkeep = try await Deadline(in: .seconds(5), clock: clock).run {
      Task {
        for await _ in minute {}
        return Deadline.current?.isExpired
      }
    }
    #expect(Deadline.current == nil)
    await clock.advance(by: .seconds(60))
    end.finish()
    #expect(await upkeep.value == true)
  }

  @Test("DL-3: started inside, it has none, nor have the tasks that it starts")
  func cure() async throws {
    let upkeep = try await Deadline(in: .seconds(5), clock: clock).run {
      try await Deadline.withoutDeadline {
        Task {
          async let child = Deadline.current == nil
          let own = Deadline.current == nil
          let next = await Task { Deadline.current == nil }.value
          return await [own, child, next]
        }
      }
    }
    #expect(await upkeep.value == [true, true, true])
  }

  // MARK: - Where it runs

  /// Isolated to nothing that it could name.
  static func call(from actor: any Actor) async throws {
    let home = Home(actor: actor)
    let ledger = Ledger()
    let ticket = try await Deadline(in: .seconds(60)).run {
      home.check()
      let ticket = try await Deadline.withoutDeadline {
        home.check()
        #expect(Deadline.current == nil)
        await home.leave()
        ledger.entries += 1
        return Ticket(number: ledger.entries)
      }
      home.check()
      return ticket
    }
    home.check()
    #expect(ticket.number == 1)
    do {
      // Not in `#expect(throws:)`: that leaves the actor by itself.
      try await Deadline.withoutDeadline {
        await home.leave()
        throw Mishap()
      }
    } catch {
      home.check()
      ledger.entries += 1
    }
    #expect(ledger.entries == 2)
  }

  actor Clerk {
    func call() async throws {
      // 6.3.1 forgets to come to the actor at all if a method begins with a call of such a function.
      preconditionIsolated()
      try await WithoutDeadlineTests.call(from: self)
    }
  }

  @Test("DL-3: an actor's operation runs on it, through a function that is isolated to nothing")
  func actor() async throws {
    try await Clerk().call()
  }

  @MainActor
  @Test("DL-3: the main actor's operation too")
  func mainActor() async throws {
    MainActor.preconditionIsolated()
    try await Self.call(from: MainActor.shared)
  }
}
