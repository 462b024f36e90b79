import Resilience
import ResilienceTesting
import Synchronization
import Testing

extension Documentation {
  /// The examples in documentation comments; those that guides show as well are with them.
  @Suite("Documentation: comments")
  struct CommentSnippets {
    enum Reply: Equatable {
      case ok
      case serviceUnavailable
    }

    @Test("a permit reports success and failure")
    func permit() async throws {
      let breaker = CircuitBreaker("user-service")
      func handle(_ request: Int, send: (Int) async throws -> Reply) async throws -> Reply {
        // snippet
        guard let permit = breaker.tryAcquire() else { return .serviceUnavailable }
        do {
          let reply = try await send(request)
          permit.succeed()
          return reply
        } catch {
          permit.end(throwing: error)
          throw error
        }
        // end snippet
      }
      let reply = try await handle(1) { _ in .ok }
      #expect(reply == .ok)
      await #expect(throws: Unavailable.self) { try await handle(1) { _ in throw Unavailable() } }
      #expect(breaker.snapshot().counts == .init(successes: 1, failures: 1, consecutiveFailures: 1))
      breaker.isolate()
      let refusal = try await handle(1) { _ in .ok }
      #expect(refusal == .serviceUnavailable)
    }

    @Test("a permit reports from a box")
    func box() async throws {
      let events = EventRecorder()
      let breaker = CircuitBreaker("user-service", observers: [events])
      func work() async {}
      func begin(with permit: consuming CircuitBreaker.Permit) {
        // snippet
        let box = Mutex<CircuitBreaker.Permit?>(permit)
        Task {
          await work()
          box.withLock { $0.take() }?.succeed()
        }
        // end snippet
      }
      if let permit = breaker.tryAcquire() { begin(with: permit) }
      await events.events(atLeast: 2)
      #expect(breaker.snapshot().counts == .init(successes: 1, consecutiveSuccesses: 1))
    }

    @Test("upkeep that is started inside a call has no deadline")
    func upkeep() async throws {
      let cache = Cache()
      let clock = VirtualClock()
      try await Deadline(in: .seconds(1), clock: clock).run {
        // snippet
        let upkeep = try await Deadline.withoutDeadline {
          Task { try await cache.refresh() }
        }
        // end snippet
        try await upkeep.value
        #expect(await cache.deadlines.map { $0?.remaining } == [nil])
      }
    }

    struct UserID: Hashable {
      let number: Int
    }

    struct Profile: Equatable {
      let name: String
    }

    @Test("a profile is fetched, fresh or last known")
    func profiles() async throws {
      struct Users {
        let isUp: Bool

        func profile(of id: UserID) async throws -> Profile {
          guard isUp else { throw Unavailable() }
          return Profile(name: "Ada")
        }
      }

      let breaker = CircuitBreaker("user-service")
      var shown: [String] = []
      func show(_ profile: Profile, asOf age: Duration = .zero) { shown.append(profile.name) }
      for (users, expected) in [(Users(isUp: true), ["Ada"]), (Users(isUp: false), [])] {
        let id = UserID(number: 1)
        shown = []
        do {
          // snippet
          let profiles = LastKnownGood<UserID, Profile>("profiles", maxAge: .seconds(3600))

          let answer = try await profiles.run(id, through: breaker) {
            try await users.profile(of: id)
          }
          switch answer {
          case .fresh(let profile): show(profile)
          case .stale(let profile, let age): show(profile, asOf: age)
          }
          // end snippet
        } catch is Unavailable {}
        #expect(shown == expected)
      }
    }

    actor Cache {
      var deadlines: [Deadline?] = []

      func refresh() async throws { deadlines.append(Deadline.current) }
    }
  }
}
