extension Retry {
  /// One call on its way through its attempts.
  @usableFromInline
  struct Course: Sendable {
    /// The number of the attempt that runs, or comes.
    ///
    /// Inside another retry's attempt it is the number of that one.
    @usableFromInline private(set) var attempt: Int

    /// The wait before it.
    private(set) var pause = Pause()

    /// Whether it runs inside an attempt.
    let isInside: Bool

    /// Whether it runs inside another retry's attempt, which repeats it.
    let isNested: Bool

    /// Whether its success is counted in the budget by an attempt around it.
    let isCountedOutside: Bool

    init(attempt: Int, isInside: Bool, isNested: Bool, isCountedOutside: Bool) {
      self.attempt = attempt
      self.isInside = isInside
      self.isNested = isNested
      self.isCountedOutside = isCountedOutside
    }

    mutating func advance(after pause: Pause) {
      attempt.increment()
      self.pause = pause
    }
  }

  /// The wait before an attempt.
  struct Pause: Hashable, Sendable {
    /// What the backoff drew; the next is drawn with it. What a server asked for once says nothing
    /// about the waits that follow.
    var drawn = Duration.zero

    /// How long it is, in whole nanoseconds: what the backoff drew, or a hint.
    var length = Duration.zero
  }

  /// What comes after a failed attempt.
  enum Step: Hashable, Sendable {
    case retry(after: Pause)
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
  /// What comes after a failed attempt, if the budget allows it. The first that stands in the way
  /// decides: the decision, the number of attempts, the deadline; and then, elsewhere, the budget.
  ///
  /// - Parameters:
  ///   - course: the call whose attempt has failed.
  ///   - decision: what is to be done about that.
  ///   - remaining: how much time the deadline leaves; `nil` without one.
  ///   - chance: what the backoff draws from.
  func step(
    after course: Retry.Course, _ decision: Retry.Decision,
    remaining: @autoclosure () -> Duration?, chance: @autoclosure () -> SplitMix64
  ) -> Retry.Step {
    guard case .retry(let hint) = decision.kind else { return .end(.stopped) }
    guard course.attempt < maxAttempts else { return .end(.exhausted) }
    var random = chance()
    let drawn = backoff.delay(
      beforeAttempt: course.attempt + 1, previous: course.pause.drawn, using: &random)
    let length = max(drawn, min(hint ?? .zero, hintCap)).nanosecondsRoundedUp
    let pause = Retry.Pause(drawn: drawn, length: .nanoseconds(length))
    // An attempt that began at the deadline would have no time.
    if let remaining = remaining(), pause.length >= remaining { return .end(.deadlineReached) }
    return .retry(after: pause)
  }
}
