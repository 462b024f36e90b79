/// Tries again what has failed, if that is likely to help and cannot hurt.
///
/// ```swift
/// let retry = Retry(
///   "user-service", maxAttempts: 3, backoff: .exponential(from: .milliseconds(50)))
///
/// let user = try await retry.run { execution in
///   try await users.find(id, attempt: execution.attempt)
/// }
/// ```
///
/// After a failed attempt it waits for the backoff and runs the operation again, up to
/// `maxAttempts` times in all. The last error is thrown as it is; the last value is returned, also
/// if it counts as a failure. By default there are 3 attempts, with a backoff of 50 ms that doubles
/// up to 20 s, spread by full jitter.
///
/// Every attempt beyond the first is paid from a ``RetryBudget``, which successes fund: when most
/// calls fail there is nothing to pay with, and retries do not add to an outage. Without a budget
/// of yours it makes its own. Share one among all that call the same dependency.
///
/// What it does not do:
/// - repeat what says nothing about the dependency: a call that its caller cancelled, or that a
///   policy inside refused (``Rejections`` can change the latter);
/// - wait beyond ``Deadline/current``: then the attempt's error is thrown at once;
/// - multiply: inside another retry's attempt it makes one (``Nesting`` can change that).
///
/// An error with a ``RetryAfterHint`` is waited for as it asks, up to `hintCap`. When its caller is
/// cancelled during a wait, it throws `CancellationError` at once.
///
/// The operation runs where the caller is. It runs more than once: an operation with effects must
/// be safe to repeat.
///
/// A retry is a value over one shared object: copies share its budget, its counts and its chance.
///
/// Cost: a call whose first attempt succeeds takes no lock, reads no clock and allocates nothing.
/// It binds a task-local value, so that a retry inside knows of it; inside another's attempt that
/// allocates.
public struct Retry: ResiliencePolicy {
  @usableFromInline let shared: Shared

  /// A retry with a budget of its own.
  ///
  /// Settings that cannot work stop the program, in debug and release, with a message that names
  /// the parameter, the value and the allowed range.
  ///
  /// - Parameters:
  ///   - name: for events and descriptions.
  ///   - maxAttempts: how many attempts a call makes at most, the first among them; 3 by default,
  ///     `.max` for no end, which takes no more memory than one.
  ///   - backoff: how long to wait before the next attempt; by default 50 ms, doubling up to 20 s,
  ///     with full jitter.
  ///   - hintCap: the longest wait that an error's ``RetryAfterHint`` can ask for; 30 s by default.
  ///   - rejections: what to do about the rejections of policies inside; ``Rejections/stop`` by
  ///     default.
  ///   - nesting: how many attempts are made inside another retry's attempt; ``Nesting/once`` by
  ///     default.
  ///   - deciding: what to do about an error; `nil` from it, as without it, means the default: to
  ///     retry what ``Outcome/init(classifying:)`` counts as a failure. Called once for each error,
  ///     outside any lock, but not for calls that their callers cancelled.
  ///   - clock: what waits are measured on; `ContinuousClock` by default. The budget's clock, too.
  ///   - seed: repeats the jitter; random by default.
  ///   - observers: who is told what happens.
  public init(
    _ name: String = "retry",
    maxAttempts: Int = 3,
    backoff: Backoff = .exponential(from: .milliseconds(50)),
    hintCap: Duration = .seconds(30),
    rejections: Rejections = .stop,
    nesting: Nesting = .once,
    deciding: (@Sendable (any Error) -> Decision?)? = nil,
    clock: any Clock<Duration> = ContinuousClock(),
    seed: UInt64? = nil,
    observers: [any ResilienceObserver] = []
  ) {
    self.init(
      name, maxAttempts: maxAttempts, backoff: backoff, hintCap: hintCap, rejections: rejections,
      nesting: nesting, budget: RetryBudget(name, clock: clock), deciding: deciding, clock: clock,
      seed: seed, observers: observers)
  }

  /// A retry with a budget of yours, or without one.
  ///
  /// - Parameters:
  ///   - name: for events and descriptions.
  ///   - maxAttempts: how many attempts a call makes at most, the first among them; 3 by default.
  ///   - backoff: how long to wait before the next attempt.
  ///   - hintCap: the longest wait that an error's ``RetryAfterHint`` can ask for; 30 s by default.
  ///   - rejections: what to do about the rejections of policies inside.
  ///   - nesting: how many attempts are made inside another retry's attempt.
  ///   - budget: what pays for attempts beyond the first. `nil` for none: then each call makes as
  ///     many attempts as it may, which multiplies the load on a dependency that is down.
  ///   - deciding: what to do about an error; as in the other initializer.
  ///   - clock: what waits are measured on; `ContinuousClock` by default.
  ///   - seed: repeats the jitter; random by default.
  ///   - observers: who is told what happens.
  public init(
    _ name: String = "retry",
    maxAttempts: Int = 3,
    backoff: Backoff = .exponential(from: .milliseconds(50)),
    hintCap: Duration = .seconds(30),
    rejections: Rejections = .stop,
    nesting: Nesting = .once,
    budget: RetryBudget?,
    deciding: (@Sendable (any Error) -> Decision?)? = nil,
    clock: any Clock<Duration> = ContinuousClock(),
    seed: UInt64? = nil,
    observers: [any ResilienceObserver] = []
  ) {
    let configuration = Configuration(
      maxAttempts: maxAttempts, backoff: backoff, hintCap: hintCap, rejections: rejections,
      nesting: nesting)
    self.init(
      name, configuration: configuration, budget: budget, deciding: deciding, clock: clock,
      seed: seed, observers: observers)
  }

