extension CircuitBreaker {
  /// What a configuration means, in nanoseconds and fractions: worked out once.
  final class Rules: Sendable {
    let tripping: TripRule
    let window: OutcomeWindow.Shape
    let opening: OpenDuration
    let probes: Int
    let closing: ClosingRule
    let probation: Int64
    let probationLimit: Int64
    let probeLease: Int64
    let maxRetryAfter: Int64

    /// A call is slow if it took strictly longer; `nil` if nobody asks.
    let slowerThan: Int64?

    /// The shortest distance in time that any of this depends on.
    var shortestDuration: Int64 {
      let open = Double(opening.first.saturatingNanoseconds) * (1 - opening.jitter)
      var durations = [Int64(saturating: open), probeLease]
      durations += [probation, tripping.shortestLasting, slowerThan ?? 0].filter { $0 > 0 }
      switch window {
      case .sinceTransition, .calls: break
      case .interval(let length): durations.append(length)
      case .rolling(let length, let buckets): durations.append(length / Int64(buckets))
      }
      return durations.min() ?? 0
    }

    init(_ configuration: Configuration) {
      let recovery = configuration.recovery
      tripping = TripRule(configuration.tripping, window: configuration.window)
      window = OutcomeWindow.Shape(configuration.window)
      opening = recovery.openFor
      probes = recovery.probes
      closing = ClosingRule(recovery)
      probation = recovery.probation.nanosecondsRoundedUp
      probationLimit = max(20_000_000_000, probation.addingSaturated(probation))
      probeLease = recovery.probeLease.nanosecondsRoundedUp
      maxRetryAfter = recovery.maxRetryAfter.saturatingNanoseconds
      slowerThan = configuration.tripping.slowCallThresholds.first?.saturatingNanoseconds
    }
  }

  /// When a half-open circuit is decided.
  enum ClosingRule: Sendable {
    case successes(Int)
    case rate(Ratio, over: Int)

    init(_ recovery: Recovery) {
      switch recovery.reopening.kind {
      case .onFirstFailure: self = .successes(recovery.successesToClose ?? recovery.probes)
      case .atFailureRate(let rate, let count): self = .rate(Ratio(rate), over: count)
      }
    }

    /// How many results the decision still needs at most.
    func missing(_ tally: Tally) -> Int {
      switch self {
      case .successes(let needed): needed - tally.successes
      case .rate(_, let count): count - tally.successes - tally.failures
      }
    }

    /// The state that the results so far decide for; `nil` if they do not yet.
    func decision(_ tally: Tally) -> State? {
      switch self {
      case .successes(let needed):
        if tally.failures > 0 { return .open }
        return tally.successes >= needed ? .closed : nil
      case .rate(let rate, let count):
        if rate.isReached(by: tally.failures, of: count) { return .open }
        let possible = count - tally.successes
        return rate.isReached(by: possible, of: count) ? nil : .closed
      }
    }
  }

  /// The trip condition over exact fractions.
  struct TripRule: Sendable {
    enum Clause: Sendable {
      case consecutiveFailures(Int, lasting: Int64)
      case failureRate(Ratio, minimum: Int)
      case slowCallRate(Ratio, minimum: Int)
    }

    let clauses: [Clause]
    let predicates: [@Sendable (Counts) -> Bool]

    /// The shortest time that a streak must last, in nanoseconds; 0 if none need last.
    let shortestLasting: Int64

    /// Whether a failure's start matters.
    var needsStart: Bool { shortestLasting > 0 }

    init(_ condition: TripCondition, window: Window) {
      let largest = if case .calls(let count) = window.kind { count } else { Int.max }
      var clauses: [Clause] = []
      var predicates: [@Sendable (Counts) -> Bool] = []
      var lastings: [Int64] = []
      for clause in condition.clauses {
        switch clause {
        case .consecutiveFailures(let count, let lasting):
          clauses.append(.consecutiveFailures(count, lasting: lasting.nanosecondsRoundedUp))
          if lasting > .zero { lastings.append(lasting.nanosecondsRoundedUp) }
        case .failureRate(let rate, let minimum):
          clauses.append(.failureRate(Ratio(rate), minimum: min(minimum, largest)))
        case .slowCallRate(let rate, _, let minimum):
          clauses.append(.slowCallRate(Ratio(rate), minimum: min(minimum, largest)))
        case .predicate(let predicate): predicates.append(predicate)
        }
      }
      self.clauses = clauses
      self.predicates = predicates
      shortestLasting = lastings.min() ?? 0
    }

    /// Why the circuit trips over these outcomes, if it does. Predicates are not asked here: they
    /// are somebody else's code.
    func cause(in tally: Tally, after streak: Streak, at now: Int64) -> Cause? {
      for clause in clauses {
        switch clause {
        case .consecutiveFailures(let count, let lasting):
          guard streak.failures >= count else { continue }
          // Without `lasting` nobody read the clock at the start of a call.
          guard lasting == 0 || now.subtractingSaturated(streak.failingSince) >= lasting else {
            continue
          }
          return .consecutiveFailures
        case .failureRate(let rate, let minimum):
          if Self.reaches(rate, tally.failures, in: tally, minimum) { return .failureRate }
        case .slowCallRate(let rate, let minimum):
          if Self.reaches(rate, tally.slow, in: tally, minimum) { return .slowCallRate }
        }
      }
      return nil
    }

    private static func reaches(
      _ rate: Ratio, _ part: Int, in tally: Tally, _ minimum: Int
    ) -> Bool {
      var completed = tally.successes
      completed.add(tally.failures)
      return completed >= minimum && rate.isReached(by: part, of: completed)
    }
  }
}

/// Outcomes of one kind in a row.
struct Streak: Hashable, Sendable {
  private(set) var successes = 0
  private(set) var failures = 0

  /// When the failure that completed first in the present streak had started.
  private(set) var failingSince: Int64 = 0

  mutating func succeed(_ count: Int = 1) {
    guard count > 0 else { return }
    successes.add(count)
    failures = 0
  }

  mutating func fail(startedAt start: Int64) {
    if failures == 0 { failingSince = start }
    failures.increment()
    successes = 0
  }
}
