/// A task executor that runs its jobs one at a time, on one thread at a time: the driver's until the
/// loop ends, the default executor's for what still arrives afterwards.
final class RunLoop: TaskExecutor {
  private struct State {
    /// In the order of their arrival.
    var ready: [UnownedJob] = []
    var chooser: Chooser
    var jobs = 0
    /// How many more jobs may run.
    var budget: Int
    var foreignEnqueues = 0
    /// Where the driver runs jobs; none before it starts and while it waits for news.
    var thread: ThreadIdentity?
    var hasStarted = false
    var isDriving = true
    /// Whether somebody runs what is ready, or will.
    var isServed = true
    var hasBodyEnded = false
    var hasNews = false
    var idler: Idler?
    var lastIdler = 0

    /// Takes all that is ready and may still run; or says why there is nothing.
    mutating func take(_ batch: inout [UnownedJob]) -> Pause? {
      guard !ready.isEmpty, budget > 0 else { return pause() }
      if ready.count <= budget {
        swap(&ready, &batch)
      } else {
        batch = Array(ready.prefix(budget))
        ready.removeFirst(budget)
      }
      count(batch.count)
      return nil
    }

    /// Takes one job that is ready.
    mutating func take(at index: Int) -> UnownedJob {
      count(1)
      return ready.remove(at: index)
    }

    private mutating func count(_ jobs: Int) {
      budget -= jobs
      self.jobs += jobs
    }

    mutating func pause() -> Pause {
      if !isDriving {
        // Whatever is left has spun for the whole budget.
        ready = []
        isServed = false
      }
      if chooser.hasDiverged { return .diverged }
      if hasBodyEnded { return chooser.hasLeftovers ? .diverged : .bodyEnded }
      return budget > 0 ? .idle : .exhausted
    }
  }

  private struct Idler {
    let id: Int
    let continuation: CheckedContinuation<Bool, Never>
  }

  /// What tasks may still run that the body leaves behind, or that it ends with after a failure:
  /// plenty for cleaning up, and an end for those that spin.
  private static let stragglerBudget = 100_000

  private let state: Lock<State>

  /// Whether the order is not simply that of arrival.
  let isExploring: Bool

  init(_ order: VirtualClock.Order, jobLimit: Int) {
    let chooser = Chooser(order)
    isExploring = !chooser.isArrival
    state = Lock(State(chooser: chooser, budget: jobLimit))
  }

  var isDriving: Bool { state.withLock { $0.isDriving } }
  var foreignEnqueues: Int { state.withLock { $0.foreignEnqueues } }
  var jobs: Int { state.withLock { $0.jobs } }
  var chooser: Chooser { state.withLock { $0.chooser } }

  @inline(never)  // for `ThreadIdentity`
  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let thread = ThreadIdentity.current
    let (idler, needsService) = state.withLock { state -> (Idler?, Bool) in
      if state.hasStarted, state.isDriving, state.thread != thread { state.foreignEnqueues += 1 }
      state.ready.append(job)
      defer { state.isServed = true }
      return (state.idler.take(), !state.isServed)
    }
    idler?.continuation.resume(returning: true)
    if needsService { Task.detached { self.runStragglers() } }
  }

  /// Why the loop pauses.
  enum Pause {
    case idle
    /// It has had the thread for long enough.
    case turnIsOver
    case bodyEnded
    case exhausted
    case diverged
  }

  /// How often the clock moves before others get the thread: some milliseconds.
  private static let turn = 256

  /// Runs jobs and moves the clock until there is nothing to do, the turn is over, or the body has
  /// ended or cannot.
  @inline(never)  // for `ThreadIdentity`
  func run(_ clock: VirtualClock, _ advancing: VirtualClock.Advancing) -> Pause {
    begin(on: ThreadIdentity.current)
    for _ in 0..<Self.turn {
      let pause = isExploring ? runChosen(clock, advancing) : runReady()
      guard pause == .idle else { return pause }
      let hasMoved = isExploring ? clock.moveToNext(advancing) : clock.moveOn(advancing)
      guard hasMoved else { return .idle }
    }
    // The driver may come back on another thread; until then this one is as foreign as any.
    state.withLock { $0.thread = nil }
    return .turnIsOver
  }

  /// Runs what is still ready when the body has ended, or cannot.
  @inline(never)  // for `ThreadIdentity`
  func runStragglers() {
    begin(on: ThreadIdentity.current)
    _ = runReady()
  }

  private func begin(on thread: ThreadIdentity) {
    state.withLock { state in
      state.thread = thread
      state.hasStarted = true
    }
  }

  /// Runs jobs, first come first served, until none is ready or the budget is spent.
  private func runReady() -> Pause {
    // Safe: the reference is not used after this call, during which `self` is alive.
    let executor = unsafe asUnownedTaskExecutor()
    var batch: [UnownedJob] = []
    while true {
      if let pause = state.withLock({ $0.take(&batch) }) { return pause }
      // Each job is run once: it was taken from those that are ready.
      for job in batch { unsafe job.runSynchronously(on: executor) }
      batch.removeAll(keepingCapacity: true)
    }
  }

  func bodyEnded() {
    state.withLock { state in
      state.hasBodyEnded = true
      state.budget = Self.stragglerBudget
    }
  }

  func endDriving() {
    state.withLock { state in
      state.isDriving = false
      state.budget = Self.stragglerBudget
    }
  }
}

