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

    /// A call hangs if it has been in flight for strictly longer; `nil` if nobody watches.
    let hungAfter: Int64?

    /// How long a probe may take.
    var lease: Int64 { min(probeLease, hungAfter ?? .max) }

    /// Whether what hangs is shown to predicates when a call arrives.
    var asksPredicatesAtArrival: Bool { hungAfter != nil && !tripping.predicates.isEmpty }

    /// The shortest distance in time that any of this depends on.
    var shortestDuration: Int64 {
      let open = Double(opening.first.saturatingNanoseconds) * (1 - opening.jitter)
      var durations = [Int64(saturating: open), probeLease]
      durations += [probation, slowerThan ?? 0, hungAfter ?? 0].filter { $0 > 0 }
      durations += tripping.lastings
      switch window {
      case .sinceTransition, .calls: break
      case .interval(let length): durations.append(length)
      case .rolling(let length, let buckets): durations.append(length / Int64(buckets))
      }
      return durations.min() ?? 0
    }

    init(_ configuration: Configuration) {
      let recovery = configuration.recovery
      tripping = TripRule(configuration)
      window = OutcomeWindow.Shape(configuration.window)
      opening = recovery.openFor
      probes = recovery.probes
      closing = ClosingRule(recovery)
      probation = recovery.probation.nanosecondsRoundedUp
      probationLimit = max(20_000_000_000, probation.addingSaturated(probation))
      probeLease = recovery.probeLease.nanosecondsRoundedUp
      maxRetryAfter = recovery.maxRetryAfter.saturatingNanoseconds
      slowerThan = configuration.tripping.slowCallThresholds.first?.saturatingNanoseconds
      hungAfter = configuration.hungAfter?.nanosecondsRoundedUp
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

    /// How many calls that hang open the circuit by themselves.
    let hungCalls: Int

    /// The times that a streak must last, in nanoseconds, where it must.
    var lastings: [Int64] {
      clauses.compactMap { clause in
        if case .consecutiveFailures(_, let lasting) = clause, lasting > 0 { lasting } else { nil }
      }
    }

    /// Whether a failure's start matters.
    var needsStart: Bool { !lastings.isEmpty }

    init(_ configuration: Configuration) {
      hungCalls = configuration.hungCalls
      let largest = if case .calls(let count) = configuration.window.kind { count } else { Int.max }
      var clauses: [Clause] = []
      var predicates: [@Sendable (Counts) -> Bool] = []
      for clause in configuration.tripping.clauses {
        switch clause {
        case .consecutiveFailures(let count, let lasting):
          clauses.append(.consecutiveFailures(count, lasting: lasting.nanosecondsRoundedUp))
        case .failureRate(let rate, let minimum):
          clauses.append(.failureRate(Ratio(rate), minimum: min(minimum, largest)))
        case .slowCallRate(let rate, _, let minimum):
          clauses.append(.slowCallRate(Ratio(rate), minimum: min(minimum, largest)))
        case .predicate(let predicate): predicates.append(predicate)
        }
      }
      self.clauses = clauses
      self.predicates = predicates
    }

    /// Why the circuit trips over these outcomes and what hangs, if it does. Predicates are not
    /// asked here: they are somebody else's code.
    func cause(
      in tally: Tally, after streak: Streak, _ hung: HungCalls, at now: Int64
    ) -> Cause? {
      if hung.sinceSuccess >= hungCalls { return .hungCalls }
      for clause in clauses {
        switch clause {
        case .consecutiveFailures(let count, let lasting):
          var failures = streak.failures
          failures.add(hung.sinceSuccess)
          guard failures >= count else { continue }
          // Without `lasting` nobody read the clock at the start of a call.
          guard lasting == 0 || hung.lasting >= lasting || streak.lasts(lasting, until: now) else {
            continue
          }
          return .consecutiveFailures
        case .failureRate(let rate, let minimum):
          if reaches(rate, tally.failures, in: tally, hung, minimum) { return .failureRate }
        case .slowCallRate(let rate, let minimum):
          if reaches(rate, tally.slow, in: tally, hung, minimum) { return .slowCallRate }
        }
      }
      return nil
    }

    /// What hangs counts on both sides.
    private func reaches(
      _ rate: Ratio, _ part: Int, in tally: Tally, _ hung: HungCalls, _ minimum: Int
    ) -> Bool {
      var (part, whole) = (part, tally.successes)
      part.add(hung.all)
      whole.add(tally.failures)
      whole.add(hung.all)
      return whole >= minimum && rate.isReached(by: part, of: whole)
    }
  }
}

/// Outcomes of one kind in a row.
struct Streak: Hashable, Sendable {
  private(set) var successes = 0
  private(set) var failures = 0

  /// When the failure that completed first in the present streak had started.
  private(set) var failingSince: Int64 = 0

  /// Whether so much time lies between the start of its first failure and `now`.
  func lasts(_ duration: Int64, until now: Int64) -> Bool {
    failures > 0 && now.subtractingSaturated(failingSince) >= duration
  }

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
