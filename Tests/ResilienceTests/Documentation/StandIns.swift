import Resilience
import ResilienceTesting
import Synchronization

// What the snippets call. Not part of any snippet: a reader has services of their own.

extension Documentation {
  struct User: Hashable, Sendable {
    let id: Int
    var name = "Ada"
  }

  struct NoSuchUser: Error {}
  struct BadRequest: Error {}
  struct Unavailable: Error {}

  /// What a service makes of a call in the end.
  enum Reply: Equatable {
    case ok(User)
    case unavailable(retryAfter: Duration?)
  }

  /// A user service that does what it is told and counts who asks.
  final class UserService: Sendable {
    enum Behaviour: Sendable {
      case answering
      case failing(any Error)
      case silent
    }

    private struct State {
      var behaviour: Behaviour
      var calls = 0
      var created: [Int] = []
    }

    private let state: Mutex<State>
    private let clock: any Clock<Duration>

    init(_ behaviour: Behaviour = .answering, clock: any Clock<Duration> = ContinuousClock()) {
      state = Mutex(State(behaviour: behaviour))
      self.clock = clock
    }

    var calls: Int { state.withLock { $0.calls } }
    var created: [Int] { state.withLock { $0.created } }

    func become(_ behaviour: Behaviour) {
      state.withLock { $0.behaviour = behaviour }
    }

    func find(_ id: Int, attempt: Int = 1) async throws -> User {
      try await find(id, timeout: .seconds(3600))
    }

    /// A client that gives up by itself.
    func find(_ id: Int, timeout: Duration) async throws -> User {
      let behaviour = state.withLock { state in
        state.calls += 1
        return state.behaviour
      }
      switch behaviour {
      case .answering: return User(id: id)
      case .failing(let error): throw error
      case .silent:
        try await clock.sleep(for: timeout)
        throw TimeoutError(limit: timeout)
      }
    }

    func create(_ id: Int) async throws {
      state.withLock { $0.created.append(id) }
    }
  }

  struct Response: Sendable {
    var status: Int
  }

  /// A client that throws only if there was no response.
  struct HTTPClient {
    var status = 200

    func get(_ path: String) async throws -> Response {
      Response(status: status)
    }
  }

  final class Log: Sendable {
    private let entries = Mutex<[String]>([])

    var lines: [String] { entries.withLock { $0 } }

    func notice(_ line: String) {
      entries.withLock { $0.append(line) }
    }
  }
}

extension Documentation {
  /// A clock that stands still and counts who looks.
  final class CountingClock: Clock {
    typealias Instant = VirtualClock.Instant

    private let count = Atomic(0)

    var readings: Int { count.load(ordering: .relaxed) }

    var now: Instant {
      count.add(1, ordering: .relaxed)
      return .start
    }

    var minimumResolution: Duration { .zero }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {}
  }
}
