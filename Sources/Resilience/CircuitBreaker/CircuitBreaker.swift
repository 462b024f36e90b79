/// Stops calling what keeps failing, and finds out by itself when it works again.
///
/// A closed circuit lets calls pass and watches their outcomes. When the ``TripCondition`` holds,
/// it opens: calls are refused at once with a ``CircuitOpenError``, which spares the caller the
/// wait and the dependency the load. After a while it is half-open and lets a few calls pass as
/// probes; when they succeed it closes, when one fails it opens again.
///
/// ```swift
/// let breaker = CircuitBreaker("user-service")
///
/// let user = try await breaker.run {
///   try await users.find(id)
/// } fallback: { error in
///   cache[id]
/// }
/// ```
///
/// One breaker stands for one dependency: make it once and share it. By default the circuit opens
/// after 6 failures in a row that lasted at least 3 s, or at 80 % failures of at least 40 calls in
/// the last 10 s; it stays open for 0.5 s, growing by a fifth up to 2 s; one good probe closes it,
/// on probation for 2 s.
///
/// A call that its caller cancelled, or that a policy inside refused, counts as neither success
/// nor failure. The operation runs where the caller is, and what it throws passes through as it
/// is.
///
/// It learns from calls that end. With `hungAfter`, calls that do not are evidence as well: a
/// dependency that only hangs then opens the circuit long before the calls to it time out.
///
/// Cost: a healthy call takes no lock and allocates nothing, but for the first call after a bucket
/// or an interval of the window has ended, which takes the lock. It reads the clock not at all over
/// ``Window/sinceTransition``, once over ``Window/rolling(_:buckets:)``, twice over
/// ``Window/interval(_:)`` and wherever a call is timed: for `lasting:`, slow calls and observers.
/// Over ``Window/calls(_:)``, with `hungAfter`, with observers, on probation, and in the states
/// that a person sets, disabled among them, every call takes the lock, and reads the clock twice.
public final class CircuitBreaker: ResiliencePolicy {
  /// The name of the dependency, for errors and events.
  public let name: String

  let rules: Rules
  let source: TimeSource
  let classify: (@Sendable (any Error) -> Outcome?)?
  let observers: [any ResilienceObserver]

  /// Whether a call's start must be known when it ends, or its arrival is a touch of the window.
  let readsClockAtStart: Bool

  /// Whether a success must know the time.
  let readsClockAtSuccess: Bool

  /// Whether a healthy circuit's calls may be counted without the lock.
  let countsOutside: Bool

  let hot = HotCounters()
  let shared: Lock<Shared>

  /// A circuit breaker with settings given one by one.
  ///
  /// Settings that cannot work stop the program, in debug and release, with a message that names
  /// the parameter, the value and the allowed range.
  ///
  /// - Parameters:
  ///   - name: the name of the dependency, for errors and events.
  ///   - tripping: when a closed circuit opens; by default at 6 failures in a row lasting at
  ///     least 3 s, or at 80 % failures of at least 40 calls.
  ///   - window: which outcomes it decides by; the last 10 s in 10 buckets by default.
  ///   - hungAfter: calls in flight for longer are evidence against the dependency; see
  ///     ``Configuration/hungAfter``. `nil`, which is the default, waits for calls to end.
  ///   - hungCalls: how many of them open the circuit at once, without a success since they
  ///     started; 2 by default.
  ///   - recovery: how it comes back; see ``Recovery``.
  ///   - classify: what an error means; `nil` from it, as without it, means the default
  ///     (``Outcome/init(classifying:)``). Called once for each error, outside any lock, but not
  ///     for calls that their callers cancelled.
  ///   - clock: what time is; `ContinuousClock` by default. On Linux, a breaker without observers
  ///     whose durations are all at least a hundred ticks of the kernel (0.4 s, usually) then
  ///     reads the time of the last tick, which costs a quarter and stands still while the machine
  ///     is suspended. A clock of your own may be read under the breaker's lock: it must not call
  ///     back into the breaker. One that steps back is read as one that stands still.
  ///   - seed: repeats the jitter of the open periods; random by default.
  ///   - observers: who is told what happens. With an observer every call takes a lock.
  public convenience init(
    _ name: String,
    tripping: TripCondition = Configuration().tripping,
    over window: Window = Configuration().window,
    hungAfter: Duration? = nil,
    hungCalls: Int = Configuration().hungCalls,
    recovery: Recovery = Recovery(),
    classify: (@Sendable (any Error) -> Outcome?)? = nil,
    clock: any Clock<Duration> = ContinuousClock(),
    seed: UInt64? = nil,
    observers: [any ResilienceObserver] = []
  ) {
    self.init(
      name,
      configuration: Configuration(
        tripping: tripping, over: window, hungAfter: hungAfter, hungCalls: hungCalls,
        recovery: recovery),
      classify: classify, clock: clock, seed: seed, observers: observers)
  }

