import Synchronization

/// Makes calls fail on purpose: with errors, late, with other results, or not at all.
///
/// Put it innermost, where the dependency is, and everything outside has to cope:
///
/// ```swift
/// let faults = FaultInjection([
///   .latency(.milliseconds(200), rate: 0.5),
///   .error(rate: 0.1) { Unavailable() },
/// ])
/// ```
///
/// Each ``Fault`` is drawn for by itself, in order: latencies add up, and the first error, result or
/// hang ends the call in place of its operation. The draws come from a generator of the policy's own;
/// with a seed, the same calls in the same order meet the same faults.
///
/// It can be switched on and off, and given other faults, while the program runs. Calls that hang go
/// on to their operations when it is switched off; a latency that has begun is waited for.
///
/// For tests there is ``failingEachCall(with:upTo:_:)``, which leaves nothing to chance.
///
/// Cost: disabled, a relaxed load. Enabled, a lock, and a draw for each fault that has a rate.
public final class FaultInjection: ResiliencePolicy {
  /// The name, for events and descriptions.
  public let name: String

  let clock: WaitingClock
  let shared: Lock<Shared>
  let events: Announcer<Event>

  /// Written under the lock. Relaxed: it guards no other memory.
  let enabled: Atomic<Bool>

  /// A fault injection with a name of its own.
  ///
  /// Faults that cannot be stop the program, in debug and release, with a message that names the
  /// parameter, the value and the allowed range.
  ///
  /// - Parameters:
  ///   - name: for events and descriptions.
  ///   - faults: what is injected, in this order.
  ///   - isEnabled: whether it is switched on; it is by default.
  ///   - clock: what latencies are measured on; `ContinuousClock` by default.
  ///   - seed: repeats the draws; random by default.
  ///   - observers: who is told what happens.
  public convenience init(
    _ name: String,
    _ faults: [Fault],
    isEnabled: Bool = true,
    clock: any Clock<Duration> = ContinuousClock(),
    seed: UInt64? = nil,
    observers: [any ResilienceObserver] = []
  ) {
    self.init(
      name, configuration: Configuration(faults, isEnabled: isEnabled), clock: clock, seed: seed,
      observers: observers)
  }

  /// A fault injection with the name `fault-injection`.
  ///
  /// - Parameters:
  ///   - faults: what is injected, in this order.
  ///   - isEnabled: whether it is switched on; it is by default.
  ///   - clock: what latencies are measured on; `ContinuousClock` by default.
  ///   - seed: repeats the draws; random by default.
  ///   - observers: who is told what happens.
  public convenience init(
    _ faults: [Fault],
    isEnabled: Bool = true,
    clock: any Clock<Duration> = ContinuousClock(),
    seed: UInt64? = nil,
    observers: [any ResilienceObserver] = []
  ) {
    self.init(
      configuration: Configuration(faults, isEnabled: isEnabled), clock: clock, seed: seed,
      observers: observers)
  }

  /// A fault injection with settings in one value.
  ///
  /// Settings that cannot work stop the program; check those that arrive at run time with
  /// ``Configuration/validate()`` before.
  ///
  /// - Parameters:
  ///   - name: for events and descriptions.
  ///   - configuration: the settings.
  ///   - clock: what latencies are measured on; `ContinuousClock` by default.
  ///   - seed: repeats the draws; random by default.
  ///   - observers: who is told what happens.
  public init(
    _ name: String = "fault-injection",
    configuration: Configuration,
    clock: any Clock<Duration> = ContinuousClock(),
    seed: UInt64? = nil,
    observers: [any ResilienceObserver] = []
  ) {
    configuration.stopIfInvalid(of: name)
    self.name = name
    self.clock = WaitingClock(clock)
    shared = Lock(Shared(core: Core(configuration.faults, seed: seed)))
    events = Announcer(to: observers)
    enabled = Atomic(configuration.isEnabled)
  }

  /// Runs the operation, unless a fault comes in its place.
  ///
  /// - Parameters:
  ///   - execution: what the operation is told about this attempt.
  ///   - operation: what to run.
  /// - Returns: what the operation returned, with the verdict on it; or an injected result.
  /// - Throws: what the operation throws, as it is; an injected error; or `CancellationError` if the
  ///   caller was cancelled during a latency or a hang, in which case the operation did not run.
  @inlinable
  public func execute<Success: ~Copyable>(
    _ execution: Execution,
    _ operation: (Execution) async throws -> Graded<Success>
  ) async throws -> Graded<Success> {
    if isEnabled, let plan = plan(for: Success.self) {
      if let graded = try await carryOut(plan, for: Success.self) { return graded }
      // The call has waited. On 6.3.1 the caller's actor is lost between an await and the call of a
      // closure if nothing synchronous happens between them.
      try Task.checkCancellation()
    }
    return try await operation(execution)
  }
}
