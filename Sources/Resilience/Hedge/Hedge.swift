/// Starts a further attempt beside one that takes long, and takes the first success: the operation
/// runs more than once, at the same time, so it must be idempotent.
///
/// For the slow end of the latencies: a call in a hundred that takes thirty times as long as the
/// others, because its server was collecting garbage or its packet was lost, is answered by a second
/// attempt that has no such bad luck. After Dean and Barroso, "The tail at scale", CACM 56(2), 2013.
///
/// ```swift
/// let hedge = Hedge("users")
///
/// let user = try await hedge.run { try await users.find(id) }
/// ```
///
/// - A further attempt is started when the running ones have not answered within the ``Delay``, and at
///   once when one has failed; `maxHedges` of them at most.
/// - The first success wins. An error, or a value that counts as a failure, is the answer only when
///   all attempts have ended and none may be started; then it is that of the first attempt. A failure
///   does not end the call while another attempt may still succeed.
/// - The losers are cancelled and not waited for. One that throws then is neutral to the policies
///   inside. One that ignores cancellation goes on behind the call's back; if it still succeeds, that
///   is an answer of the dependency like any other.
/// - Every hedge costs a token of a ``RetryBudget``. Without a token the running attempts go on.
/// - Nothing is hedged as long as the delay is not known; while the median of the last 50 latencies is
///   above 2.5 times the lowest lately, since hedges add to the load that makes them so; and after
///   ``Deadline/current``.
/// - If the caller is cancelled, all attempts are, and it gets a `CancellationError` at once. Nothing
///   is counted, unless its deadline has passed: then the call has failed, and its hedges are spent.
///
/// The operation is `@Sendable`. It runs in tasks of its own, on the executor that the caller's task
/// prefers, with the caller's task-locals and priority; where nothing can be hedged, in the caller's
/// task. Either way it runs on no actor, unless it names one.
///
/// Cost: two clock readings and two locks, about half a microsecond in all; where a hedge is
/// possible, a task and a timer as well, some microseconds.
public final class Hedge: ConcurrentPolicy {
  /// The name, for events and descriptions.
  public let name: String

  private let deadlineExpired: any Error

  /// What pays for the hedges, if anything does.
  public let budget: RetryBudget?

  let configuration: Configuration
  let timers: Timers
  let classify: (@Sendable (any Error) -> Outcome?)?
  let ledger: Lock<Ledger>
  let events: Announcer<Event>

  /// A hedge with settings given one by one, and a budget of its own.
  ///
  /// The budget holds 1.25 % of the calls that succeeded in the last 10 s, and never less than 5 hedges.
  /// Settings that cannot work stop the program, in debug and release, with a message that names the
  /// parameter, the value and the allowed range.
  ///
  /// - Parameters:
  ///   - name: for events and descriptions.
  ///   - delay: how long an attempt has before a further one is started beside it; as long as 98 of
  ///     the last 100 calls took, by default.
  ///   - maxHedges: how many further attempts a call starts at most; 1 by default, 0 to 10. Each comes
  ///     a delay after the one before.
  ///   - classify: what an error means; `nil` from it, as without it, means the default
  ///     (``Outcome/init(classifying:)``). An error that counts as a success is the answer. Called
  ///     once for each error, outside any lock, but not for attempts that were cancelled.
  ///   - clock: what delays and latencies are measured on; `ContinuousClock` by default. The budget's
  ///     clock, too.
  ///   - observers: who is told what happens.
  public convenience init(
    _ name: String = "hedge",
    delay: Delay = .percentile(),
    maxHedges: Int = 1,
    classify: (@Sendable (any Error) -> Outcome?)? = nil,
    clock: any Clock<Duration> = ContinuousClock(),
    observers: [any ResilienceObserver] = []
  ) {
    self.init(
      name, configuration: Configuration(delay: delay, maxHedges: maxHedges), classify: classify,
      clock: clock, observers: observers)
  }

