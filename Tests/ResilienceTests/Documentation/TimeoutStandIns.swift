import Resilience
import ResilienceTesting
import Synchronization

// What the snippets about time call. Not part of any snippet.

extension Documentation {
  struct Request: Sendable {
    let path: String
    var headers: [String: String] = [:]
  }

  /// A connection that hands requests to a server and keeps them.
  final class Wire: Sendable {
    private let sent = Mutex<[Request]>([])

    var requests: [Request] { sent.withLock { $0 } }

    func send(_ request: Request) async throws -> Response {
      sent.withLock { $0.append(request) }
      return Response(status: 200)
    }
  }

  /// A client that answers after a minute, cancelled or not.
  final class StubbornService: Sendable {
    private let running = Mutex(0)
    private let clock: VirtualClock

    init(clock: VirtualClock) {
      self.clock = clock
    }

    var isRunning: Int { running.withLock { $0 } }

    func find(_ id: Int) async -> User {
      running.withLock { $0 += 1 }
      await Task(executorPreference: clock.executor) { [clock] in
        try? await clock.sleep(for: .seconds(60))
      }.value
      running.withLock { $0 -= 1 }
      return User(id: id)
    }
  }

  /// A client that holds its thread while time passes.
  struct BlockingService {
    let clock: VirtualClock

    func find(_ id: Int) -> User {
      clock.advance(by: .seconds(60))
      return User(id: id)
    }

    func find(_ id: Int, timeout: Duration) throws -> User {
      clock.advance(by: timeout)
      throw TimeoutError(limit: timeout)
    }
  }
}
