extension Retry {
  /// One call on its way through its attempts.
  @usableFromInline
  struct Course: Sendable {
    /// The number of the attempt that runs, or comes.
    @usableFromInline private(set) var attempt = 1

    /// The wait before it.
    private(set) var delay = Duration.zero

    @usableFromInline
    init() {}

    mutating func advance(after delay: Duration) {
      attempt.increment()
      self.delay = delay
    }
  }

  /// What comes after a failed attempt.
  enum Step: Hashable, Sendable {
    case retry(after: Duration)
    case end(End)
  }

  /// Why a call makes no further attempt.
  enum End: Hashable, Sendable {
    case exhausted
    case stopped
    case deadlineReached
    case budgetRefused
  }
}

extension Retry.Configuration {
  /// What comes after a failed attempt, if the budget allows it.
  ///
  /// - Parameters:
  ///   - course: the call whose attempt has failed.
  ///   - decision: what is to be done about that.
  ///   - remaining: how much time the deadline leaves; `nil` without one.
  func step(
    after course: Retry.Course, _ decision: Retry.Decision, remaining: Duration?,
    using random: inout some RandomNumberGenerator
  ) -> Retry.Step {
    guard case .retry(let hint) = decision.kind else { return .end(.stopped) }
    guard course.attempt < maxAttempts else { return .end(.exhausted) }
    let drawn = backoff.delay(
      beforeAttempt: course.attempt + 1, previous: course.delay, using: &random)
    let delay = max(drawn, min(hint ?? .zero, hintCap))
    // An attempt that began at the deadline would have no time.
    if let remaining, delay >= remaining { return .end(.deadlineReached) }
    return .retry(after: delay)
  }
}