// MARK: - Choosing

extension RunLoop {
  private enum Step {
    case job(UnownedJob)
    case timer(Int)
    case pause(Pause)
  }

  /// Lets the order decide among so many candidates; what comes after the body is not its schedule.
  func choose(from candidates: Int) -> Int {
    state.withLock { state in
      state.isDriving && !state.hasBodyEnded ? state.chooser.choose(from: candidates) : 0
    }
  }

  /// Runs jobs and due timers, one at a time as the order chooses, until there is none, the budget is
  /// spent or the body has ended. What it leaves behind is run in the order of arrival: nobody sees
  /// the difference any more.
  private func runChosen(_ clock: VirtualClock, _ advancing: VirtualClock.Advancing) -> Pause {
    // Safe: the reference is not used after this call, during which `self` is alive.
    let executor = unsafe asUnownedTaskExecutor()
    while true {
      switch nextStep(dueTimers: clock.dueTimers(advancing)) {
      // Each job is run once: it was taken from those that are ready.
      case .job(let job): unsafe job.runSynchronously(on: executor)
      case .timer(let index):
        guard let woken = wake(by: { clock.fireDue(at: index) }) else { continue }
        unsafe woken.runSynchronously(on: executor)
      case .pause(let pause): return pause
      }
    }
  }

  private func nextStep(dueTimers: Int) -> Step {
    state.withLock { state in
      let ready = state.ready.count
      guard ready + dueTimers > 0, state.budget > 0, !state.hasBodyEnded else {
        return .pause(state.pause())
      }
      let chosen = state.chooser.choose(from: ready + dueTimers)
      if state.chooser.hasDiverged { return .pause(.diverged) }
      return chosen < ready ? .job(state.take(at: chosen)) : .timer(chosen - ready)
    }
  }

  /// The job that a due timer has made ready, if it has woken a sleeper. To wake up and to go on are
  /// one step: nothing can happen in between that could not happen before or after, except a
  /// cancellation, which chooses for itself whether it comes first.
  private func wake(by fire: () -> Bool) -> UnownedJob? {
    let before = state.withLock { $0.ready.count }
    guard fire() else { return nil }
    return state.withLock { state in
      state.ready.count > before ? state.take(at: state.ready.count - 1) : nil
    }
  }
}

// MARK: - Waiting

extension RunLoop {
  /// Lets an idle driver look at the clock again.
  func wake() {
    let idler = state.withLock { state in
      state.hasNews = state.idler == nil
      return state.idler.take()
    }
    idler?.continuation.resume(returning: true)
  }

  /// Suspends the driver until something outside makes a job ready or turns to the clock.
  ///
  /// - Returns: whether that happened within so much real time.
  func newsArrive(within grace: Duration) async -> Bool {
    var timer: Task<Void, Never>?
    defer { timer?.cancel() }
    return await withCheckedContinuation { continuation in
      guard let id = idle(continuation) else { return continuation.resume(returning: true) }
      timer = Task.detached {
        // A day is for ever in real time, and no clock overflows at it or at zero.
        try? await ContinuousClock().sleep(for: max(.zero, min(grace, .seconds(86_400))))
        self.giveUp(id)
      }
    }
  }

  private func idle(_ continuation: CheckedContinuation<Bool, Never>) -> Int? {
    state.withLock { state in
      if state.hasNews || !state.ready.isEmpty {
        state.hasNews = false
        return nil
      }
      state.thread = nil
      state.lastIdler += 1
      state.idler = Idler(id: state.lastIdler, continuation: continuation)
      return state.lastIdler
    }
  }

  private func giveUp(_ id: Int) {
    let idler = state.withLock { $0.idler?.id == id ? $0.idler.take() : nil }
    idler?.continuation.resume(returning: false)
  }
}
