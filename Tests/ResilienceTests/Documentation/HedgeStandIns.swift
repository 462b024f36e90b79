import Resilience
import ResilienceTesting
import Synchronization

// What the snippets about hedges call. Not part of any snippet.

extension Documentation {
  /// A service whose calls take what its list says, one after another; then 10 ms each.
  final class UnevenService: Sendable {
    private struct State {
      var delays: [Duration]
      var calls = 0
      var created: [Int] = []
      var keys: Set<String> = []
    }

    private let state: Mutex<State>
    private let clock: VirtualClock

    init(_ delays: [Duration], clock: VirtualClock) {
      state = Mutex(State(delays: delays))
      self.clock = clock
    }

    var calls: Int { state.withLock { $0.calls } }
    var created: [Int] { state.withLock { $0.created } }

    func find(_ id: Int) async throws -> User {
      try await clock.sleep(for: begin())
      return User(id: id)
    }

    /// Creates before it answers, as servers do.
    func create(_ id: Int) async throws {
      let delay = begin()
      state.withLock { $0.created.append(id) }
      try await clock.sleep(for: delay)
    }

    /// Creates once for each key.
    func create(_ id: Int, key: String) async throws {
      let delay = begin()
      state.withLock { state in
        if state.keys.insert(key).inserted { state.created.append(id) }
      }
      try await clock.sleep(for: delay)
    }

    private func begin() -> Duration {
      state.withLock { state in
        state.calls += 1
        return state.delays.isEmpty ? .milliseconds(10) : state.delays.removeFirst()
      }
    }
  }
}
