/// Bounds how many calls are in flight, and finds the bound by itself.
///
/// A dependency does so many calls at a time; more of them only wait there, until all of them are
/// too late. How many that is depends on its size, its load and the day, so the limit is found by
/// feedback: up while calls are answered, down where they meet overload. There is no queue: a call
/// beyond the limit is refused at once with a ``LimitReachedError``.
///
/// ```swift
/// let limiter = AdaptiveLimiter("user-service")
///
/// let user = try await limiter.run {
///   try await users.find(id)
/// } fallback: { error in
///   cache[id]
/// }
/// ```
///
/// One limiter stands for one dependency: make it once and share it. By default
/// (``Algorithm/aimd(initial:maximum:backoff:cooldown:)``) the limit starts at 4, grows by one for
/// each round of successes that uses at least half of it, up to 200, and goes down to 0.7 of itself
/// where a call meets overload, at most once in 100 ms; never below 1. So it needs something that
/// says when an answer is too late: put a ``Timeout`` inside, or a ``Deadline`` outside.
///
/// A call meets overload if it throws
/// - a ``TimeoutError``,
/// - any error once ``Deadline/current`` has passed,
/// - a ``RetryAfterHint`` that says when to come back and is no ``RejectionError``: what a client
///   makes of a 429 or 503 with a `Retry-After` header;
///
/// or what `overloaded:` says. Other errors, results that count as failures, and calls that their
/// callers cancelled change no limit.
///
/// When the limit is near, the least critical calls are refused first: of the limit a quarter is
/// kept free for each higher level of ``Criticality`` that has called within the last 10 s, but 1
/// may be used by each. So sheddable calls use half of it while normal and critical ones come, and
/// all of it at night.
///
/// The operation runs where the caller is, and what it throws passes through as it is.
///
/// Cost: two locks, two clock reads, no allocation; a refusal one of each.
public final class AdaptiveLimiter: ResiliencePolicy {
  /// The name of the dependency, for errors and events.
  public let name: String

  /// What the lock guards.
  struct Shared: Sendable {
    var core: Core
    var time: SteadyTime

    mutating func now(_ source: TimeSource) -> Int64 { time.now(at: source.now()) }
  }

  let overloaded: (@Sendable (any Error) -> Bool)?
  let shared: Lock<Shared>
  let configuration: Configuration
  private let source: TimeSource
  private let events: Announcer<Event>

  // Built once, so that refusing allocates nothing.
  private let limitReached: any Error
  private let shed: any Error

  /// An adaptive limiter with settings given one by one.
  ///
  /// Settings that cannot work stop the program, in debug and release, with a message that names
  /// the parameter, the value and the allowed range.
  ///
  /// - Parameters:
  ///   - name: the name of the dependency, for errors and events.
  ///   - algorithm: how the limit is found, and in which bounds.
  ///   - overloaded: whether an error says that the dependency has too much to do; without it, as
  ///     ``AdaptiveLimiter`` says. Asked once for each error, outside any lock, but not for calls
  ///     that their callers cancelled.
  ///   - clock: what time is; `ContinuousClock` by default. A clock of your own is read under the
  ///     limiter's lock: it must not call back into the limiter. One that steps back is read as one
  ///     that stands still.
  ///   - observers: who is told what happens.
  public convenience init(
    _ name: String = "adaptive-limiter",
    algorithm: Algorithm = .aimd(),
    overloaded: (@Sendable (any Error) -> Bool)? = nil,
    clock: any Clock<Duration> = ContinuousClock(),
    observers: [any ResilienceObserver] = []
  ) {
    self.init(
      name, configuration: Configuration(algorithm: algorithm), overloaded: overloaded,
      clock: clock, observers: observers)
  }

  /// An adaptive limiter with settings in one value.
  ///
  /// Settings that cannot work stop the program; check those that arrive at run time with
  /// ``Configuration/validate()`` before.
  ///
  /// - Parameters:
  ///   - name: the name of the dependency, for errors and events.
  ///   - configuration: the settings.
  ///   - overloaded: whether an error says that the dependency has too much to do. As in the other
  ///     initializer.
  ///   - clock: what time is; as in the other initializer.
  ///   - observers: who is told what happens.
  public init(
    _ name: String = "adaptive-limiter",
    configuration: Configuration,
    overloaded: (@Sendable (any Error) -> Bool)? = nil,
    clock: any Clock<Duration> = ContinuousClock(),
    observers: [any ResilienceObserver] = []
  ) {
    do { try configuration.validate() } catch {
      stop(misconfigured: "AdaptiveLimiter \"\(name)\"", error)
    }
    self.name = name
    self.configuration = configuration
    self.overloaded = overloaded
    source = TimeSource(clock)
    events = Announcer(to: observers)
    limitReached = LimitReachedError(policy: name, .limitReached)
    shed = LimitReachedError(policy: name, .shed)
    let time = SteadyTime(beginningAt: source.now())
    shared = Lock(Shared(core: Core(configuration.algorithm, at: time.latest), time: time))
  }

  /// The limiter in a composition.
  public var layers: [PolicyLayer] {
    [PolicyLayer(role: .adaptiveLimiter, name: name, settings: "\(configuration)")]
  }

  /// Runs the operation if fewer calls are in flight than may be.
  ///
  /// - Parameters:
  ///   - execution: what the operation is told about this attempt.
  ///   - operation: what to run.
  /// - Returns: what the operation returned, with the verdict on it.
  /// - Throws: what the operation throws, as it is; or a ``LimitReachedError``, in which case it
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

// MARK: - The calls of run and of permits

extension AdaptiveLimiter {
  /// A call in flight, until it ends: a trivial value, so that carrying it through a call costs no
  /// reference count.
  @usableFromInline
  struct Admission: Sendable {
    /// When it started, in the limiter's own time.
    let start: Int64
  }

  enum Decision: Sendable {
    case admitted(Admission)
    case refused(LimitReachedError.Reason)
  }

  @usableFromInline
  func admit() throws -> Admission {
    switch decide() {
    case .admitted(let admission): return admission
    case .refused(let reason): throw reason == .shed ? shed : limitReached
    }
  }

  @usableFromInline
  func record(_ outcome: Outcome, of admission: Admission) {
    end(admission, Ending(outcome), nil)
  }

  @usableFromInline
  func record(_ error: any Error, of admission: Admission) {
    end(admission, ending(of: error, in: admission), error)
  }

  func ending(of error: any Error, in admission: Admission) -> Ending {
    Ending(
      throwing: error,
      after: shared.withLock { $0.now(source) }.subtractingSaturated(admission.start),
      overloaded: overloaded)
  }

  func decide() -> Decision {
    let criticality = Criticality.current
    let decision = shared.withLock { shared -> Decision in
      let now = shared.now(source)
      guard let reason = shared.core.admit(criticality, at: now) else {
        return .admitted(Admission(start: now))
      }
      return .refused(reason)
    }
    if case .refused(let reason) = decision { events.announce(event(.rejected(reason))) }
    return decision
  }

  /// The only way for a call in flight to end.
  func end(_ admission: Admission, _ ending: Ending, _ error: (any Error)?) {
    shared.withLock { shared in
      let now = shared.now(source)
      let change = shared.core.end(ending, startedAt: admission.start, at: now)
      // Under the lock, so that changes are told in their order.
      if ending == .overload { events.prepare(event(.overloaded(error: error))) }
      if let change { events.prepare(event(.limitChanged(from: change.from, to: change.to))) }
    }
    events.deliver()
  }

  private func event(_ kind: Event.Kind) -> Event { Event(policy: name, kind: kind) }
}
