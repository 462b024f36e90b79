/// How far ``exploreSchedules(_:advancing:grace:jobLimit:_:)`` goes.
public struct Exploration: Hashable, Sendable {
  let limit: Int

  /// Every schedule there is: a search, depth first, that runs the program once for each.
  ///
  /// The number of schedules grows exponentially with the length of the program and the number of
  /// its tasks. Use it for two or three tasks of a few suspensions each.
  ///
  /// - Parameter limit: how many schedules may be run; if there are more, the exploration fails.
  public static func exhaustively(limit: Int = 100_000) -> Exploration {
    Exploration(limit: limit)
  }
}

/// Runs a program under many schedules, each drawn with a seed of its own, until it fails.
///
/// ```swift
/// try await exploreSchedules(seeds: 0..<1_000) { clock in
///   let cache = Cache()
///   async let first: Void = cache.increment("visits")
///   async let second: Void = cache.increment("visits")
///   _ = await (first, second)
///   if await cache["visits"] != 2 { throw LostUpdate() }
/// }
/// ```
///
/// The program fails when it throws, and also when it cannot end. An `#expect` in it says what is
/// wrong, but not under which schedule: throw. Every run must begin afresh: make all state within the
/// body. See <doc:ExploringSchedules>.
///
/// - Parameters:
///   - seeds: one schedule each; the seed of a failure, in a range of one or in
///     ``VirtualClock/Order/shuffled(seed:)``, repeats it.
///   - advancing: who moves the clock.
///   - grace: how long, in real time, to wait for something outside the loop when nothing is ready.
///   - jobLimit: how many jobs one run may take.
///   - body: the program.
/// - Throws: a ``ScheduleError`` with the first schedule under which the program failed, or was not
///   deterministic; `CancellationError` if the task is cancelled.
@concurrent
public func exploreSchedules(
  seeds: Range<UInt64>,
  advancing: VirtualClock.Advancing = .automatically,
  grace: Duration = .seconds(1),
  jobLimit: Int = 1_000_000,
  _ body: @escaping @Sendable (VirtualClock) async throws -> Void
) async throws {
  for seed in seeds {
    let schedule = VirtualClock.Order.shuffled(seed: seed)
    let run = Run(advancing, schedule, grace: grace, jobLimit: jobLimit)
    try await run.check(body, passed: Int(clamping: seed - seeds.lowerBound))
  }
}

/// Runs a program under every schedule it has, until it fails.
///
/// A schedule is what was chosen wherever there was a choice: which of the jobs that are ready and of
/// the timers that are due goes next, and what ``VirtualClock/choose(from:)`` returns. The first is
/// that of ``VirtualClock/Order/arrival``; each of the others repeats the choices of one before it up
/// to a point, and takes the next candidate there.
///
/// ```swift
/// let schedules = try await exploreSchedules(.exhaustively()) { clock in
///   let gate = Gate()
///   await withDiscardingTaskGroup { group in
///     for _ in 1...3 { group.addTask { await gate.pass() } }
///   }
/// }
/// ```
///
/// The program fails when it throws, and also when it cannot end. Every run must begin afresh: make
/// all state within the body. See <doc:ExploringSchedules>.
///
/// - Parameters:
///   - exploration: how far to go.
///   - advancing: who moves the clock.
///   - grace: how long, in real time, to wait for something outside the loop when nothing is ready.
///   - jobLimit: how many jobs one run may take.
///   - body: the program.
/// - Returns: how many schedules there are.
/// - Throws: a ``ScheduleError`` if the program failed, has more schedules than the limit, or is not
///   deterministic; `CancellationError` if the task is cancelled.
@concurrent
@discardableResult
public func exploreSchedules(
  _ exploration: Exploration,
  advancing: VirtualClock.Advancing = .automatically,
  grace: Duration = .seconds(1),
  jobLimit: Int = 1_000_000,
  _ body: @escaping @Sendable (VirtualClock) async throws -> Void
) async throws -> Int {
  var search = ScheduleSearch()
  while let choices = search.next {
    let schedule = VirtualClock.Order.replaying(choices)
    guard search.passed < exploration.limit else {
      throw ScheduleError(
        reason: .limit(exploration.limit), schedule: schedule, passed: search.passed)
    }
    let run = Run(advancing, schedule, grace: grace, jobLimit: jobLimit)
    try await run.check(body, passed: search.passed)
    guard search.record(run.loop.chooser.points) else {
      throw ScheduleError(reason: .diverged, schedule: schedule, passed: search.passed)
    }
  }
  return search.passed
}

extension Run {
  /// - Throws: why this schedule ends the exploration, if it does.
  fileprivate func check(
    _ body: @escaping @Sendable (VirtualClock) async throws -> Void, passed: Int
  ) async throws {
    try Task.checkCancellation()
    let result = await result(of: body)
    // Whatever a run does that was cancelled from outside, the schedule is not the reason.
    try Task.checkCancellation()
    if let reason = reason(of: result) {
      throw ScheduleError(reason: reason, schedule: schedule, passed: passed)
    }
  }

  private func reason(of result: Result<Void, any Error>) -> ScheduleError.Reason? {
    switch result {
    case .failure(let error as VirtualTimeError) where error.reason == .diverged: .diverged
    case .failure(let error): .failed(error)
    case .success where loop.foreignEnqueues > 0: .foreignEnqueues(loop.foreignEnqueues)
    case .success: nil
    }
  }

  /// The schedule that was run, as it can be replayed.
  private var schedule: VirtualClock.Order {
    guard case .replaying = order.kind else { return order }
    return .replaying(ScheduleSearch.choices(of: loop.chooser.points))
  }
}
