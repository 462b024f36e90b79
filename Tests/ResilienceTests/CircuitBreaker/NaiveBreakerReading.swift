import Resilience

extension NaiveBreaker {
  /// The settings in numbers: nanoseconds and fractions.
  struct Settings: Sendable {
    enum Clause: Sendable {
      case consecutiveFailures(Int, lasting: Int64)
      case failureRate(Fraction, minimum: Int)
      case slowCallRate(Fraction, minimum: Int)
      case failedOrHung(Int)
    }

    enum Window: Hashable, Sendable {
      case sinceTransition
      case interval(Int64)
      case rolling(Int64, buckets: Int)
      case calls(Int)
    }

    var clauses: [Clause]
    var window = Window.sinceTransition
    var slowerThan: Int64 = 1_000_000_000
    var hungAfter: Int64?
    var hungCalls = 2

    /// Calls start at multiples of this only: at those of a bucket of starts, the breaker is exact.
    var grid: Int64 = 1
    var openFor: Int64 = 2_000_000_000
    var factor = 1.0
    var cap: Int64 = 8_000_000_000
    var probes = 1
    var successesToClose: Int?
    var reopening: (Fraction, over: Int)?
    var probation: Int64 = 0
    var probeLease: Int64 = 5_000_000_000
    var maxRetryAfter: Int64 = 4_000_000_000

    /// CB-16: a probe that hangs has failed.
    var lease: Int64 { min(probeLease, hungAfter ?? .max) }
  }

  /// A rate as its author means it.
  struct Fraction: Hashable, Sendable {
    let part: Int
    let whole: Int

    init(_ part: Int, of whole: Int) {
      self.part = part
      self.whole = whole
    }

    func isReached(by part: Int, of whole: Int) -> Bool {
      whole > 0 && part * self.whole >= self.part * whole
    }
  }
}

// MARK: - What follows from what happened

extension NaiveBreaker {
  /// CB-3: what a call arriving now would meet, without changing anything or asking predicates.
  func reading(at now: Int64) -> Reading {
    var copy = self
    copy.settle(at: now)
    if copy.state == .closed, !hungCalls(at: now).isEmpty,
      let cause = copy.cause(at: now, isArrival: true), cause != .predicate
    {
      copy.open(cause, at: now)
    }
    let state = copy.state == .open && now >= copy.openUntil ? .halfOpen : copy.state
    return Reading(
      state: state,
      counts: copy.counts(at: now), totals: copy.totals, generation: copy.generation,
      running: copy.calls.count { $0.kind != .untracked },
      openUntil: state == .open ? copy.openUntil : nil, share: copy.share(at: now),
      isOnProbation: copy.isOnProbation(at: now))
  }

  func counts(at now: Int64) -> Counts {
    var counts = Counts(rejected: totals.rejected, late: totals.late)
    for result in window(at: now) {
      switch result.outcome {
      case .success: counts.successes += 1
      case .failure: counts.failures += 1
      case .ignored: counts.ignored += 1
      }
      if result.isSlow { counts.slow += 1 }
    }
    let streak = streak(at: now)
    if streak.outcome == .success { counts.consecutiveSuccesses = streak.length }
    if streak.outcome == .failure { counts.consecutiveFailures = streak.length }
    for call in calls where isInFlight(call) { counts.inFlight += 1 }
    counts.hung = hungCalls(at: now).count
    return counts
  }

  /// CB-11: the results that count at an instant.
  private func window(at now: Int64) -> ArraySlice<Result> {
    guard state == .closed || state == .observing else { return results[...] }
    switch settings.window {
    case .sinceTransition: return results[...]
    case .interval(let length):
      let start = startOfInterval
      return now >= start + length ? [] : results.drop { $0.end < start }
    case .rolling(let length, let buckets):
      let present = bucket(of: now, length, buckets)
      return results.drop { bucket(of: $0.end, length, buckets) <= present - buckets }
    case .calls(let count):
      return results.filter { $0.outcome != .ignored }.suffix(count)
    }
  }

  /// Each touch at or after the end of an interval begins the next.
  private var startOfInterval: Int64 {
    guard case .interval(let length) = settings.window else { return since }
    var start = since
    for touch in touches where touch >= start + length { start = touch }
    return start
  }

  private func bucket(of instant: Int64, _ length: Int64, _ buckets: Int) -> Int {
    let (whole, rest) = (instant - since).quotientAndRemainder(dividingBy: length)
    return Int(whole) * buckets + Int(rest) * buckets / Int(length)
  }

