extension VirtualClock {
  /// Who moves a clock that is driven by a run loop.
  public enum Advancing: Hashable, Sendable {
    /// When nothing is ready, the clock moves to the next timer by itself.
    case automatically
    /// Only `advance` moves the clock.
    case manually
  }
}

/// Runs asynchronous code on one thread, in virtual time, the same way each time.
///
/// The body and everything that stays on the loop (child tasks, task groups, `async let`, actors)
/// run one job at a time, in the order in which they became ready, unless `order` says otherwise.
/// When none is ready, the clock moves to the next timer, so that a wait of an hour takes no time:
///
/// ```swift
/// try await withVirtualTime { clock in
///   async let reply = fetch(timeout: .seconds(5), clock: clock)
///   await clock.advance(by: .seconds(5))   // runs all that happens until then
///   await #expect(throws: TimeoutError.self) { try await reply }
/// }
/// ```
///
/// The loop runs within the caller's task, on the default executor. It never blocks a thread: while
/// it has nothing to do it is suspended. When the caller is cancelled, the body is. What leaves the
/// loop is not deterministic; see <doc:ResilienceTesting#What-escapes>.
///
/// Tasks that the body leaves behind run until nothing is ready; what they sleep for does not come
/// by itself any more.
///
/// - Parameters:
///   - advancing: who moves the clock.
///   - order: which of the jobs that are ready runs next; the first that became ready by default.
///   - grace: how long, in real time, to wait for something outside the loop when nothing is ready
///     and the clock may not move; then the body is in a deadlock.
///   - jobLimit: how many jobs (stretches of a task between two suspensions) may run; 1 000 000 by
///     default, and `.max` for no limit.
///   - body: what to run, with the clock that it moves.
/// - Returns: what the body returns.
/// - Throws: what the body throws; or a ``VirtualTimeError`` if it cannot end, in which case it has
///   been cancelled, and may still be there.
@concurrent
public func withVirtualTime<Value: Sendable>(
  _ advancing: VirtualClock.Advancing = .automatically,
  order: VirtualClock.Order = .arrival,
  grace: Duration = .seconds(1),
  jobLimit: Int = 1_000_000,
  _ body: @escaping @Sendable (VirtualClock) async throws -> Value
) async throws -> Value {
  let run = Run(advancing, order, grace: grace, jobLimit: jobLimit)
  return try await run.result(of: body).get()
}
