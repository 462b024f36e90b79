extension Retry {
  /// What the copies of a retry have in common.
  @usableFromInline
  final class Shared: Sendable {
    private struct State: Sendable {
      var random: SplitMix64
      var totals = Totals()
    }

    let name: String
    let configuration: Configuration
    let budget: RetryBudget?
    private let deciding: (@Sendable (any Error) -> Decision?)?
    private let clock: WaitingClock
    private let state: Lock<State>
    private let events: Announcer<Event>

    init(
      _ name: String, _ configuration: Configuration, budget: RetryBudget?,
      deciding: (@Sendable (any Error) -> Decision?)?, clock: WaitingClock, seed: UInt64?,
      observers: [any ResilienceObserver]
    ) {
      self.name = name
      self.configuration = configuration
      self.budget = budget
      self.deciding = deciding
      self.clock = clock
      state = Lock(State(random: SplitMix64(seed: seed)))
      events = Announcer(to: observers)
    }

    var totals: Totals { state.withLock { $0.totals } }
  }
}

// MARK: - Around an attempt

extension Retry.Shared {
  /// A call that begins now.
  @usableFromInline
  func begin(_ execution: Execution) -> Retry.Course {
    let standing = LiveAttempt.standing(of: budget)
    let isNested = configuration.nesting == .once && standing.isRepeated
    return Retry.Course(
      attempt: isNested ? execution.attempt : 1, isInside: standing.isInside, isNested: isNested,
      isCountedOutside: standing.isCounted)
  }

  /// An attempt of the call. One that stands alone leaves it to retries inside to make more.
  @usableFromInline
  func beginAttempt(_ course: Retry.Course) -> LiveAttempt {
    LiveAttempt(
      countedBy: budget, isRepeated: !course.isNested && configuration.maxAttempts > 1,
      isInside: course.isInside)
  }

  /// A success inside another retry's attempt is counted there, if it is the same budget.
  private func countSuccess(_ course: Retry.Course) {
    if !course.isCountedOutside { budget?.succeed() }
  }

  /// Whether a further attempt follows one that has returned. If so, it has been paid for.
  @usableFromInline
  func mustRepeat(_ course: inout Retry.Course, after outcome: Outcome) -> Bool {
    if course.isNested {
      if outcome == .success { countSuccess(course) }
      return false
    }
    switch outcome {
    case .success:
      succeed(course)
      return false
    case .ignored:
      // Of a policy inside that grades so, if nobody was cancelled.
      if Task.isCancelled { cancel(course, after: course.attempt) } else { ignore(course) }
      return false
    case .failure:
      return prepareNext(&course, .retry, nil)
    }
  }

  /// Returns if a further attempt follows one that has thrown; it has been paid for.
  ///
  /// - Throws: the error, if none follows.
  @usableFromInline
  func prepareNext(_ course: inout Retry.Course, after error: any Error) throws {
    if course.isNested {
      // The retry outside decides; what is an answer here funds the budget here.
      if !Task.isCancelled, deciding?(error) == .accept { countSuccess(course) }
      throw error
    }
    let hint = error as? any RetryAfterHint
    let outcome = Outcome(classifying: error, hint: hint, by: nil)
    if outcome == .ignored, Task.isCancelled {
      cancel(course, after: course.attempt)
      throw error
    }
    let decision = decide(error, outcome, hint)
    if decision == .accept {
      succeed(course)
      throw error
    }
    // Refused inside, or cancelled there: the attempt says nothing, and costs nothing.
    if outcome == .ignored { returnToken(of: course) }
    guard prepareNext(&course, decision, error) else { throw error }
  }

  /// Asks for the hint only where it matters: that of a rejection may read a clock.
  private func decide(
    _ error: any Error, _ outcome: Outcome, _ hint: (any RetryAfterHint)?
  ) -> Retry.Decision {
    if let decision = deciding?(error) ?? (outcome == .failure ? .retry : nil) {
      guard decision == .retry, let retryAfter = hint?.retryAfter else { return decision }
      return .retry(after: retryAfter)
    }
    guard configuration.rejections == .waitForRetryAfter, hint is any RejectionError,
      let retryAfter = hint?.retryAfter, retryAfter <= configuration.hintCap
    else { return .stop }
    return .retry(after: retryAfter)
  }

