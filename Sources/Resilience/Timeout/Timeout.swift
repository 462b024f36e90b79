/// Gives an operation so much time, cancels it at the limit, and waits for it to end.
///
/// Cooperative: at the limit the operation is cancelled, and the caller goes on when it has ended.
/// One that ignores cancellation keeps its caller waiting; ``AbandoningTimeout`` does not wait, and
/// asks for a `@Sendable` operation. Inside, ``Deadline/current`` is the limit, or the deadline
/// outside if that is earlier: then no more time is given than it has left.
///
/// - If the operation throws after the limit, the error is a ``TimeoutError`` with the operation's
///   own error in it: what a cancelled client throws says little. A value that comes late is
///   returned.
/// - If the caller is cancelled, the operation is, and its error passes as it is, also after the
///   limit.
/// - If there is no time at all, because the limit is zero or negative or the deadline has passed,
///   the operation is not run, and the error is a ``DeadlineExpiredError``.
///
/// The operation runs in a child task that starts at once and stays where the caller is: it keeps
/// the caller's isolation and task-locals. On an actor, its cancellation waits until the actor is
/// free.
///
/// Cost: a child task and a clock read, 1 to 3 µs and up to 10 allocations. A call that does not
/// suspend sets no timer; those that do share one queue of timers and one task that sleeps.
@available(macOS 26, iOS 26, tvOS 26, watchOS 26, visionOS 26, *)
public struct Timeout: ResiliencePolicy {
  let shared: Shared

  /// A time limit.
  ///
  /// - Parameters:
  ///   - limit: how much time an operation has. Zero or less refuses every call; beyond 292 years it
  ///     is held at that.
  ///   - name: for errors, events and descriptions.
  ///   - clock: what time is; `ContinuousClock` by default. All timeouts on it share their timers;
  ///     on any other clock, the copies of one timeout do.
  ///   - observers: who is told what happens.
  public init(
    _ limit: Duration,
    name: String = "timeout",
    clock: any Clock<Duration> = ContinuousClock(),
    observers: [any ResilienceObserver] = []
  ) {
    shared = Shared(limit, name: name, clock: clock, observers: observers)
  }

  /// The name, for errors, events and descriptions.
  public var name: String { shared.name }

  /// How much time an operation has.
  public var limit: Duration { shared.limit.duration }

  /// The timeout in a composition.
  public var layers: [PolicyLayer] {
    [PolicyLayer(role: .timeout(limit), name: name, settings: "\(limit)")]
  }

  /// Runs the operation in a child task, where the caller is, for as long as the limit allows.
  ///
  /// - Parameters:
  ///   - execution: what the operation is told about this attempt.
  ///   - operation: what to run.
  /// - Returns: what the operation returned, with the verdict on it; also if it is late.
  /// - Throws: a ``TimeoutError`` if the operation throws after the limit; a
  ///   ``DeadlineExpiredError`` if there is no time at all, in which case it did not run; otherwise
  ///   what the operation throws.
  @inlinable
  public func execute<Success: ~Copyable>(
    _ execution: Execution,
    _ operation: (Execution) async throws -> Graded<Success>
  ) async throws -> Graded<Success> {
    let allowance = try allowance()
    var result: Graded<Success>?
    try await run(#isolation, within: allowance) { result = try await operation(execution) }
    // The operation returned, or this line is not reached.
    return result.take()!
  }

  @usableFromInline
  func allowance() throws -> TimeLimit.Allowance { try shared.allowance() }

  /// Not generic and not inlined, so that its cost is the child task's.
  @usableFromInline
  func run(
    _ isolation: isolated (any Actor)?, within allowance: TimeLimit.Allowance,
    _ body: nonisolated(nonsending) () async throws -> Void
  ) async throws {
    let call = TimedCall()
    let hasTimedOut = await Deadline.taskLocal.withValue(allowance.deadline) {
      // On Swift 6.3.1 this closure loses the caller's actor unless it captures the parameter.
      _ = isolation
      return await race(isolation, call, until: allowance.instant, body)
    }
    let failure = call.failure
    guard hasTimedOut, !Task.isCancelled else {
      if let failure { throw failure }
      return
    }
    try shared.timedOut(after: allowance.limit, failure)
  }

  /// - Returns: whether the timer has fired before the body ended.
  private func race(
    _ isolation: isolated (any Actor)?, _ call: TimedCall, until instant: Int64,
    _ body: nonisolated(nonsending) () async throws -> Void
  ) async -> Bool {
    await withoutActuallyEscaping(body) { body in
      // The body is not `Sendable`, and neither is what it captures. It is handed to the child task
      // alone: between its creation and the end of the group, which waits for the child on every
      // path, the caller's task touches only `call` and the timers, never the body's captures. The
      // creation of the task and the end of the group order the two. On an actor both run there,
      // in turns. The timer runs no code of the user's: it resumes the caller's task, which cancels.
      nonisolated(unsafe) let body = body
      return await withTaskGroup(of: Void.self) { group in
        _ = isolation
        group.addImmediateTask {
          _ = isolation
          do {
            unsafe try await body()
            call.end(nil)
          } catch {
            call.end(error)
          }
        }
        // Where the body has not suspended it is over: then nothing waits, and no timer is set.
        let hasFired = await call.park(until: instant, on: shared.limit.timers)
        if hasFired { group.cancelAll() }
        return hasFired
      }
    }
  }
}
