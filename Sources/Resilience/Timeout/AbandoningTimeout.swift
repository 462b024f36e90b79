/// Gives an operation so much time, and goes on without it.
///
/// For operations that ignore cancellation: at the limit the operation is cancelled, and the caller
/// gets a ``TimeoutError`` at once, whether the operation has ended or not. What it still does
/// afterwards, it does abandoned: nobody waits for it, and what it returns is dropped. One that has
/// not begun by then, because all threads are busy, does not begin. Where an operation ends when it
/// is cancelled, prefer ``Timeout``: nothing runs on behind its back.
///
/// The operation is `@Sendable`, because it may outlive the call, and runs in a task of its own, on
/// the executor that the caller's task prefers, with the caller's task-locals. Inside,
/// ``Deadline/current`` is the limit, or the deadline outside if that is earlier.
///
/// - If the caller is cancelled, it gets a `CancellationError` at once; the operation is cancelled
///   and abandoned.
/// - If there is no time at all, the operation is not run: a ``DeadlineExpiredError``.
/// - While ``Snapshot/abandoned`` operations are as many as `maxAbandoned`, no other is run: a
///   ``TooManyAbandonedError``. Those that are running by then may still join them, so put a bound
///   on how many run at once outside of it.
///
/// Cost: a task and a timer, some microseconds.
public final class AbandoningTimeout: ConcurrentPolicy {
  /// The name, for errors, events and descriptions.
  public let name: String

  /// How many operations may go on abandoned before no other is run.
  public let maxAbandoned: Int

  private struct State: Sendable {
    var abandoned = 0
    var timedOut = 0
    var cancelled = 0
    var rejected = 0
  }

  private let timeLimit: TimeLimit
  private let state = Lock(State())
  private let events: Announcer<Event>

  /// Built once, so that refusing allocates nothing.
  private let tooManyAbandoned: any Error

  /// A time limit that does not wait.
  ///
  /// - Parameters:
  ///   - limit: how much time an operation has. Zero or less refuses every call; beyond 292 years it
  ///     is held at that.
  ///   - maxAbandoned: how many operations may go on abandoned before no other is run; 100 by
  ///     default, at least 1.
  ///   - name: for errors, events and descriptions.
  ///   - clock: what time is; `ContinuousClock` by default.
  ///   - observers: who is told what happens.
  public convenience init(
    _ limit: Duration,
    maxAbandoned: Int = 100,
    name: String = "abandoning-timeout",
    clock: any Clock<Duration> = ContinuousClock(),
    observers: [any ResilienceObserver] = []
  ) {
    self.init(
      configuration: Configuration(limit, maxAbandoned: maxAbandoned), name: name, clock: clock,
      observers: observers)
  }

  /// A time limit that does not wait, with settings in one value.
  ///
  /// Settings that cannot work stop the program; check those that arrive at run time with
  /// ``Configuration/validate()`` before.
  ///
  /// - Parameters:
  ///   - configuration: the settings.
  ///   - name: for errors, events and descriptions.
  ///   - clock: what time is; `ContinuousClock` by default.
  ///   - observers: who is told what happens.
  public init(
    configuration: Configuration,
    name: String = "abandoning-timeout",
    clock: any Clock<Duration> = ContinuousClock(),
    observers: [any ResilienceObserver] = []
  ) {
    do { try configuration.validate() } catch {
      stop(misconfigured: "AbandoningTimeout \"\(name)\"", error)
    }
    self.name = name
    maxAbandoned = configuration.maxAbandoned
    timeLimit = TimeLimit(configuration.limit, of: name, clock: clock)
    events = Announcer(to: observers)
    tooManyAbandoned = TooManyAbandonedError(policy: name, maxAbandoned: maxAbandoned)
  }

  /// How much time an operation has.
  public var limit: Duration { timeLimit.duration }

