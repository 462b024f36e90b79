import Resilience
import Synchronization

/// A clock whose time passes when a test says so.
///
/// A new clock stands at ``Instant/start``. Who sleeps on it is resumed by an `advance` that
/// reaches the instant, in the order of the instants, first come first served among equals; or by
/// cancellation, at once.
///
/// Give it to anything that takes an `any Clock<Duration>`. Tests of synchronous code need no more
/// than the clock:
///
/// ```swift
/// let clock = VirtualClock()
/// let cache = Cache(lifetime: .seconds(60), clock: clock)
/// cache["key"] = 1
/// clock.advance(by: .seconds(60))
/// #expect(cache["key"] == nil)
/// ```
///
/// Asynchronous code is tested inside ``withVirtualTime(_:order:grace:jobLimit:_:)``, where what an
/// `advance` resumes has also *run* when it returns. On a clock of your own a resumed sleeper runs
/// some time later, on the default executor: wait for what it does, and before that with
/// ``sleepers(atLeast:)`` until it has gone to sleep in the first place.
public final class VirtualClock: Clock {
  private let schedule = Lock(Schedule())
  let loop: RunLoop?

  /// Makes a clock that stands at its start.
  public convenience init() {
    self.init(drivenBy: nil)
  }

  init(drivenBy loop: RunLoop?) {
    self.loop = loop
  }

  /// The current instant.
  public var now: Instant {
    schedule.withLock { $0.now }
  }

  /// One attosecond: virtual time is exact.
  public var minimumResolution: Duration { Duration(attoseconds: 1) }

  /// How many sleepers there are now.
  public var sleeperCount: Int {
    schedule.withLock { $0.sleeperCount }
  }

  /// How often something outside the run loop made a task on it ready; zero without a loop.
  ///
  /// Anything but zero means that the outcome may depend on real time. See
  /// <doc:ResilienceTesting#What-escapes>.
  public var foreignEnqueues: Int { loop?.foreignEnqueues ?? 0 }

  /// The executor of the run loop that drives the clock; `nil` without a loop.
  ///
  /// An unstructured task leaves the loop unless it is given the executor:
  /// `Task(executorPreference: clock.executor) { … }`.
  public var executor: (any TaskExecutor)? { loop }

  /// Waits until the clock has been advanced to the deadline.
  ///
  /// Returns at once if the deadline is not in the future.
  ///
  /// - Parameters:
  ///   - deadline: when to wake up.
  ///   - tolerance: ignored; virtual time is exact.
  /// - Throws: `CancellationError` as soon as the task is cancelled, or if it is already.
  public func sleep(until deadline: Instant, tolerance: Duration? = nil) async throws {
    let sleep = Sleep()
    // Resumed exactly once: by whoever takes the sleeper out of the schedule, under its lock; or at
    // once, because it was not put there.
    try await withTaskCancellationHandler {
      try await unsafe withUnsafeThrowingContinuation { unsafe add($0, sleep, until: deadline) }
    } onCancel: {
      cancel(sleep)
    }
  }

  /// One call of `sleep`, as its cancellation knows it.
  private struct Sleep: ~Copyable {
    /// The raw token of its timer, once it has one. Only used under the clock's lock.
    let timer = Atomic(Schedule.Token.none.rawValue)
  }

  private enum Admission {
    case asleep(arrived: [CheckedContinuation<Void, Never>])
    case past
    case cancelled
  }

  private func add(
    _ sleeper: UnsafeContinuation<Void, any Error>, _ sleep: borrowing Sleep,
    until deadline: Instant
  ) {
    // The cancellation handler takes the same lock after the flag is set: either it finds the
    // sleeper, or the sleeper finds the flag.
    let admission = schedule.withLock { schedule -> Admission in
      if Task.isCancelled { return .cancelled }
      if deadline <= schedule.now { return .past }
      let token = unsafe schedule.add(.sleeper(sleeper), at: deadline)
      sleep.timer.store(token.rawValue, ordering: .relaxed)
      return .asleep(arrived: schedule.takeArrived())
    }
    switch admission {
    case .cancelled: unsafe sleeper.resume(throwing: CancellationError())
    case .past: unsafe sleeper.resume()
    case .asleep(let arrived): announce(arrived)
    }
  }

  private func cancel(_ sleep: borrowing Sleep) {
    let removed = schedule.withLock { schedule in
      schedule.remove(Schedule.Token(rawValue: sleep.timer.load(ordering: .relaxed)))
    }
    guard case (.sleeper(let sleeper), let isDue)? = removed else { return }
    // The sleep may have ended at this very instant, just before: then its task goes on, cancelled.
    if isDue, let loop, loop.choose(from: 2) == 1 { return unsafe sleeper.resume() }
    unsafe sleeper.resume(throwing: CancellationError())
  }

  /// Waits until at least `count` sleepers are on the clock at once.
  ///
  /// Use it where no run loop drives the clock, to know that the code under test has come to its
  /// wait before advancing. Returns early if the task is cancelled.
  public func sleepers(atLeast count: Int) async {
    let id = schedule.withLock { $0.arrivals.nextID() }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isWaiting = schedule.withLock { schedule in
          if Task.isCancelled || schedule.sleeperCount >= count { return false }
          schedule.arrivals.add(continuation, id, waitingFor: count)
          return true
        }
        if !isWaiting { continuation.resume() }
      }
    } onCancel: {
      schedule.withLock { $0.arrivals.remove(id) }?.resume()
    }
  }

  private func announce(_ arrived: [CheckedContinuation<Void, Never>]) {
    for waiter in arrived { waiter.resume() }
    loop?.wake()
  }
}

