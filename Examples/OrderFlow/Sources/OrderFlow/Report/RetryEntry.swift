import Foundation
package import Resilience

/// A call was tried again, or was not.
package struct RetryEntry: TimelineEntry {
  package static let event = "retry"
  package let what: What
  /// The attempt that is made, was made, or is not made; the first is 1.
  package let attempt: Int
  /// How long it waits, in seconds.
  package let after: Double?
  /// What the attempt before it failed with.
  package let why: String?

  package enum What: String, Codable, Sendable {
    case retrying
    case recovered
    case budgetRefused = "budget-refused"
    case deadlineReached = "deadline-reached"
    case exhausted
  }

  /// - Returns: `nil` for calls that are not retried whatever happens: those that were refused by
  ///   the circuit, answered that there is no such user, or cancelled.
  package init?(_ kind: Retry.Event.Kind) {
    switch kind {
    case .retrying(let attempt, let delay, let error):
      self.init(.retrying, attempt, after: delay, error)
    case .recovered(let attempts): self.init(.recovered, attempts, nil)
    case .budgetRefused(let attempts, let error):
      self.init(.budgetRefused, attempts + 1, error)
    case .deadlineReached(let attempts, let error):
      self.init(.deadlineReached, attempts + 1, error)
    case .exhausted(let attempts, let error): self.init(.exhausted, attempts, error)
    default: return nil
    }
  }

  private init(
    _ what: What, _ attempt: Int, after delay: Duration? = nil, _ error: (any Error)?
  ) {
    self.what = what
    self.attempt = attempt
    after = delay.map { ($0.seconds * 1_000).rounded() / 1_000 }
    why = error?.inWords
  }

  package var columns: String {
    guard let why else { return "retry       " + inWords }
    return "retry       " + inWords.padded(to: 24) + "  " + why
  }

  private var inWords: String {
    switch what {
    case .retrying: "attempt \(attempt) in \(Duration.seconds(after ?? 0).inSeconds)"
    case .recovered: "attempt \(attempt) succeeded"
    case .budgetRefused: "no budget for attempt \(attempt)"
    case .deadlineReached: "no time for attempt \(attempt)"
    case .exhausted: "attempt \(attempt) was the last"
    }
  }
}