  /// CB-12: the results of one kind at the end. Only an interval ends a streak with the window.
  private func streak(at now: Int64) -> (outcome: Outcome?, length: Int, start: Int64) {
    let isInterval = if case .interval = settings.window { true } else { false }
    var streak: (outcome: Outcome?, length: Int, start: Int64) = (nil, 0, 0)
    for result in (isInterval ? window(at: now) : results[...]).reversed() {
      if result.outcome == .ignored { continue }
      guard result.outcome == streak.outcome ?? result.outcome else { break }
      streak = (result.outcome, streak.length + 1, result.start)
    }
    return streak
  }

  /// CB-15, after a result has been recorded; and CB-16, also when a call arrives.
  func cause(at now: Int64, isArrival: Bool = false) -> Cause? {
    let counts = counts(at: now)
    let hung = hungCalls(at: now)
    let sinceSuccess = hung.filter { $0.id > youngestAtSuccess }
    if settings.hungAfter != nil, sinceSuccess.count >= settings.hungCalls { return .hungCalls }
    let evidence = counts.successes + counts.failures + hung.count
    for clause in settings.clauses {
      switch clause {
      case .consecutiveFailures(let count, let lasting):
        // Without one that hangs, a streak is not measured up to now.
        if isArrival, sinceSuccess.isEmpty { continue }
        guard counts.consecutiveFailures + sinceSuccess.count >= count else { continue }
        var starts = sinceSuccess.map(\.start)
        if counts.consecutiveFailures > 0 { starts.append(streak(at: now).start) }
        if now - starts.min()! >= lasting { return .consecutiveFailures }
      case .failureRate(let rate, let minimum):
        guard evidence >= clamped(minimum) else { continue }
        if rate.isReached(by: counts.failures + hung.count, of: evidence) { return .failureRate }
      case .slowCallRate(let rate, let minimum):
        guard evidence >= clamped(minimum) else { continue }
        if rate.isReached(by: counts.slow + hung.count, of: evidence) { return .slowCallRate }
      case .failedOrHung: continue
      }
    }
    for case .failedOrHung(let count) in settings.clauses
    where counts.failures + hung.count >= count {
      return .predicate
    }
    return nil
  }

  /// CB-16: longer than, and not at.
  func hungCalls(at now: Int64) -> [Call] {
    guard let limit = settings.hungAfter else { return [] }
    return calls.filter { $0.kind == .counted && isInFlight($0) && now - $0.start > limit }
  }

  private func clamped(_ minimum: Int) -> Int {
    if case .calls(let count) = settings.window { min(minimum, count) } else { minimum }
  }

  func isInFlight(_ call: Call) -> Bool {
    call.generation == generation && call.kind != .untracked && !call.hasLostItsLease
  }

  func isProbeInFlight(_ call: Call) -> Bool { call.kind == .probe && isInFlight(call) }

  var probesInFlight: [Call] { calls.filter { isProbeInFlight($0) } }

  /// CB-4: what half-open still needs to be decided.
  var resultsMissing: Int {
    let successes = results.count { $0.outcome == .success }
    guard let (_, count) = settings.reopening else {
      return (settings.successesToClose ?? settings.probes) - successes
    }
    return count - successes - results.count { $0.outcome == .failure }
  }

  /// CB-17, played from its beginning to the last entry.
  var onProbation: (share: Double, isOver: Bool, passes: Bool) {
    guard let probation, let closedAt else { return (1, true, true) }
    var (share, credit, passes) = (1.0, 0.0, true)
    var (failuresInRow, successesAtOne, since) = (0, 0, closedAt)
    for (now, entry) in probation {
      if now - closedAt >= longestProbation { return (1, true, true) }
      switch entry {
      case .arrival:
        if share < 1 { credit += share }
        passes = share == 1 || credit >= 1
        if share < 1, passes { credit -= 1 }
      case .success:
        failuresInRow = 0
        if share < 1 {
          share = min(1, share * 4)
        } else {
          successesAtOne += 1
          if successesAtOne >= 2, now - since >= settings.probation { return (1, true, true) }
        }
      case .failure:
        share = max(0.125, share / 2)
        successesAtOne = 0
        failuresInRow += 1
        if failuresInRow >= 3 { since = now }
      }
    }
    return (share, false, passes)
  }

  private var longestProbation: Int64 { max(20_000_000_000, 2 * settings.probation) }

  private func isOnProbation(at now: Int64) -> Bool {
    guard probation != nil, let closedAt else { return false }
    return now - closedAt < longestProbation
  }

  private func share(at now: Int64) -> Double { isOnProbation(at: now) ? onProbation.share : 1 }
}
