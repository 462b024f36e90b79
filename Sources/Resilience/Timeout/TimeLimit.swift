/// How much time a policy gives to each call, and on which clock.
@usableFromInline
struct TimeLimit: Sendable {
  /// What a call gets of it.
  @usableFromInline
  struct Allowance: Sendable {
    /// What the call sees as its deadline.
    @usableFromInline let deadline: Deadline
    /// When its time is over, on the clock of the timers.
    let instant: Int64
    /// How much time it has.
    let limit: Duration
  }

  enum Admission: Sendable {
    case admitted(Allowance)
    case refused(DeadlineExpiredError.Reason)
  }

  let duration: Duration
  let timers: Timers
  private let nanoseconds: Int64

  /// Built once, and kept as they are thrown, so that refusing allocates nothing.
  private let noTime: any Error
  private let deadlineExpired: any Error

  init(_ duration: Duration, of policy: String, clock: any Clock<Duration>) {
    self.duration = duration
    timers = .on(clock)
    // Rounded up, so that no limit above zero becomes zero.
    nanoseconds = duration.nanosecondsRoundedUp
    noTime = DeadlineExpiredError(policy: policy, reason: .noTime)
    deadlineExpired = DeadlineExpiredError(policy: policy, reason: .deadlineExpired)
  }

  /// What a call that begins now gets: the limit, or what the deadline leaves of it.
  ///
  /// The deadline is asked on its own clock.
  func admit() -> Admission {
    guard nanoseconds > 0 else { return .refused(.noTime) }
    if let outer = Deadline.current {
      let remaining = outer.remaining.saturatingNanoseconds
      guard remaining > 0 else { return .refused(.deadlineExpired) }
      if remaining <= nanoseconds {
        // Read after the deadline, so that the timer does not fire before that has passed: policies
        // inside would take the cancellation for the caller's.
        let instant = timers.source.now().addingSaturated(remaining)
        return .admitted(
          Allowance(deadline: outer, instant: instant, limit: .nanoseconds(remaining)))
      }
    }
    let instant = timers.source.now().addingSaturated(nanoseconds)
    let deadline = Deadline(at: instant, on: timers.source)
    return .admitted(Allowance(deadline: deadline, instant: instant, limit: duration))
  }

  func error(for reason: DeadlineExpiredError.Reason) -> any Error {
    reason == .noTime ? noTime : deadlineExpired
  }
}
