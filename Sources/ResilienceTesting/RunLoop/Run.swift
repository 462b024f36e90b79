/// One run of a body in virtual time.
struct Run {
  let order: VirtualClock.Order
  private let advancing: VirtualClock.Advancing
  private let grace: Duration
  private let clock: VirtualClock
  let loop: RunLoop

  init(
    _ advancing: VirtualClock.Advancing, _ order: VirtualClock.Order, grace: Duration, jobLimit: Int
  ) {
    self.order = order
    self.advancing = advancing
    self.grace = grace
    loop = RunLoop(order, jobLimit: jobLimit)
    clock = VirtualClock(drivenBy: loop)
  }

  /// Runs the body to its end, or until it cannot end.
  @concurrent
  func result<Value: Sendable>(
    of body: @escaping @Sendable (VirtualClock) async throws -> Value
  ) async -> Result<Value, any Error> {
    let task = Task(executorPreference: loop) { [clock, loop] in
      defer { loop.bodyEnded() }
      return try await body(clock)
    }
    return await withTaskCancellationHandler {
      let failure = await drive()
      clock.endDriving()
      if failure != nil { task.cancel() }
      loop.runStragglers()
      if let failure { return .failure(failure) }
      return await task.result
    } onCancel: {
      task.cancel()
    }
  }

  /// Runs jobs and moves the clock until the body has ended, or cannot.
  @concurrent
  private func drive() async -> VirtualTimeError? {
    while true {
      switch loop.run(clock, advancing) {
      case .bodyEnded: return nil
      case .exhausted: return error(.jobLimit)
      case .diverged: return error(.diverged)
      case .turnIsOver: await Task.yield()
      case .idle: if await !loop.newsArrive(within: grace) { return error(.deadlock) }
      }
    }
  }

  private func error(_ reason: VirtualTimeError.Reason) -> VirtualTimeError {
    VirtualTimeError(
      reason: reason, now: clock.now, sleepers: clock.sleepers, jobs: loop.jobs,
      foreignEnqueues: loop.foreignEnqueues)
  }
}
