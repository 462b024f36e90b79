/// What an exploration of schedules has found: a schedule under which the program fails, or that the
/// program cannot be explored.
public struct ScheduleError: Error, Sendable {
  /// Why the exploration has ended.
  public enum Reason: Sendable {
    /// The program threw this, or could not end: a ``VirtualTimeError``.
    case failed(any Error)
    /// There are more schedules than so many.
    case limit(Int)
    /// Something outside the loop made a task on it ready, so often: the schedule is not the
    /// program's alone, and would not be repeated.
    case foreignEnqueues(Int)
    /// The same choices led to other candidates than before.
    case diverged
  }

  /// Why the exploration has ended.
  public let reason: Reason

  /// The schedule at which it has ended. Given to ``withVirtualTime(_:order:grace:jobLimit:_:)`` it
  /// runs alone.
  public let schedule: VirtualClock.Order

  /// How many schedules the program has passed before that one.
  public let passed: Int

  /// What the program threw, if it did.
  public var failure: (any Error)? {
    if case .failed(let error) = reason { error } else { nil }
  }
}

extension ScheduleError: CustomStringConvertible {
  /// What happened, and how to see it again.
  public var description: String {
    switch reason {
    case .failed(let error):
      """
      A schedule fails, after \(passed) that pass: \(error)
        Replay it alone: withVirtualTime(order: \(schedule)) { clock in … }
      """
    case .limit(let limit):
      """
      There are more than \(limit) schedules, and those that were not reached are not known to pass.
        Raise the limit, make the program smaller, or draw schedules: \
      exploreSchedules(seeds: 0..<1_000)
      """
    case .foreignEnqueues(let count):
      """
      Not deterministic: made ready from outside the loop \(count) times, under \(schedule).
        Something leaves the loop: Task { } without clock.executor, Task.detached, the main actor, a \
      real sleep, or another thread.
      """
    case .diverged:
      """
      Not deterministic: replayed, the choices \(schedule) no longer fit.
        The body keeps state between runs, draws unseeded random numbers, iterates over a Set or a \
      Dictionary, or leaves the loop.
      """
    }
  }
}
