import Resilience
import ResilienceTesting
import Synchronization
import Testing

extension Documentation {
  @Suite("Documentation: use of bulkheads")
  struct BulkheadUsage {
    enum Reply: Equatable {
      case ok
      case serviceUnavailable
    }

    let users = UserService()
    let id = 1

    @Test("a call runs in a bulkhead")
    func run() async throws {
      // snippet
      let bulkhead = Bulkhead("user-service", limit: 25, queue: 50)

      let user = try await bulkhead.run {
        try await users.find(id)
      }
      // end snippet
      #expect(user == User(id: 1))
      #expect(bulkhead.snapshot().totals == .init(admitted: 1))
    }

    @Test("a refusal says why")
    func refusal() async throws {
      let (bulkhead, log) = (Bulkhead("user-service", limit: 1), Log())
      func find() async throws -> Documentation.Reply {
        // snippet
        do {
          return .ok(try await bulkhead.run { try await users.find(id) })
        } catch let error as BulkheadFullError {
          log.notice("\(error)")
          return .unavailable(retryAfter: error.retryAfter)
        }
        // end snippet
      }
      let first = try await find()
      let second = try await bulkhead.run { try await find() }
      #expect(first == .ok(User(id: 1)))
      #expect(second == .unavailable(retryAfter: nil))
      #expect(log.lines == [#"bulkhead "user-service" refused the call: full"#])
    }

    @Test("the newest is served first")
    func order() {
      // snippet
      let bulkhead = Bulkhead("search", limit: 10, queue: 100, order: .newestFirst)
      // end snippet
      #expect(
        bulkhead.layers.map(\.settings) == [
          "10 at a time, a queue of 100 for up to 1.0 seconds, newest first"
        ])
    }

    @Test("a permit holds a place")
    func permit() async throws {
      let bulkhead = Bulkhead("user-service", limit: 1)
      func handle(_ request: Int, send: (Int) async throws -> Reply) async throws -> Reply {
        // snippet
        guard let permit = bulkhead.tryAcquire() else { return .serviceUnavailable }
        let reply = try await send(request)
        permit.release()
        return reply
        // end snippet
      }
      let reply = try await handle(1) { _ in
        #expect(bulkhead.snapshot().inFlight == 1)
        let refusal = try await handle(2) { _ in .ok }
        #expect(refusal == .serviceUnavailable)
        return .ok
      }
      #expect(reply == .ok)
      #expect(bulkhead.snapshot().inFlight == 0)
      await #expect(throws: Unavailable.self) { try await handle(1) { _ in throw Unavailable() } }
      #expect(bulkhead.snapshot().inFlight == 0)
    }

    @Test("a permit is given back by another task")
    func box() async throws {
      let bulkhead = Bulkhead("user-service", limit: 1, queue: 1, maxWait: .seconds(3600))
      let inside = Shared(0)
      func work() async { inside.value = bulkhead.snapshot().inFlight }
      func begin(with permit: consuming Bulkhead.Permit) {
        // snippet
        let box = Mutex<Bulkhead.Permit?>(permit)
        Task {
          await work()
          box.withLock { $0.take() }?.release()
        }
        // end snippet
      }
      begin(with: try await bulkhead.acquire())
      try await bulkhead.run {}
      #expect(inside.value == 1)
      #expect(bulkhead.snapshot().inFlight == 0)
    }

    @Test("a limit changes")
    func limit() {
      let bulkhead = Bulkhead("user-service", limit: 25)
      // snippet
      bulkhead.limit = 50
      // end snippet
      #expect(bulkhead.snapshot().limit == 50)
    }

    @Test("one bulkhead for each host")
    func keyed() async throws {
      func fetch(_ page: String) async throws -> String { page }
      // snippet
      let bulkheads = Keyed<String, Bulkhead>(capacity: 10_000) { host in
        Bulkhead(host, limit: 10)
      }

      let page = try await bulkheads["shard-7"].run { try await fetch("shard-7/index") }
      // end snippet
      #expect(page == "shard-7/index")
      #expect(bulkheads["shard-7"].snapshot().totals == .init(admitted: 1))
    }

    // snippet
    @Test func refusesWhoHasWaitedForASecond() async throws {
      try await withVirtualTime { clock in
        let bulkhead = Bulkhead(limit: 1, queue: 1, maxWait: .seconds(1), clock: clock)
        let find = Script<User>([.succeed(User(id: 1), after: .seconds(5))], clock: clock)

        async let first = bulkhead.run { try await find() }
        try await clock.sleep(for: .seconds(2))
        do {
          _ = try await bulkhead.run { try await find() }
          Issue.record("an answer")
        } catch let error as BulkheadFullError {
          #expect(error.reason == .waitedTooLong)
        }
        #expect(clock.now == .init(offset: .seconds(3)))
        #expect(try await first == User(id: 1))
      }
    }
    // end snippet
  }
}
