public import Resilience

/// What a stack is made for: one process that calls the service, with what its policies need.
///
/// > Important: Policies must be given ``clock`` and a ``seed()``. One that is made on the real clock,
/// > or with chance from the system, ends the trial with a ``SimulationError``: its result would
/// > depend on the machine and not come again.
public final class Client: Sendable {
  /// Which process this is, from 0 on.
  public let number: Int

  /// Before which hop it stands: 0 for those that users call, 1 for the service behind those.
  public let hop: Int

  /// The clock for every policy.
  public let clock: any Clock<Duration>

  /// How long an attempt may take, as the scenario says.
  public let attemptTimeout: Duration

  /// How long a user waits, as the scenario says.
  public let deadline: Duration

  /// How often to try, the first attempt included, as the scenario says.
  public let maxAttempts: Int

  /// What counts trips and failed probes, for the policies whose events are to be in the report: give
  /// it to circuit breakers.
  public let observers: [any ResilienceObserver]

  let ownClock: ClientClock?
  private let dice: Lock<Dice>

  init(
    number: Int, hop: Int, scenario: Scenario, clock: any Clock<Duration>, ownClock: ClientClock?,
    observer: any ResilienceObserver, dice: inout Dice
  ) {
    self.number = number
    self.hop = hop
    self.clock = clock
    self.ownClock = ownClock
    attemptTimeout = scenario.attemptTimeout
    deadline = scenario.deadline
    maxAttempts = scenario.maxAttempts
    observers = [observer]
    self.dice = Lock(Dice(seed: dice.seed()))
  }

  /// A seed for a policy that uses chance; another one each time.
  public func seed() -> UInt64 { dice.withLock { $0.seed() } }
}
