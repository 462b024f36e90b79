import Resilience
import ResilienceTesting
import Synchronization
import Testing

extension Documentation {
  /// What the guide warns of: each with the harm that it does, then the cure without it.
  @Suite("Documentation: anti-patterns of bulkheads", .timeLimit(.minutes(20)))
  struct BulkheadAntiPatterns {
    typealias Reply = BulkheadUsage.Reply

    @Test("a permit without a name guards nothing")
    func unnamed() async throws {
      let (bulkhead, request) = (Bulkhead("user-service", limit: 1), 1)
      func send(_ request: Int) async throws -> Reply {
        #expect(bulkhead.snapshot().inFlight == 0)
        return .ok
      }
      func handle() async throws -> Reply {
        // snippet
        guard let _ = bulkhead.tryAcquire() else { return .serviceUnavailable }
        return try await send(request)
        // end snippet
      }
      let reply = try await handle()
      #expect(reply == .ok)
      #expect(bulkhead.snapshot().totals == .init(admitted: 1))
    }

    /// How many are in flight at most, of ten calls through a bulkhead for one.
    private static func most(
      _ call: @escaping @Sendable (Bulkhead, SlowService, _ id: Int) async throws -> Void
    ) async throws -> Int {
      let bulkhead = Bulkhead("user-service", limit: 1, queue: 10, maxWait: .seconds(3600))
      let users = SlowService(waitingFor: 10)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for id in 0..<10 { group.addTask { try await call(bulkhead, users, id) } }
        try await group.waitForAll()
      }
      await users.allAnswered()
      return users.most
    }

    @Test("work that nobody waits for is not bounded")
    func unawaited() async throws {
      let most = try await Self.most { bulkhead, users, id in
        // snippet
        try await bulkhead.run {
          _ = Task { try await users.find(id) }
        }
        // end snippet
      }
      #expect(most == 10)
    }

    @Test("awaited work is bounded")
    func awaited() async throws {
      let most = try await Self.most { bulkhead, users, id in
        users.answerAtOnce()
        // snippet
        try await bulkhead.run {
          _ = try await users.find(id)
        }
        // end snippet
      }
      #expect(most == 1)
    }

    @Test("a call inside a call waits for itself")
    func nested() async throws {
      try await withVirtualTime { clock in
        let (users, teamID) = (UserService(), 7)
        let bulkhead = Bulkhead("user-service", limit: 1, queue: 10, clock: clock)
        func find() async throws -> User {
          // snippet
          let user = try await bulkhead.run {
            let team = try await bulkhead.run { try await users.find(teamID) }
            return try await users.find(team.id)
          }
          // end snippet
          return user
        }
        do {
          _ = try await find()
          Issue.record("an answer")
        } catch { #expect((error as? BulkheadFullError)?.reason == .waitedTooLong) }
        #expect(users.calls == 0)
        #expect(clock.now == .init(offset: .seconds(1)))
      }
    }

    @Test("one place for both")
    func together() async throws {
      let (users, teamID) = (UserService(), 7)
      let bulkhead = Bulkhead("user-service", limit: 1)
      // snippet
      let user = try await bulkhead.run {
        let team = try await users.find(teamID)
        return try await users.find(team.id)
      }
      // end snippet
      #expect(user == User(id: 7))
      #expect(users.calls == 2)
    }

    @Test("a bulkhead around a retry is reported")
    func aroundRetry() {
      // snippet
      let pipeline = Pipeline {
        Bulkhead("user-service", limit: 25)
        Retry()
      }
      // end snippet
      #expect(pipeline.validate().map(\.kind) == [.slotHeldDuringRetry])
    }

    @Test("a bulkhead inside a retry is not")
    func insideRetry() {
      // snippet
      let pipeline = Pipeline {
        Retry()
        Bulkhead("user-service", limit: 25)
      }
      // end snippet
      #expect(pipeline.validate() == [])
    }
  }
}

// MARK: - Queues

extension Documentation.BulkheadAntiPatterns {
  /// How long the last of those waited who were served, where twice as many calls come in half a
  /// minute as can be served.
  private static func longestWait(
    _ bulkhead: Bulkhead, _ clock: VirtualClock
  ) async throws -> Duration {
    let longest = Shared(Duration.zero)
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<600 {
        group.addTask {
          let start = clock.now
          try? await bulkhead.run {
            longest.value = max(longest.value, start.duration(to: clock.now))
            try await clock.sleep(for: .seconds(1))
          }
        }
        await clock.advance(by: .milliseconds(50))
      }
    }
    return longest.value
  }

  @Test("a queue that holds everything serves everybody too late")
  func endlessQueue() async throws {
    try await withVirtualTime { clock in
      // snippet
      let bulkhead = Bulkhead(limit: 10, queue: .max, maxWait: .seconds(60), clock: clock)
      // end snippet
      let longest = try await Self.longestWait(bulkhead, clock)
      #expect(longest > .seconds(10))
      #expect(bulkhead.snapshot().totals.rejected == 0)
    }
  }

  @Test("a short queue tells half of them at once, and serves the others soon")
  func shortQueue() async throws {
    try await withVirtualTime { clock in
      // snippet
      let bulkhead = Bulkhead(limit: 10, queue: 10, maxWait: .milliseconds(500), clock: clock)
      // end snippet
      let longest = try await Self.longestWait(bulkhead, clock)
      #expect(longest < .milliseconds(500))
      #expect(bulkhead.snapshot().totals.rejected > 200)
    }
  }
}

/// A service that answers when so many calls are in flight.
final class SlowService: Sendable {
  private struct State {
    var inFlight = 0
    var answered = 0
    var most = 0
    var threshold: Int
  }

  private let state: Mutex<State>
  private let count: Int

  init(waitingFor count: Int) {
    self.count = count
    state = Mutex(State(threshold: count))
  }

  var most: Int { state.withLock { $0.most } }

  func answerAtOnce() { state.withLock { $0.threshold = 1 } }

  func find(_ id: Int) async throws -> Int {
    state.withLock { state in
      state.inFlight += 1
      state.most = max(state.most, state.inFlight)
    }
    while state.withLock({ $0.most < $0.threshold }) { await Task.yield() }
    state.withLock { state in
      state.inFlight -= 1
      state.answered += 1
    }
    return id
  }

  func allAnswered() async {
    while state.withLock({ $0.answered < count }) { await Task.yield() }
  }
}
