/// Lets so many calls start in a time, and a burst of so many at once.
///
/// A bucket of tokens: it holds at most `burst` of them and is full at the start, tokens come one by
/// one at the `rate`, and each call takes one. Whatever happens, no more are given out in any time
/// than the burst and what came in that time: after a year of idling, after a pause, at a change of
/// the rate, and when the clock steps, also backwards.
///
/// ```swift
/// let limiter = RateLimiter("user-service", .perSecond(100), burst: 20)
///
/// let user = try await limiter.run { try await users.find(id) }
/// ```
///
/// Without token a call is refused with a ``RateLimitedError``, or waits for up to `maxWait`. Those who
/// wait are served in the order in which they came, before anybody who comes later. Whether the wait
/// fits `maxWait`, and ``Deadline/current``, is known when the call comes: if not, it is refused at
/// once, and told when to come back. A deadline bounds waits only: a call that finds its tokens does
/// not read it. One who is cancelled while he waits has taken nothing, and those behind him move up.
///
/// When the service says that it has had enough, ``pause(for:)`` stops all callers, and lets them out
/// at the rate. Calls of one client must use one limiter: keep it, or have one for each key with
/// ``Keyed``. It leaves such a collection only when its bucket is full.
///
/// Cost: a reading of the clock and an atomic exchange for a call that finds its tokens, without lock
/// or allocation. All others take a lock.
public final class RateLimiter: ResiliencePolicy {
  /// The name, for errors, events and descriptions.
  public let name: String

  /// How long a call waits for its tokens, unless it says so itself.
  public var maxWait: Duration { configuration.maxWait }

  /// What it was made with. ``setRate(_:burst:)`` may have changed rate and burst.
  let configuration: Configuration

  let source: TimeSource
  let timers: Timers
  let meter: Meter
  let state: Lock<State>
  let events: Announcer<Event>

  /// A limiter with settings given one by one.
  ///
  /// Settings that cannot work stop the program, in debug and release, with a message that names
  /// the parameter, the value and the allowed range.
  ///
  /// - Parameters:
  ///   - name: for errors, events and descriptions.
  ///   - rate: how many tokens come in how much time; counted exactly, at most one in a nanosecond.
  ///   - burst: the most tokens there can be, and those at the start; at least 1, which is the
  ///     default: calls at equal distances. All must come within 292 years.
  ///   - maxWait: how long a call waits for its tokens; zero by default: it is refused instead.
  ///   - clock: what time is; `ContinuousClock` by default. A clock of your own is read under the
  ///     limiter's lock: it must not call back into the limiter.
  ///   - observers: who is told what happens.
  public convenience init(
    _ name: String, _ rate: Rate, burst: Int = 1, maxWait: Duration = .zero,
    clock: any Clock<Duration> = ContinuousClock(), observers: [any ResilienceObserver] = []
  ) {
    self.init(
      name, configuration: Configuration(rate, burst: burst, maxWait: maxWait), clock: clock,
      observers: observers)
  }

  /// A limiter by the name of `rate-limiter`, with settings given one by one, as above.
  public convenience init(
    _ rate: Rate, burst: Int = 1, maxWait: Duration = .zero,
    clock: any Clock<Duration> = ContinuousClock(), observers: [any ResilienceObserver] = []
  ) {
    self.init(
      configuration: Configuration(rate, burst: burst, maxWait: maxWait), clock: clock,
      observers: observers)
  }

  /// A limiter with settings in one value.
  ///
  /// Settings that cannot work stop the program; check those that arrive at run time with
  /// ``Configuration/validate()`` before.
  ///
  /// - Parameters:
  ///   - name: for errors, events and descriptions.
  ///   - configuration: the settings.
  ///   - clock: what time is; as in the other initializer.
  ///   - observers: who is told what happens.
  public init(
    _ name: String = "rate-limiter", configuration: Configuration,
    clock: any Clock<Duration> = ContinuousClock(), observers: [any ResilienceObserver] = []
  ) {
    Self.check(configuration, of: name)
    self.name = name
    self.configuration = configuration
    timers = .on(clock)
    source = timers.source
    let pace = Pace(configuration.rate, burst: configuration.burst)
    let bucket = Bucket(pace, at: source.now())
    meter = Meter(bucket)
    state = Lock(State(bucket, configuration, Refusals(by: name, source)))
    events = Announcer(to: observers)
  }

  static func check(_ configuration: Configuration, of name: String) {
    do { try configuration.validate() } catch {
      stop(misconfigured: "RateLimiter \"\(name)\"", error)
    }
  }

  /// How many tokens come in how much time.
  public var rate: Rate { state.withLock { $0.settings.rate } }

  /// The most tokens there can be.
  public var burst: Int { state.withLock { $0.settings.burst } }

  /// The limiter in a composition.
  public var layers: [PolicyLayer] {
    [PolicyLayer(role: .rateLimiter, name: name, settings: "\(state.withLock { $0.settings })")]
  }
}

// MARK: - Calling

extension RateLimiter {
  /// Runs the operation where the caller is, when there is a token for it.
  ///
  /// - Parameters:
  ///   - execution: what the operation is told about this attempt.
  ///   - operation: what to run.
  /// - Returns: what the operation returned, with the verdict on it.
  /// - Throws: a ``RateLimitedError``, or `CancellationError` if the caller is cancelled before it has
  ///   its token, in which cases the operation did not run; otherwise what the operation throws. One
  ///   that its deadline has cancelled is refused.
  @inlinable
  public func execute<Success: ~Copyable>(
    _ execution: Execution,
    _ operation: (Execution) async throws -> Graded<Success>
  ) async throws -> Graded<Success> {
    if Task.isCancelled { throw renounce() }
    if !takesAtOnce(1), let ticket = try enter(1, maxWait: maxWait) {
      let grant = try await wait(for: ticket)
      // On Swift 6.3.1 the operation would run elsewhere without a synchronous call after the wait.
      if Task.isCancelled { throw renounce(grant) }
      countWait(of: ticket)
    }
    return try await operation(execution)
  }

  /// Takes tokens, if they are there and nobody waits for them.
  ///
  /// - Parameter tokens: how many; less than 1 counts as 1.
  /// - Returns: whether the call may be made.
  public func tryAcquire(_ tokens: Int = 1) -> Bool {
    let tokens = max(1, tokens)
    switch meter.take(tokens, source) {
    case .granted:
      return true
    case .refused:
      meter.countRefused()
      tell(.rejected(.noTokens))
      return false
    case .unclear:
      return takeUnderLock(tokens)
    }
  }

  /// Takes tokens, and waits for them if they are not there.
  ///
  /// A task that is cancelled already takes nothing. What was granted to one that is cancelled at the
  /// same moment is given back, unless somebody has been granted something since.
  ///
  /// - Parameters:
  ///   - tokens: how many; less than 1 counts as 1.
  ///   - maxWait: how long to wait; if `nil`, as long as the limiter's calls do.
  /// - Throws: a ``RateLimitedError``, also where a deadline has cancelled the caller; otherwise
  ///   `CancellationError` as soon as the caller is cancelled.
  public func acquire(_ tokens: Int = 1, maxWait: Duration? = nil) async throws {
    if Task.isCancelled { throw renounce() }
    let tokens = max(1, tokens)
    guard !takesAtOnce(tokens), let ticket = try enter(tokens, maxWait: maxWait ?? self.maxWait)
    else { return }
    let grant = try await wait(for: ticket)
    if Task.isCancelled { throw renounce(grant) }
    countWait(of: ticket)
  }
}
