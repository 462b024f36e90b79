/// What a timer calls.
package protocol TimerTarget: AnyObject, Sendable {
  /// Called once, outside any lock, when the time has come. Returns soon and runs no code of
  /// users: the timers of all others wait for it.
  func fire()
}

/// The timers of all calls on one clock: a queue, and one task that sleeps until the earliest.
///
/// The task ends when it wakes and the queue is empty, or with the queue; it does not keep a process
/// alive. A timer that is set and cancelled costs two turns of a lock and O(log n), and wakes nobody. A clock that calls timers by
/// itself is given them instead.
package final class Timers: Sendable {
  /// The timers of every policy on `ContinuousClock`.
  static let continuous = Timers(on: ContinuousClock(), isShared: true)

  package enum Token: Sendable {
    case queued(TimerQueue<Int64, any TimerTarget>.Token)
    case scheduled(UInt64)
    case fired
  }

  fileprivate struct State: Sendable {
    var queue = TimerQueue<Int64, any TimerTarget>()
    /// Until when somebody sleeps, or is about to; `.max` if nobody does.
    var wakesAt = Int64.max
    /// Counts those who sleep; only the last one is in charge.
    var lastShift: UInt64 = 0
    /// The task of the last shift, as long as it sleeps, once whoever started it has kept it.
    var driver: Task<Void, Never>?
  }

  /// A turn of sleeping, until the earliest timer there is as it begins.
  fileprivate struct Shift: Sendable {
    let number: UInt64
    let instant: Int64
    /// The task of the shift before. It would wake too late.
    let replaced: Task<Void, Never>?
  }

  private let clock: WaitingClock
  private let isShared: Bool
  private let state = Lock(State())

  /// How many timers one look at the queue takes out, so that a burst does not hold the lock.
  private static let batch = 64

  /// - Parameter isShared: whether tasks on any executor use them; then their task runs on none of
  ///   those, since an executor that stops must not stop the timers of others.
  package init(on clock: any Clock<Duration>, isShared: Bool = false) {
    self.clock = WaitingClock(clock)
    self.isShared = isShared
  }

  // Whoever waits for a timer holds on to this; so nobody does any more.
  deinit { state.withLock { $0.driver.take() }?.cancel() }

  /// The timers for a clock.
  static func on(_ clock: any Clock<Duration>) -> Timers {
    guard clock is ContinuousClock else { return Timers(on: clock) }
    ConstructionAudit.noteRealClock()
    return continuous
  }

  /// Tells the instants that timers are set to.
  package var source: TimeSource { clock.source }

  /// How many timers are waiting in the queue.
  package var count: Int { state.withLock { $0.queue.count } }

  /// Calls the target at the instant, or at once if that has passed.
  package func set(_ target: any TimerTarget, at instant: Int64) -> Token {
    guard let scheduling = clock.scheduling else {
      let (token, shift) = state.withLock { state in
        (state.queue.insert(target, at: instant), state.beginShiftIfNeeded())
      }
      if let shift { startDriver(shift) }
      return .queued(token)
    }
    guard instant > source.now() else {
      target.fire()
      return .fired
    }
    return .scheduled(scheduling.schedule(instant) { target.fire() })
  }

  /// Takes a timer back; one that has fired already is left alone.
  package func cancel(_ token: Token) {
    switch token {
    case .queued(let token): _ = state.withLock { $0.queue.remove(token) }
    case .scheduled(let id): clock.scheduling?.cancel(id)
    case .fired: break
    }
  }
}

// MARK: - The task that sleeps

extension Timers.State {
  /// What somebody has to do now, if nobody wakes for the earliest timer.
  ///
  /// That is asked of the queue, not of the timer that is new: an earlier one may be there, for
  /// which the clock has refused to wait. `.max` never comes, and nobody sleeps until then.
  fileprivate mutating func beginShiftIfNeeded() -> Timers.Shift? {
    guard let first = queue.first, first < wakesAt else { return nil }
    wakesAt = first
    lastShift += 1
    return Timers.Shift(number: lastShift, instant: first, replaced: driver.take())
  }

  /// The targets whose time has come, and when to look again; `nil` if nobody has to.
  fileprivate mutating func takeDue(
    at now: Int64, _ shift: UInt64, atMost most: Int
  ) -> (due: [any TimerTarget], wakesAt: Int64?) {
    guard shift == lastShift else { return ([], nil) }
    var due: [any TimerTarget] = []
    while due.count < most, let first = queue.first, first <= now, let timer = queue.popFirst() {
      due.append(timer.payload)
    }
    wakesAt = queue.first ?? .max
    guard wakesAt < .max else {
      driver = nil
      return (due, nil)
    }
    return (due, wakesAt)
  }

  /// Whether the shift goes on, and its task is worth keeping.
  fileprivate mutating func keep(_ task: Task<Void, Never>, of shift: UInt64) -> Bool {
    guard shift == lastShift, wakesAt < .max else { return false }
    driver = task
    return true
  }

  /// The clock does not wait any longer.
  fileprivate mutating func end(_ shift: UInt64) {
    guard shift == lastShift else { return }
    wakesAt = .max
    driver = nil
  }
}

extension Timers {
  /// Tasks are started and cancelled outside the lock. A later shift may begin in between, and even
  /// end; it has not seen this task, which is then cancelled here.
  private func startDriver(_ shift: Shift) {
    shift.replaced?.cancel()
    let driver = makeDriver(shift)
    if !state.withLock({ $0.keep(driver, of: shift.number) }) { driver.cancel() }
  }

  /// Not a task of the caller's: it outlives the call, and must not inherit its task-locals. While it
  /// sleeps it holds nothing but the clock.
  private func makeDriver(_ shift: Shift) -> Task<Void, Never> {
    let (number, first, clock) = (shift.number, shift.instant, clock)
    return Task.detached(
      executorPreference: isShared ? nil : currentTaskExecutor(), priority: .high
    ) { [weak self] in
      var wakesAt: Int64? = first
      while let instant = wakesAt {
        do { try await clock.sleep(until: instant) } catch {
          // Replaced by a task that wakes earlier; or the clock refuses to wait, and then the next
          // timer that is set starts a task for all of them.
          return self?.end(number) ?? ()
        }
        wakesAt = self?.fireDue(number)
      }
    }
  }

  private func end(_ shift: UInt64) {
    state.withLock { $0.end(shift) }
  }

  /// - Returns: when to look again; `nil` if nobody has to.
  private func fireDue(_ shift: UInt64) -> Int64? {
    let now = source.now()
    let (due, wakesAt) = state.withLock { $0.takeDue(at: now, shift, atMost: Self.batch) }
    for target in due { target.fire() }
    return wakesAt
  }
}

/// The executor that the current task prefers, if it prefers one that lives long enough.
func currentTaskExecutor() -> (any TaskExecutor)? {
  guard #available(macOS 26.4, iOS 26.4, tvOS 26.4, watchOS 26.4, visionOS 26.4, *) else {
    return nil
  }
  // Only asked within the closure, for the executor of the task that runs it; the reference that
  // comes out keeps the executor alive.
  return unsafe withUnsafeCurrentTask { task in
    unsafe task?.unownedTaskExecutor?.asTaskExecutor()
  }
}