  /// A retry with settings in one value, and a budget of its own.
  ///
  /// Settings that cannot work stop the program; check those that arrive at run time with
  /// ``Configuration/validate()`` before.
  ///
  /// - Parameters:
  ///   - name: for events and descriptions.
  ///   - configuration: the settings.
  ///   - deciding: what to do about an error. As in the other initializers.
  ///   - clock: what waits are measured on; `ContinuousClock` by default. The budget's clock, too.
  ///   - seed: repeats the jitter; random by default.
  ///   - observers: who is told what happens.
  public init(
    _ name: String = "retry",
    configuration: Configuration,
    deciding: (@Sendable (any Error) -> Decision?)? = nil,
    clock: any Clock<Duration> = ContinuousClock(),
    seed: UInt64? = nil,
    observers: [any ResilienceObserver] = []
  ) {
    self.init(
      name, configuration: configuration, budget: RetryBudget(name, clock: clock),
      deciding: deciding, clock: clock, seed: seed, observers: observers)
  }

  /// A retry with settings in one value, and a budget of yours, or none.
  ///
  /// Settings that cannot work stop the program; check those that arrive at run time with
  /// ``Configuration/validate()`` before.
  ///
  /// - Parameters:
  ///   - name: for events and descriptions.
  ///   - configuration: the settings.
  ///   - budget: what pays for attempts beyond the first; `nil` for none.
  ///   - deciding: what to do about an error; as in the other initializers.
  ///   - clock: what waits are measured on; `ContinuousClock` by default.
  ///   - seed: repeats the jitter; random by default.
  ///   - observers: who is told what happens.
  public init(
    _ name: String = "retry",
    configuration: Configuration,
    budget: RetryBudget?,
    deciding: (@Sendable (any Error) -> Decision?)? = nil,
    clock: any Clock<Duration> = ContinuousClock(),
    seed: UInt64? = nil,
    observers: [any ResilienceObserver] = []
  ) {
    do { try configuration.validate() } catch { stop(misconfigured: "Retry \"\(name)\"", error) }
    shared = Shared(
      name, configuration, budget: budget, deciding: deciding, clock: WaitingClock(clock),
      seed: seed, observers: observers)
  }

  /// The name, for events and descriptions.
  public var name: String { shared.name }

  /// What pays for attempts beyond the first, if anything does.
  public var budget: RetryBudget? { shared.budget }

  /// The retry in a composition.
  public var layers: [PolicyLayer] {
    let configuration = shared.configuration
    return [
      PolicyLayer(
        role: .retry(
          maxAttempts: configuration.maxAttempts, nests: configuration.nesting == .allowed),
        name: name,
        settings: "\(configuration), \(shared.budget.map { "\($0)" } ?? "no budget")")
    ]
  }

  /// What has happened so far. Passive; costs the locks of retry and budget, and a clock read.
  public func snapshot() -> Snapshot {
    Snapshot(name: name, totals: shared.totals, budget: shared.budget?.snapshot())
  }

  /// Runs the operation, again if it fails.
  ///
  /// - Parameters:
  ///   - execution: what the operation is told about this attempt; its number is the retry's.
  ///   - operation: what to run; it may run more than once.
  /// - Returns: what the last attempt returned, with the verdict on it.
  /// - Throws: what the last attempt threw, as it is; or a `CancellationError` if the caller was
  ///   cancelled during a wait.
  @inlinable
  public func execute<Success: ~Copyable>(
    _ execution: Execution,
    _ operation: (Execution) async throws -> Graded<Success>
  ) async throws -> Graded<Success> {
    var course = shared.begin(execution)
    while true {
      let attempt = shared.beginAttempt(course)
      let execution = Execution(attempt: course.attempt, hedge: execution.hedge)
      var result: Graded<Success>?
      var failure: (any Error)?
      do {
        try await attempt.run(#isolation) { result = try await operation(execution) }
        attempt.end()
        // The operation returned, or this line is not reached.
        let graded = result.take()!
        guard shared.mustRepeat(&course, after: graded.outcome) else { return graded }
        result = consume graded
      } catch {
        attempt.end()
        try shared.prepareNext(&course, after: error)
        failure = error
      }
      try await shared.wait(for: course)
      // Asking this here also keeps the caller's actor: on 6.3.1 it is lost between an await and
      // the call of a closure if nothing synchronous happens between them.
      if Task.isCancelled { throw shared.cancelled(before: course) }
      if shared.isTooLate(for: course, failure) {
        if let failure { throw failure }
        // It has thrown or returned.
        return result.take()!
      }
      // Before the next attempt begins. 6.3.1 does not release it by itself at the end of the scope.
      result = nil
    }
  }
}