  private func prepareNext(
    _ course: inout Retry.Course, _ decision: Retry.Decision, _ error: (any Error)?
  ) -> Bool {
    // Chance is split off: a backoff of the user's must not run under the lock.
    var step = configuration.step(
      after: course, decision, remaining: Deadline.current?.remaining,
      chance: state.withLock { $0.random.split() })
    if case .retry = step, let budget, !budget.withdraw() { step = .end(.budgetRefused) }
    record(step, after: course.attempt, error)
    guard case .retry(let pause) = step else { return false }
    course.advance(after: pause)
    return true
  }
}

// MARK: - Around a wait

extension Retry.Shared {
  /// - Throws: `CancellationError` as soon as the caller is cancelled.
  @usableFromInline
  func wait(for course: Retry.Course) async throws {
    guard course.pause.length > .zero else { return }
    do { try await clock.sleep(for: course.pause.length.saturatingNanoseconds) } catch {
      cancel(course, after: course.attempt - 1)
      throw error
    }
  }

  /// The caller was cancelled before the attempt was made.
  @usableFromInline
  func cancelled(before course: Retry.Course) -> CancellationError {
    cancel(course, after: course.attempt - 1)
    return CancellationError()
  }

  /// Whether the deadline has passed meanwhile, though the wait was to end before it: who sleeps
  /// may oversleep, and two clocks need not agree. Then the attempt is not made.
  ///
  /// - Parameter error: what the last attempt threw, if it did.
  @usableFromInline
  func isTooLate(for course: Retry.Course, _ error: (any Error)?) -> Bool {
    guard course.pause.length > .zero, Deadline.hasPassed else { return false }
    returnToken(of: course)
    record(.end(.deadlineReached), after: course.attempt - 1, error)
    return true
  }
}

// MARK: - Counting

extension Retry.Shared {
  /// The attempt was cancelled, or not made: it costs nothing.
  private func cancel(_ course: Retry.Course, after attempts: Int) {
    returnToken(of: course)
    state.withLock { $0.totals.cancelled.increment() }
    tell(.cancelled(attempts: attempts))
  }

  private func succeed(_ course: Retry.Course) {
    countSuccess(course)
    if course.attempt > 1 { recover(course) }
  }

  private func ignore(_ course: Retry.Course) {
    returnToken(of: course)
    record(.end(.stopped), after: course.attempt, nil)
  }

  private func recover(_ course: Retry.Course) {
    returnToken(of: course)
    state.withLock { $0.totals.recovered.increment() }
    tell(.recovered(attempts: course.attempt))
  }

  private func returnToken(of course: Retry.Course) {
    if course.attempt > 1 { budget?.giveBack() }
  }

  private func record(_ step: Retry.Step, after attempts: Int, _ error: (any Error)?) {
    state.withLock { state in
      switch step {
      case .retry: state.totals.retries.increment()
      case .end(.exhausted): state.totals.exhausted.increment()
      case .end(.stopped): state.totals.stopped.increment()
      case .end(.deadlineReached): state.totals.deadlineReached.increment()
      case .end(.budgetRefused): state.totals.budgetRefused.increment()
      }
    }
    tell(.init(step, attempts, error))
  }

  private func tell(_ kind: @autoclosure () -> Retry.Event.Kind) {
    events.announce(Retry.Event(policy: name, kind: kind()))
  }
}

extension Retry.Event.Kind {
  fileprivate init(_ step: Retry.Step, _ attempts: Int, _ error: (any Error)?) {
    self =
      switch step {
      case .retry(let pause): .retrying(attempt: attempts + 1, after: pause.length, error: error)
      case .end(.exhausted): .exhausted(attempts: attempts, error: error)
      case .end(.stopped): .stopped(attempts: attempts, error: error)
      case .end(.deadlineReached): .deadlineReached(attempts: attempts, error: error)
      case .end(.budgetRefused): .budgetRefused(attempts: attempts, error: error)
      }
  }
}
