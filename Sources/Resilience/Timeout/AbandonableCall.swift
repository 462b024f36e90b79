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

    private let policy: AbandoningTimeout
    private let limit: Duration
    private let caller = Waiter<Ending>()

    init(of policy: AbandoningTimeout, within limit: Duration) {
      self.policy = policy
      self.limit = limit
    }

    /// Suspends the caller until the call ends.
    func ending() async -> Ending { await caller.word() }

    /// Whether nobody waits for the operation any more.
    var isOver: Bool { caller.isTold }

    /// The operation has ended.
    func end(_ result: Result<Value, any Error>) {
      if !caller.tell(.ended(result)) { policy.abandonedEnded() }
    }

    func fire() {
      abandon(.timedOut)
    }

    func abandon(_ reason: Abandonment) {
      // Counted before anybody learns of it, so that the operation's end is neither counted nor told
      // before its abandonment. Nobody takes the locks the other way round.
      caller.tell(.abandoned(reason)) { policy.countAbandoned(reason, after: limit) }
    }
  }
}
