extension AbandoningTimeout {
  /// Why an operation goes on without its caller.
  enum Abandonment: Sendable {
    case timedOut
    case cancelled
  }

  /// A call that ends with its operation, at its limit, or when its caller is cancelled: with
  /// whatever comes first.
  final class Call<Value: Sendable>: TimerTarget {
    enum Ending: Sendable {
      case ended(Result<Value, any Error>)
      case abandoned(Abandonment)
    }

    private enum State: Sendable {
      case running(caller: CheckedContinuation<Ending, Never>?)
      case over(Ending)
    }

    private let policy: AbandoningTimeout
    private let limit: Duration
    private let state = Lock(State.running(caller: nil))

    init(of policy: AbandoningTimeout, within limit: Duration) {
      self.policy = policy
      self.limit = limit
    }

    /// Suspends the caller until the call ends.
    func ending() async -> Ending {
      await withCheckedContinuation { caller in
        let ending = state.withLock { state -> Ending? in
          if case .over(let ending) = state { return ending }
          state = .running(caller: caller)
          return nil
        }
        if let ending { caller.resume(returning: ending) }
      }
    }

    /// Whether nobody waits for the operation any more.
    var isOver: Bool {
      state.withLock { if case .over = $0 { true } else { false } }
    }

    /// The operation has ended.
    func end(_ result: Result<Value, any Error>) {
      let ending = Ending.ended(result)
      let (caller, wasAbandoned) = state.withLock { state in
        guard case .running(let caller) = state else {
          return (CheckedContinuation<Ending, Never>?.none, true)
        }
        state = .over(ending)
        return (caller, false)
      }
      if wasAbandoned { policy.abandonedEnded() }
      caller?.resume(returning: ending)
    }

    func fire() {
      abandon(.timedOut)
    }

    func abandon(_ reason: Abandonment) {
      let ending = Ending.abandoned(reason)
      let caller = state.withLock { state -> CheckedContinuation<Ending, Never>? in
        guard case .running(let caller) = state else { return nil }
        state = .over(ending)
        // Under this lock, so that its end is neither counted nor told before its abandonment.
        // Nobody takes the locks the other way round.
        policy.countAbandoned(reason, after: limit)
        return caller
      }
      caller?.resume(returning: ending)
    }
  }
}
