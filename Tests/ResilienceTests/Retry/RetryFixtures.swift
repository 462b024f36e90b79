import Resilience
import ResilienceTesting
import Testing

/// A retry in virtual time, as a test uses it: a second between attempts, and ten tokens.
struct Trial: Sendable {
  let clock: VirtualClock
  let events: EventRecorder
  let retry: Retry

  /// - Parameter tokens: what the budget starts with; `nil` for no budget.
  init(
    maxAttempts: Int = 3,
    backoff: Backoff = .constant(.seconds(1), jitter: .none),
    hintCap: Duration = .seconds(30),
    rejections: Retry.Rejections = .stop,
    nesting: Retry.Nesting = .once,
    tokens: Int? = 10,
    deciding: (@Sendable (any Error) -> Retry.Decision?)? = nil,
    on clock: VirtualClock,
    seed: UInt64? = 1
  ) {
    let events = EventRecorder()
    self.clock = clock
    self.events = events
    retry = Retry(
      "users", maxAttempts: maxAttempts, backoff: backoff, hintCap: hintCap,
      rejections: rejections, nesting: nesting,
      budget: tokens.map { RetryBudget(minimumCapacity: $0, clock: clock) },
      deciding: deciding, clock: clock, seed: seed, observers: [events])
  }

  /// What the call throws.
  func error<Value>(of operation: () async throws -> Value) async -> (any Error)? {
    do {
      _ = try await retry.run { try await operation() }
      return nil
    } catch {
      return error
    }
  }

  var totals: Retry.Totals { retry.snapshot().totals }

  /// Tokens asked for in vain, and those that are gone for good.
  var refused: Int? { retry.budget?.snapshot().refused }
  var spent: Int? { retry.budget?.spent }

  /// What the observer heard, with the errors.
  var told: [String] { events.events(of: Retry.Event.self).map { $0.kind.description } }

  /// What the observer heard, without the errors.
  var steps: [String] { told.map { String($0.prefix { $0 != "(" }.trimmingSuffix()) } }

  /// The waits that the observer heard of.
  var delays: [Duration] {
    events.events(of: Retry.Event.self).compactMap { event in
      if case .retrying(_, let delay, _) = event.kind { delay } else { nil }
    }
  }
}

extension RetryBudget {
  /// Tokens that were taken and not given back.
  var spent: Int {
    let snapshot = snapshot()
    return snapshot.withdrawn - snapshot.givenBack
  }
}

extension Substring {
  fileprivate func trimmingSuffix() -> Substring { last == " " ? dropLast() : self }
}

/// An error that can be told from others of its kind.
final class NumberedError: Error, CustomStringConvertible {
  let number: Int
  init(_ number: Int) { self.number = number }
  var description: String { "error \(number)" }
}

/// An error that says when to come back.
struct Later: RetryAfterHint {
  let retryAfter: Duration?
}

/// Starts a call, cancels it after so much time, and waits for it.
///
/// - Returns: what it threw.
func cancelling(
  after time: Duration, _ clock: VirtualClock, _ call: @escaping @Sendable () async throws -> Void
) async -> (any Error)? {
  await withTaskGroup(of: (any Error)?.self) { group in
    group.addTask {
      do {
        try await call()
        return nil
      } catch {
        return error
      }
    }
    await clock.advance(by: time)
    group.cancelAll()
    return await group.next() ?? nil
  }
}
