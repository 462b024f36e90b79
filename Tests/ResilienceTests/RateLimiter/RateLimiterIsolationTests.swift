import Resilience
import ResilienceTesting
import Testing

/// The bodies here never mention `self`, as in ``IsolationTests``.
@Suite("Isolation: behind a rate limiter, too, everything runs where the caller is")
struct RateLimiterIsolationTests {
  typealias Home = IsolationTests.Home
  typealias Ledger = IsolationTests.Ledger
  typealias Ticket = IsolationTests.Ticket

  @globalActor
  actor Workshop {
    static let shared = Workshop()
  }

  /// One that lets through at once, and two where everybody waits but the first.
  struct Limiters {
    let all: [RateLimiter]
    private let driver: Task<Void, Never>

    init() {
      let clock = VirtualClock()
      let all = [
        RateLimiter(.perSecond(1), burst: 1_000_000, clock: clock),
        RateLimiter(.perSecond(1), maxWait: .seconds(60), clock: clock),
        RateLimiter(
          .perSecond(1), maxWait: .seconds(60), clock: clock, observers: [EventRecorder()]),
      ]
      self.all = all
      // Time passes only while somebody waits.
      driver = Task.detached {
        while !Task.isCancelled {
          let isAwaited = all.contains { $0.snapshot().waiting > 0 }
          if isAwaited { await clock.advance(by: .seconds(1)) }
          await Task.yield()
        }
      }
    }

    func stop() { driver.cancel() }
  }

  static func call(_ limiter: RateLimiter, _ home: Home) async throws {
    let ledger = Ledger()
    for number in 1...5 {
      let same = try await limiter.run {
        home.check()
        ledger.entries += 1
        if number.isMultiple(of: 2) { await home.leave() }
        return ledger
      }
      home.check()
      #expect(same === ledger)
      let ticket = try await limiter.run {
        home.check()
        return Ticket(number: number)
      } failingWhen: { _ in
        home.check()
        return true
      } fallback: { _ in
        home.check()
        ledger.entries += 1
        return Ticket(number: 0)
      }
      home.check()
      #expect(ticket.number == 0)
      try await limiter.acquire()
      home.check()
    }
    #expect(ledger.entries == 10)
  }

  static func callInEveryWay(from actor: any Actor) async throws {
    let home = Home(actor: actor)
    let limiters = Limiters()
    defer { limiters.stop() }
    for limiter in limiters.all {
      try await call(limiter, home)
      try await IsolationTests.succeed(under: limiter, home)
      try await IsolationTests.nest(under: limiter, home)
      try await IsolationTests.succeed(
        under: Pipeline {
          Timeout(.seconds(60))
          limiter
          IsolationTests.Waiting()
          limiter
        }, home)
    }
  }

  actor Clerk {
    private(set) var entries = 0

    func callInEveryWay() async throws {
      // 6.3.1 forgets to come to the actor at all if a method begins with a call of such a function.
      preconditionIsolated()
      try await RateLimiterIsolationTests.callInEveryWay(from: self)
      preconditionIsolated()
    }

    /// The closure is written here, and does not mention the actor.
    func call(_ limiter: RateLimiter) async throws {
      let me: any Actor = self
      let ledger = Ledger()
      try await limiter.run {
        me.preconditionIsolated()
        ledger.entries += 1
        await Task.yield()
        me.preconditionIsolated()
      }
      preconditionIsolated()
      entries += ledger.entries
    }
  }

  @Test("RL: an actor, through a function that is isolated to nothing")
  func actorThroughHelper() async throws {
    try await Clerk().callInEveryWay()
  }

  @Test("RL: an actor's own closures, several calls beside each other: nothing is lost")
  func ownClosures() async throws {
    let (clerk, limiters) = (Clerk(), Limiters())
    defer { limiters.stop() }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          for limiter in limiters.all { for _ in 0..<20 { try await clerk.call(limiter) } }
        }
      }
      try await group.waitForAll()
    }
    #expect(await clerk.entries == 4 * 3 * 20)
    #expect(limiters.all[1].snapshot().totals.waited == 79)
  }

  @Workshop
  @Test("RL: a global actor, through a function that is isolated to nothing")
  func globalActorThroughHelper() async throws {
    Workshop.preconditionIsolated()
    try await Self.callInEveryWay(from: Workshop.shared)
    Workshop.preconditionIsolated()
  }

  @MainActor
  @Test("RL: the main actor, through a function that is isolated to nothing")
  func mainActorThroughHelper() async throws {
    MainActor.preconditionIsolated()
    try await Self.callInEveryWay(from: MainActor.shared)
    MainActor.preconditionIsolated()
  }
}