  /// The timeout in a composition.
  public var layers: [PolicyLayer] {
    [
      PolicyLayer(
        role: .timeout(limit, abandons: true), name: name,
        settings: Configuration(limit, maxAbandoned: maxAbandoned).description)
    ]
  }

  /// Runs the operation in a task of its own, and waits for it as long as the limit allows.
  ///
  /// - Parameters:
  ///   - execution: what the operation is told about this attempt.
  ///   - operation: what to run; it may outlive the call.
  /// - Returns: what the operation returned, with the verdict on it.
  /// - Throws: a ``TimeoutError`` at the limit; `CancellationError` when the caller is cancelled; a
  ///   ``DeadlineExpiredError`` or a ``TooManyAbandonedError``, in which case the operation did not
  ///   run; otherwise what the operation throws.
  public func execute<Success: Sendable>(
    _ execution: Execution,
    concurrently operation: @escaping @Sendable (Execution) async throws -> Graded<Success>
  ) async throws -> Graded<Success> {
    let allowance = try admit()
    try Task.checkCancellation()
    let call = Call<Graded<Success>>(of: self, within: allowance.limit)
    let body = Task(executorPreference: currentTaskExecutor()) {
      guard !call.isOver else { return call.end(.failure(CancellationError())) }
      await Deadline.taskLocal.withValue(allowance.deadline) {
        do {
          call.end(.success(try await operation(execution)))
        } catch {
          call.end(.failure(error))
        }
      }
    }
    let timer = timeLimit.timers.set(call, at: allowance.instant)
    let ending = await withTaskCancellationHandler {
      await call.ending()
    } onCancel: {
      call.abandon(.cancelled)
    }
    switch ending {
    case .ended(let result):
      timeLimit.timers.cancel(timer)
      return try result.get()
    case .abandoned(let reason):
      body.cancel()
      timeLimit.timers.cancel(timer)
      events.deliver()
      throw error(for: reason, after: allowance.limit)
    }
  }
}

// MARK: - Counting

extension AbandoningTimeout {
  private func admit() throws -> TimeLimit.Allowance {
    let abandoned = state.withLock { $0.abandoned }
    guard abandoned < maxAbandoned else {
      state.withLock { $0.rejected.increment() }
      tell(.full(abandoned: abandoned))
      throw tooManyAbandoned
    }
    switch timeLimit.admit() {
    case .admitted(let allowance): return allowance
    case .refused(let reason):
      state.withLock { $0.rejected.increment() }
      tell(.rejected(reason))
      throw timeLimit.error(for: reason)
    }
  }

  /// Calls no observer: the caller, who is about to go on, does.
  func countAbandoned(_ reason: Abandonment, after limit: Duration) {
    state.withLock { state in
      state.abandoned.increment()
      switch reason {
      case .timedOut: state.timedOut.increment()
      case .cancelled: state.cancelled.increment()
      }
    }
    switch reason {
    case .timedOut: events.prepare(Event(policy: name, kind: .timedOut(limit: limit)))
    case .cancelled: events.prepare(Event(policy: name, kind: .cancelled))
    }
  }

  func abandonedEnded() {
    state.withLock { $0.abandoned -= 1 }
    tell(.abandonedEnded)
  }

  private func error(for reason: Abandonment, after limit: Duration) -> any Error {
    // The caller's cancellation wins.
    guard reason == .timedOut, !Task.isCancelled else { return CancellationError() }
    return TimeoutError(policy: name, limit: limit)
  }

  private func tell(_ kind: Event.Kind) {
    events.announce(Event(policy: name, kind: kind))
  }

  /// What has happened so far. Passive; costs a lock.
  public func snapshot() -> Snapshot {
    let state = state.withLock { $0 }
    return Snapshot(
      name: name, limit: limit, maxAbandoned: maxAbandoned, abandoned: state.abandoned,
      timedOut: state.timedOut, cancelled: state.cancelled, rejected: state.rejected)
  }
}
