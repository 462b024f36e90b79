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
  /// Whether the call runs inside another retry's attempt, which repeats it.
  @usableFromInline
  var isNested: Bool {
    configuration.nesting == .once && LiveAttempt.current != nil
  }

  @usableFromInline
  func begin() -> LiveAttempt {
    LiveAttempt(countedBy: budget)
  }

  /// A success inside another retry's attempt is counted there, if it is the same budget.
  @usableFromInline
  func countNested(_ outcome: Outcome) {
    guard outcome == .success, let budget else { return }
    guard LiveAttempt.current?.budget != ObjectIdentifier(budget) else { return }
    budget.succeed()
  }

  /// Whether a further attempt follows one that has returned. If so, it has been paid for.
  @usableFromInline
  func mustRepeat(_ course: inout Retry.Course, after outcome: Outcome) -> Bool {
    switch outcome {
    case .success:
      budget?.succeed()
      if course.attempt > 1 { recover(course) }
      return false
    case .ignored:
      Task.isCancelled ? cancel(course) : returnToken(of: course)
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
    let hint = error as? any RetryAfterHint
    let outcome = Outcome(classifying: error, hint: hint, by: nil)
    if outcome == .ignored, Task.isCancelled {
      cancel(course)
      throw error
    }
    // Refused inside, or cancelled there: the attempt says nothing, and costs nothing.
    if outcome == .ignored { returnToken(of: course) }
    let decision = decide(error, outcome, hint)
    guard prepareNext(&course, decision, error) else { throw error }
  }

  private func decide(
    _ error: any Error, _ outcome: Outcome, _ hint: (any RetryAfterHint)?
  ) -> Retry.Decision {
    let retryAfter = hint?.retryAfter
    if let decision = deciding?(error) {
      guard decision == .retry, let retryAfter else { return decision }
      return .retry(after: retryAfter)
    }
    if outcome == .failure { return retryAfter.map { .retry(after: $0) } ?? .retry }
    guard configuration.rejections == .waitForRetryAfter, hint is any RejectionError,
      let retryAfter, retryAfter <= configuration.hintCap
    else { return .stop }
    return .retry(after: retryAfter)
  }

  private func prepareNext(
    _ course: inout Retry.Course, _ decision: Retry.Decision, _ error: (any Error)?
  ) -> Bool {
    let remaining = Deadline.current?.remaining
    var step = state.withLock { state in
      configuration.step(after: course, decision, remaining: remaining, using: &state.random)
    }
    if case .retry = step, let budget, !budget.withdraw() { step = .end(.budgetRefused) }
    count(step)
    events.announce(Retry.Event(policy: name, kind: .init(step, course, error)))
    guard case .retry(let delay) = step else { return false }
    course.advance(after: delay)
    return true
  }
}

// MARK: - Around a wait

extension Retry.Shared {
  /// - Throws: `CancellationError` as soon as the caller is cancelled.
  @usableFromInline
  func wait(for course: Retry.Course) async throws {
    guard course.delay > .zero else { return }
    do { try await clock.sleep(for: course.delay.nanosecondsRoundedUp) } catch {
      cancel(course)
      throw error
    }
  }

  /// The caller was cancelled before the attempt was made.
  @usableFromInline
  func cancelled(before course: Retry.Course) -> CancellationError {
    cancel(course)
    return CancellationError()
  }
}

// MARK: - Counting

extension Retry.Shared {
  /// The attempt was cancelled, or not made: it costs nothing.
  private func cancel(_ course: Retry.Course) {
    returnToken(of: course)
    state.withLock { $0.totals.cancelled.increment() }
    tell(.cancelled(attempts: course.attempt))
  }

  private func recover(_ course: Retry.Course) {
    returnToken(of: course)
    state.withLock { $0.totals.recovered.increment() }
    tell(.recovered(attempts: course.attempt))
  }

  private func returnToken(of course: Retry.Course) {
    if course.attempt > 1 { budget?.giveBack() }
  }

  private func count(_ step: Retry.Step) {
    state.withLock { state in
      switch step {
      case .retry: state.totals.retries.increment()
      case .end(.exhausted): state.totals.exhausted.increment()
      case .end(.stopped): state.totals.stopped.increment()
      case .end(.deadlineReached): state.totals.deadlineReached.increment()
      case .end(.budgetRefused): state.totals.budgetRefused.increment()
      }
    }
  }

  private func tell(_ kind: Retry.Event.Kind) {
    events.announce(Retry.Event(policy: name, kind: kind))
  }
}

extension Retry.Event.Kind {
  fileprivate init(_ step: Retry.Step, _ course: Retry.Course, _ error: (any Error)?) {
    let attempts = course.attempt
    self =
      switch step {
      case .retry(let delay): .retrying(attempt: attempts + 1, after: delay, error: error)
      case .end(.exhausted): .exhausted(attempts: attempts, error: error)
      case .end(.stopped): .stopped(attempts: attempts, error: error)
      case .end(.deadlineReached): .deadlineReached(attempts: attempts, error: error)
      case .end(.budgetRefused): .budgetRefused(attempts: attempts, error: error)
      }
  }
}