// MARK: - Advancing

extension VirtualClock {
  /// Moves the clock forward and resumes the sleepers it passes, in the order of their instants.
  ///
  /// They are ready when this returns, but they have not run. Asynchronous code gets the method of
  /// the same name that runs them, where a run loop drives the clock.
  public func advance(by duration: Duration) {
    resumeSleepers(through: now.advanced(by: duration))
  }

  /// Moves the clock forward to an instant and resumes the sleepers it passes, in the order of
  /// their instants; an instant in the past leaves the time as it is.
  public func advance(to instant: Instant) {
    resumeSleepers(through: instant)
  }

  /// Moves the clock forward; inside ``withVirtualTime(_:order:grace:jobLimit:_:)``, also runs everything
  /// that is ready, first, after each sleeper, and last.
  ///
  /// There, `advance(by: .zero)` runs what is ready and leaves the time as it is. Cancellation does
  /// not end an advance.
  public func advance(by duration: Duration) async {
    await advance(to: now.advanced(by: duration))
  }

  /// Moves the clock forward to an instant; inside ``withVirtualTime(_:order:grace:jobLimit:_:)``, also
  /// runs everything that is ready, first, after each sleeper, and last.
  ///
  /// An instant in the past leaves the time as it is. Cancellation does not end an advance.
  public func advance(to instant: Instant) async {
    if let loop { await requestAdvance(to: instant, of: loop) }
    // What the loop has not done, because there is none or it has ended.
    resumeSleepers(through: instant)
  }

  private func requestAdvance(to instant: Instant, of loop: RunLoop) async {
    // Resumed exactly once: by whoever takes it out of the schedule, or here.
    await unsafe withUnsafeContinuation { continuation in
      let isRequested = schedule.withLock { schedule in
        guard loop.isDriving else { return false }
        unsafe schedule.addAdvance(continuation, to: instant)
        return true
      }
      if isRequested { loop.wake() } else { unsafe continuation.resume() }
    }
  }

  private func resumeSleepers(through instant: Instant) {
    while let timer = schedule.withLock({ $0.advance(through: instant) }) { fire(timer) }
  }

  private func fire(_ timer: Schedule.Timer) {
    switch timer {
    case .sleeper(let continuation): unsafe continuation.resume()
    case .advance(let continuation): unsafe continuation.resume()
    case .action(let action): action()
    }
  }
}

// MARK: - For the run loop

extension VirtualClock {
  var sleepers: [Instant] {
    schedule.withLock { $0.sleepers }
  }

  /// Moves to the next timer and fires it, if there is one and the time may pass.
  func moveOn(_ advancing: Advancing) -> Bool {
    let timer = schedule.withLock { $0.mayMove(advancing) ? $0.advanceToNext() : nil }
    guard let timer else { return false }
    fire(timer)
    return true
  }

  /// Moves to the next timer, if there is one and the time may pass; it is due then.
  func moveToNext(_ advancing: Advancing) -> Bool {
    let (hasMoved, advance) = schedule.withLock { schedule in
      schedule.mayMove(advancing) ? schedule.moveToNext() : (false, nil)
    }
    if let advance { fire(advance) }
    return hasMoved
  }

  /// How many timers are due.
  func dueTimers(_ advancing: Advancing) -> Int {
    schedule.withLock { $0.mayMove(advancing) ? $0.collectDue() : 0 }
  }

  /// Fires a timer that is due.
  ///
  /// - Returns: whether that has woken a sleeper.
  func fireDue(at index: Int) -> Bool {
    guard let timer = schedule.withLock({ $0.takeDue(at: index) }) else { return false }
    fire(timer)
    if case .sleeper = timer { return true }
    return false
  }

  /// From now on an `advance` is carried out by its caller, since no loop does.
  func endDriving() {
    let advances = schedule.withLock { schedule in
      loop?.endDriving()
      return schedule.takeAdvances()
    }
    for advance in advances { fire(advance) }
  }
}

extension Schedule {
  fileprivate func mayMove(_ advancing: VirtualClock.Advancing) -> Bool {
    advancing == .automatically || isAdvancing
  }
}

// MARK: - Timers

extension VirtualClock: SchedulingClock {
  /// Calls the action, outside any lock, by whoever advances the clock to the instant; to one that
  /// has passed, by whoever advances it next.
  ///
  /// Unlike a task that sleeps, it has run when `advance` returns, also without a run loop. It
  /// counts as a sleeper.
  ///
  /// - Returns: what ``cancelAction(_:)`` takes.
  package func schedule(at instant: Instant, action: @escaping @Sendable () -> Void) -> UInt64 {
    let (token, arrived) = schedule.withLock { schedule in
      (schedule.add(.action(action), at: instant), schedule.takeArrived())
    }
    announce(arrived)
    return token.rawValue
  }

  /// Takes a scheduled action back.
  ///
  /// - Returns: whether it has not been called and never will be.
  package func cancelAction(_ id: UInt64) -> Bool {
    schedule.withLock { $0.remove(Schedule.Token(rawValue: id)) } != nil
  }
}
