import Resilience

/// Retries within a quota of some other library, and otherwise as ``Retry`` does: so that two stacks
/// differ by the quota alone.
///
/// The backoff is the scenarios': full jitter from 50 ms up to 1 s. It repeats what throws and
/// counts as a failure, not what a policy inside refused or its caller cancelled. No wait ends after
/// ``Deadline/current``. Unlike ``Retry`` it knows nothing of retries around it, hears no hints, and
/// does not repeat values.
final class QuotaRetry<Quota: RetryQuota>: ResiliencePolicy {
  private struct State: Sendable {
    var quota: Quota
    var random: SplitMix64
  }

  /// A further attempt, and the wait before it.
  private struct Step: Sendable {
    let attempt: QuotaAttempt
    let pause: Duration
  }

  private let maxAttempts: Int
  private let backoff = Backoff.exponential(from: .milliseconds(50), cap: .seconds(1))
  private let clock: any Clock<Duration>
  private let source: TimeSource
  private let state: Lock<State>

  init(_ quota: Quota, maxAttempts: Int, clock: any Clock<Duration>, seed: UInt64) {
    self.maxAttempts = maxAttempts
    self.clock = clock
    source = TimeSource(clock)
    state = Lock(State(quota: quota, random: SplitMix64(seed: seed)))
  }

  /// The quota as it is now.
  var quota: Quota { state.withLock { $0.quota } }

  var layers: [PolicyLayer] {
    [
      PolicyLayer(
        role: .retry(maxAttempts: maxAttempts, nests: true), name: "retry",
        settings: "at most \(maxAttempts) attempts, \(backoff), \(quota)")
    ]
  }

  func execute<Success: ~Copyable>(
    _ execution: Execution,
    _ operation: (Execution) async throws -> Graded<Success>
  ) async throws -> Graded<Success> {
    var attempt = QuotaAttempt()
    while true {
      let step: Step
      let failure: any Error
      begin(attempt)
      do {
        let execution = Execution(attempt: attempt.number, hedge: execution.hedge)
        let graded = try await operation(execution)
        end(attempt, graded.outcome)
        return graded
      } catch {
        step = try self.step(after: attempt, error)
        failure = error
      }
      attempt = step.attempt
      try await wait(step)
      // Asking this here also keeps the caller's actor: on 6.3.1 it is lost between an await and
      // the call of a closure if nothing synchronous happens between them.
      if Task.isCancelled {
        drop(attempt)
        throw CancellationError()
      }
      // Who sleeps may oversleep.
      if let deadline = Deadline.current, deadline.isExpired {
        drop(attempt)
        throw failure
      }
    }
  }
}

// MARK: - What the quota is told

extension QuotaRetry {
  private func begin(_ attempt: QuotaAttempt) {
    let now = source.now()
    state.withLock { $0.quota.begin(attempt, at: now) }
  }

  private func end(_ attempt: QuotaAttempt, _ outcome: Outcome) {
    let now = source.now()
    state.withLock { $0.quota.end(attempt, outcome, at: now) }
  }

  private func drop(_ attempt: QuotaAttempt) {
    state.withLock { $0.quota.drop(attempt) }
  }

  /// The first that stands in the way decides: what failed, the number of attempts, the deadline,
  /// and then the quota.
  ///
  /// - Throws: the error, if no attempt follows.
  private func step(after attempt: QuotaAttempt, _ error: any Error) throws -> Step {
    let outcome = Outcome(classifying: error)
    let remaining = Deadline.current?.remaining
    let now = source.now()
    let step = state.withLock { state -> Step? in
      state.quota.end(attempt, outcome, at: now)
      guard outcome == .failure, attempt.number < maxAttempts else { return nil }
      let number = attempt.number + 1
      let pause = backoff.delay(beforeAttempt: number, using: &state.random)
      // An attempt that began at the deadline would have no time.
      if let remaining, pause >= remaining { return nil }
      guard let cost = state.quota.withdraw(after: AttemptFailure(error), at: now) else {
        return nil
      }
      return Step(attempt: QuotaAttempt(number: number, cost: cost), pause: pause)
    }
    guard let step else { throw error }
    return step
  }

  private func wait(_ step: Step) async throws {
    do { try await clock.sleep(for: step.pause) } catch {
      drop(step.attempt)
      throw error
    }
  }
}
