/// ``withVirtualTime(_:order:grace:jobLimit:_:)`` gave up on its body, and what it knows about it.
public struct VirtualTimeError: Error, Hashable, Sendable {
  /// Why it gave up.
  public enum Reason: Hashable, Sendable {
    /// The body has not ended, but nothing is ready, the time may not pass or no timer is set, and
    /// nothing came from outside the loop within the grace.
    case deadlock
    /// The body has not ended after so many jobs: something repeats for ever.
    case jobLimit
    /// The choices of ``VirtualClock/Order/replaying(_:)`` are not those of this program.
    case diverged
  }

  /// Why it gave up.
  public let reason: Reason
  /// The virtual time.
  public let now: VirtualClock.Instant
  /// Until when the sleepers on the clock sleep, earliest first.
  public let sleepers: [VirtualClock.Instant]
  /// How many jobs (stretches of a task between two suspensions) the loop has run.
  public let jobs: Int
  /// How often something outside the loop made a task on it ready.
  public let foreignEnqueues: Int
}

extension VirtualTimeError: CustomStringConvertible {
  /// What happened, what is known, and what usually causes it.
  public var description: String {
    """
    \(summary)
      now: \(now) after the start; jobs run: \(jobs); \
    made ready from outside the loop: \(foreignEnqueues)
      sleepers: \(sleeperList)
      \(hint)
    """
  }

  private var summary: String {
    switch reason {
    case .deadlock where sleepers.isEmpty:
      "Deadlock in virtual time: the body has not ended, nothing is ready, and no timer is set."
    case .deadlock:
      "Deadlock in virtual time: the body has not ended, nothing is ready, and nobody advances "
        + "the clock."
    case .jobLimit:
      "No end in virtual time: the body has not ended within the job limit."
    case .diverged:
      "The choices to be replayed are not those of this program."
    }
  }

  private var sleeperList: String {
    if sleepers.isEmpty { return "none" }
    let shown = sleepers.prefix(8).map { "until \($0)" }.joined(separator: ", ")
    let hidden = sleepers.count - 8
    return "\(sleepers.count) (\(shown)\(hidden > 0 ? ", and \(hidden) more" : ""))"
  }

  private var hint: String {
    switch reason {
    case .deadlock where sleepers.isEmpty:
      """
      Either a continuation is never resumed, or the body awaits something outside the loop: \
      Task { }, Task.detached, Task.immediate after its first suspension, an actor with an \
      executor of its own, the main actor, a real sleep, or another thread.
      """
    case .deadlock:
      """
      Under .manually only an advance moves the clock: call it from a task that is not itself \
      waiting, or let the time pass .automatically.
      """
    case .jobLimit:
      """
      Something repeats without end, such as a loop that yields or sleeps until something that \
      never happens. Raise jobLimit if the test is that long.
      """
    case .diverged:
      """
      Either it has been changed since they were recorded, or it is not deterministic: it keeps \
      state between runs, draws unseeded random numbers, iterates over a Set or a Dictionary, or \
      leaves the loop.
      """
    }
  }
}
