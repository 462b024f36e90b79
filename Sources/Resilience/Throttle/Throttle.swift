/// Refuses a share of the calls of a dependency that does not keep up with them.
///
/// It compares how many calls were asked for with how many succeeded, in the last 10 s, and refuses
/// with the probability
///
///     p = max(0, (requests − multiplier × accepts) / (requests + 1))
///
/// So a dependency that answers half of its calls or more is left alone, and one that answers few is
/// asked little more than it can answer. Unlike a ``CircuitBreaker`` it never refuses all: at most 90 %,
/// so some calls always find out whether it is better.
///
/// ```swift
/// let throttle = Throttle("user-service")
///
/// let user = try await throttle.run {
///   try await users.find(id)
/// }
/// ```
///
/// - Requests: the calls that succeeded, failed, or were refused here, in the window; and those in
///   flight, each counted by the share of the recent answers that were failures.
/// - Accepts: the calls that succeeded in the window. A call counts when it ends.
/// - The least critical calls are refused first: see ``Criticality``.
/// - A call that its caller cancelled, or that a policy inside refused, counts as neither.
///
/// Source: Beyer, Jones, Petoff, Murphy (ed.), "Site Reliability Engineering", 2016, chapter 21,
/// "Client-Side Throttling".
///
/// Cost: a call takes a lock and reads the clock twice, and allocates nothing; nor does a refusal.
public final class Throttle: ResiliencePolicy {
  /// The name of the dependency, for errors and events.
  public let name: String

  let configuration: Configuration
  let classify: (@Sendable (any Error) -> Outcome?)?
  let source: TimeSource
  let shared: Lock<Shared>
  let events: Announcer<Event>

  /// What every refusal throws: nothing in it differs.
  let rejection: any Error

  struct Shared: Sendable {
    var core: Core
    var random: SplitMix64
  }

  /// A throttle with settings given one by one.
  ///
  /// Settings that cannot work stop the program, in debug and release, with a message that names
  /// the parameter, the value and the allowed range.
  ///
  /// - Parameters:
  ///   - name: the name of the dependency, for errors and events.
  ///   - multiplier: how many calls may be asked for where one succeeds; at least 1, 2 by default.
  ///     Near 1 it spares a dependency to which failing is expensive.
  ///   - window: how long calls are remembered, in tenths; at least 10 ns, 10 s by default.
  ///   - maxRejection: the largest share that is refused, of each criticality; above 0, at most 1,
  ///     0.9 by default. Without a limit, at 1, it may take minutes until a dependency that is well
  ///     again is asked.
  ///   - classify: what an error means; `nil` from it, as without it, means the default
  ///     (``Outcome/init(classifying:)``). Called once for each error, outside any lock, but not
  ///     for calls that their callers cancelled.
  ///   - clock: what time is; `ContinuousClock` by default. A clock of your own is read under the
  ///     throttle's lock: it must not call back into it. One that steps back is read as one that
  ///     stands still.
  ///   - seed: repeats the draws; random by default.
  ///   - observers: who is told what happens.
  public convenience init(
    _ name: String = "throttle",
    multiplier: Double = 2,
    window: Duration = .seconds(10),
    maxRejection: Double = 0.9,
    classify: (@Sendable (any Error) -> Outcome?)? = nil,
    clock: any Clock<Duration> = ContinuousClock(),
    seed: UInt64? = nil,
    observers: [any ResilienceObserver] = []
  ) {
    self.init(
      name,
      configuration: Configuration(
        multiplier: multiplier, window: window, maxRejection: maxRejection),
      classify: classify, clock: clock, seed: seed, observers: observers)
  }

  /// A throttle with settings in one value.
  ///
  /// Settings that cannot work stop the program; check those that arrive at run time with
  /// ``Configuration/validate()`` before.
  ///
  /// - Parameters:
  ///   - name: the name of the dependency, for errors and events.
  ///   - configuration: the settings.
  ///   - classify: what an error means; `nil` from it, as without it, means the default.
  ///   - clock: what time is; as in the other initializer.
  ///   - seed: repeats the draws; random by default.
  ///   - observers: who is told what happens.
  public init(
    _ name: String = "throttle",
    configuration: Configuration,
    classify: (@Sendable (any Error) -> Outcome?)? = nil,
    clock: any Clock<Duration> = ContinuousClock(),
    seed: UInt64? = nil,
    observers: [any ResilienceObserver] = []
  ) {
    do { try configuration.validate() } catch {
      stop(misconfigured: "Throttle \"\(name)\"", error)
    }
    self.name = name
    self.configuration = configuration
    self.classify = classify
    let bucket = configuration.window.saturatingNanoseconds / Int64(Core.buckets)
    source = TimeSource(clock, shortest: bucket)
    let core = Core(configuration, at: source.now())
    shared = Lock(Shared(core: core, random: SplitMix64(seed: seed)))
    events = Announcer(to: observers)
    rejection = ThrottledError(policy: name)
  }

  /// One layer: its name, and its ``Configuration`` in words.
  public var layers: [PolicyLayer] {
    [PolicyLayer(role: .throttle, name: name, settings: "\(configuration)")]
  }

  /// Runs the operation, or refuses it by chance.
  ///
  /// - Parameters:
  ///   - execution: what the operation is told about this attempt.
  ///   - operation: what to run.
  /// - Returns: what the operation returned, with the verdict on it.
  /// - Throws: what the operation throws, as it is; or a ``ThrottledError``, in which case it did
  ///   not run.
  @inlinable
  public func execute<Success: ~Copyable>(
    _ execution: Execution,
    _ operation: (Execution) async throws -> Graded<Success>
  ) async throws -> Graded<Success> {
    let criticality = try admit()
    do {
      let graded = try await operation(execution)
      record(graded.outcome, of: criticality)
      return graded
    } catch {
      record(error, of: criticality)
      throw error
    }
  }

  /// - Returns: the criticality under which the call is counted until it ends.
  /// - Throws: the ``ThrottledError``.
  @usableFromInline
  func admit() throws -> Criticality {
    let criticality = Criticality.current
    let share = shared.withLock { shared in
      let chance = Double.random(in: 0..<1, using: &shared.random)
      return shared.core.admit(criticality, chance: chance, at: source.now())
    }
    guard let share else { return criticality }
    events.announce(Event(policy: name, kind: .rejected(criticality, share: share)))
    throw rejection
  }

  @usableFromInline
  func record(_ outcome: Outcome, of criticality: Criticality) {
    shared.withLock { $0.core.record(outcome, of: criticality, at: source.now()) }
  }

  @usableFromInline
  func record(_ error: any Error, of criticality: Criticality) {
    let hint = error as? any RetryAfterHint
    record(Outcome(classifying: error, hint: hint, by: classify), of: criticality)
  }
}

extension Throttle: Evictable {
  /// Whether no call is in flight and none would be refused.
  public var isEvictable: Bool {
    reading { $0.inFlight == 0 && $0.rejectionShare == 0 }
  }
}
