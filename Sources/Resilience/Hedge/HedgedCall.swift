extension Hedge {
  /// What a call is told of itself, by its attempts, its timer and its caller's cancellation.
  ///
  /// All of these only leave word. It is the caller's task that makes attempts, since theirs are to
  /// be its task-locals, priority and executor, and since a timer runs no code of users.
  final class Call<Success: Sendable>: TimerTarget {
    typealias Answer = Result<Graded<Success>, any Error>

    enum Ending: Sendable {
      /// An attempt has succeeded, after so long.
      case won(Answer, by: Int, latency: Int64, unspent: Int)
      /// All attempts have ended, none with a success. The answer is the first one's.
      case lost(Answer, Outcome, hedges: Int)
      /// The caller has left so many hedges that had not begun, and so many that had.
      case left(waiting: Int, running: Int)
    }

    private struct State: Sendable {
      var race: Race
      var first: (answer: Answer, outcome: Outcome)?
      var ending: Ending?
      /// Whether something has happened that the caller has not looked at.
      var hasNews = false
      /// The caller, while it waits.
      var caller: CheckedContinuation<Void, Never>?

      mutating func lose() {
        // Who loses has seen all attempts end, the first among them.
        guard let first else { return }
        ending = .lost(first.answer, first.outcome, hedges: race.hedges)
        hasNews = true
      }
    }

    let start: Int64
    private let state: Lock<State>

    init(maxHedges: Int, at start: Int64) {
      self.start = start
      state = Lock(State(race: Race(maxHedges: maxHedges)))
    }

    // MARK: For the caller

    /// Whether a hedge can still follow, and whether one is owed to a failure.
    var prospect: (mayHedge: Bool, isOwed: Bool) {
      state.withLock { ($0.race.mayHedge, $0.race.owed > 0) }
    }

    func makeHedge() -> Int? { state.withLock { $0.race.makeHedge() } }

    func stopHedging() {
      state.withLock { state in
        if state.race.stopHedging() == .lost { state.lose() }
      }
    }

    /// Waits until something has happened.
    ///
    /// - Returns: how the call has ended, if it has.
    func news() async -> Ending? {
      // Resumed exactly once: by whoever brings news, who takes it out under the lock; or here, if
      // there are some.
      await withCheckedContinuation { caller in
        let isWaiting = state.withLock { state in
          if state.hasNews { return false }
          state.caller = caller
          return true
        }
        if !isWaiting { caller.resume() }
      }
      return state.withLock { state in
        state.hasNews = false
        return state.ending
      }
    }

    // MARK: For attempts

    /// Whether an attempt has succeeded.
    var isWon: Bool { state.withLock { if case .won = $0.ending { true } else { false } } }

    func begin(_ attempt: Int) -> Bool { state.withLock { $0.race.begin(attempt) } }

    /// - Parameter latency: how long the call has taken so far; of a success only.
    /// - Returns: whether the call was not over before.
    func end(_ attempt: Int, _ answer: Answer, _ outcome: Outcome, latency: Int64) -> Bool {
      var isInTime = true
      bringNews { state in
        let owed = state.race.owed
        if attempt == 0 { state.first = (answer, outcome) }
        switch state.race.end(attempt, outcome) {
        case .goOn: return state.race.owed > owed
        case .late:
          isInTime = false
          return false
        case .lost: state.lose()
        case .won:
          state.ending = .won(
            answer, by: attempt, latency: latency, unspent: state.race.unspent(after: attempt))
        }
        return true
      }
      return isInTime
    }

    // MARK: For timer and cancellation

    func fire() {
      bringNews { _ in true }
    }

    func leave() {
      bringNews { state in
        guard state.race.leave() else { return false }
        state.ending = .left(waiting: state.race.waiting, running: state.race.running)
        return true
      }
    }

    /// - Parameter change: says whether the caller must know. Runs under the lock.
    private func bringNews(_ change: (inout State) -> Bool) {
      let caller = state.withLock { state -> CheckedContinuation<Void, Never>? in
        guard change(&state) else { return nil }
        state.hasNews = true
        return state.caller.take()
      }
      caller?.resume()
    }
  }
}