  /// A circuit breaker with settings in one value.
  ///
  /// Settings that cannot work stop the program; check those that arrive at run time with
  /// ``Configuration/validate()`` before.
  ///
  /// - Parameters:
  ///   - name: the name of the dependency, for errors and events.
  ///   - configuration: the settings.
  ///   - classify: what an error means; `nil` from it, as without it, means the default. As in the
  ///     other initializer.
  ///   - clock: what time is; `ContinuousClock` by default. As in the other initializer: one of
  ///     your own may be read under the breaker's lock.
  ///   - seed: repeats the jitter of the open periods; random by default.
  ///   - observers: who is told what happens. With an observer every call takes a lock.
  public init(
    _ name: String,
    configuration: Configuration,
    classify: (@Sendable (any Error) -> Outcome?)? = nil,
    clock: any Clock<Duration> = ContinuousClock(),
    seed: UInt64? = nil,
    observers: [any ResilienceObserver] = []
  ) {
    do { try configuration.validate() } catch {
      stop(misconfigured: "CircuitBreaker \"\(name)\"", error)
    }
    self.name = name
    self.classify = classify
    self.observers = observers
    rules = Rules(configuration)
    // Observers are told how long calls took; the coarse clock would round that.
    source = TimeSource(clock, shortest: observers.isEmpty ? rules.shortestDuration : 0)

    let kind = configuration.window.kind
    let isInterval = if case .interval = kind { true } else { false }
    let isRolling = if case .rolling = kind { true } else { false }
    let isOfCalls = if case .calls = kind { true } else { false }
    let timesCalls = rules.slowerThan != nil || !observers.isEmpty
    readsClockAtStart = timesCalls || isInterval || rules.tripping.needsStart
    readsClockAtSuccess = timesCalls || isInterval || isRolling
    countsOutside = observers.isEmpty && !isOfCalls && rules.hungAfter == nil

    let core = Core(rules, seed: seed, at: source.now())
    shared = Lock(Shared(core: core, tellsCalls: !observers.isEmpty))
    if countsOutside {
      hot.setTime(boundary: core.window.boundary, clockOffset: 0, latest: core.latest)
      hot.open(core.generation)
    }
  }

  deinit {
    // Nobody touches the breaker any more: what earlier turns have left is delivered now.
    deliver(atMost: .max)
    for subscriber in shared.withLock({ $0.subscribers }) { subscriber.finish() }
  }

  /// Runs the operation if the circuit lets it pass.
  ///
  /// - Parameters:
  ///   - execution: what the operation is told about this attempt.
  ///   - operation: what to run.
  /// - Returns: what the operation returned, with the verdict on it.
  /// - Throws: what the operation throws, as it is; or a ``CircuitOpenError``, in which case it
  ///   did not run.
  @inlinable
  public func execute<Success: ~Copyable>(
    _ execution: Execution,
    _ operation: (Execution) async throws -> Graded<Success>
  ) async throws -> Graded<Success> {
    let admission = try admit()
    do {
      let graded = try await operation(execution)
      record(graded.outcome, of: admission)
      return graded
    } catch {
      record(error, of: admission)
      throw error
    }
  }
}