  /// A hedge with a budget of yours, or without one.
  ///
  /// - Parameters:
  ///   - name: for events and descriptions.
  ///   - delay: how long an attempt has before a further one is started beside it.
  ///   - maxHedges: how many further attempts a call starts at most; 0 to 10.
  ///   - budget: what pays for the hedges. `nil` for none: then a dependency that has become slow gets
  ///     every call at least twice, and stays slow.
  ///   - classify: what an error means; as in the other initializer.
  ///   - clock: what delays and latencies are measured on; `ContinuousClock` by default.
  ///   - observers: who is told what happens.
  public convenience init(
    _ name: String = "hedge",
    delay: Delay = .percentile(),
    maxHedges: Int = 1,
    budget: RetryBudget?,
    classify: (@Sendable (any Error) -> Outcome?)? = nil,
    clock: any Clock<Duration> = ContinuousClock(),
    observers: [any ResilienceObserver] = []
  ) {
    self.init(
      name, configuration: Configuration(delay: delay, maxHedges: maxHedges), budget: budget,
      classify: classify, clock: clock, observers: observers)
  }

  /// A hedge with settings in one value, and a budget of its own.
  ///
  /// Settings that cannot work stop the program; check those that arrive at run time with
  /// ``Configuration/validate()`` before.
  ///
  /// - Parameters:
  ///   - name: for events and descriptions.
  ///   - configuration: the settings.
  ///   - classify: what an error means; as in the other initializers.
  ///   - clock: what delays and latencies are measured on; `ContinuousClock` by default. The budget's
  ///     clock, too.
  ///   - observers: who is told what happens.
  public convenience init(
    _ name: String = "hedge",
    configuration: Configuration,
    classify: (@Sendable (any Error) -> Outcome?)? = nil,
    clock: any Clock<Duration> = ContinuousClock(),
    observers: [any ResilienceObserver] = []
  ) {
    let budget = RetryBudget(name, configuration: Self.ownBudget, clock: clock)
    self.init(
      name, configuration: configuration, budget: budget, classify: classify, clock: clock,
      observers: observers)
  }

  /// A hedge with settings in one value, and a budget of yours, or none.
  ///
  /// Settings that cannot work stop the program; check those that arrive at run time with
  /// ``Configuration/validate()`` before.
  ///
  /// - Parameters:
  ///   - name: for events and descriptions.
  ///   - configuration: the settings.
  ///   - budget: what pays for the hedges; `nil` for none.
  ///   - classify: what an error means; as in the other initializers.
  ///   - clock: what delays and latencies are measured on; `ContinuousClock` by default.
  ///   - observers: who is told what happens.
  public init(
    _ name: String = "hedge",
    configuration: Configuration,
    budget: RetryBudget?,
    classify: (@Sendable (any Error) -> Outcome?)? = nil,
    clock: any Clock<Duration> = ContinuousClock(),
    observers: [any ResilienceObserver] = []
  ) {
    do { try configuration.validate() } catch { stop(misconfigured: "Hedge \"\(name)\"", error) }
    self.name = name
    deadlineExpired = DeadlineExpiredError(policy: name, reason: .deadlineExpired)
    self.configuration = configuration
    self.budget = budget
    self.classify = classify
    timers = .on(clock)
    ledger = Lock(Ledger(timing: Timing(configuration.delay)))
    events = Announcer(to: observers)
  }

  /// The budget that a hedge makes for itself.
  static var ownBudget: RetryBudget.Configuration {
    RetryBudget.Configuration(ratio: 0.0125, window: .seconds(10), minimumCapacity: 5)
  }

  /// The hedge in a composition.
  public var layers: [PolicyLayer] {
    let settings = "\(configuration), \(budget.map { "\($0)" } ?? "no budget")"
    return [PolicyLayer(role: .hedge, name: name, settings: settings)]
  }

  /// Runs the operation, and again beside it if it takes long or fails.
  ///
  /// - Parameters:
  ///   - execution: what the operation is told about this attempt; the number of the hedge is this
  ///     policy's.
  ///   - operation: what to run; it may run more than once at a time, and still when the call is over.
  /// - Returns: what the first attempt to succeed returned, with the verdict on it; if none does, what
  ///   the first attempt returned.
  /// - Throws: what the first attempt threw, if none succeeds; `CancellationError` when the caller is
  ///   cancelled; a ``DeadlineExpiredError`` if it was cancelled before, and its deadline has passed.
  public func execute<Success: Sendable>(
    _ execution: Execution,
    concurrently operation: @escaping @Sendable (Execution) async throws -> Graded<Success>
  ) async throws -> Graded<Success> {
    if Task.isCancelled { throw Deadline.hasPassed ? deadlineExpired : CancellationError() }
    let execution = Execution(attempt: execution.attempt)
    return try await run(execution, operation)
  }
}
