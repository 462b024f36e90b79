import Resilience

/// The circuit breaker of the rules CB-1 to CB-19, written to be compared with.
///
/// It remembers what happened since the last change of state in plain arrays and works everything
/// out anew whenever it is asked: slow, and simple enough to be checked against the rules by
/// reading. It shares the words of the public interface with the real one, and no code.
struct NaiveBreaker {
  typealias State = CircuitBreaker.State
  typealias Cause = CircuitBreaker.Cause
  typealias Counts = CircuitBreaker.Counts

  enum Decision: Hashable {
    case admitted(Int)
    case refused(CircuitOpenError.Reason)
  }

  enum Recorded: Hashable {
    case counted, late, untracked
  }

  enum Notice: Hashable {
    case transition(
      State, State, Cause, Counts, openUntil: Int64?, generation: UInt64)
    case wouldHaveOpened(Cause, Counts)
  }

  /// Everything that a reader can see; and whether calls are counted one by one.
  struct Reading: Hashable {
    var state: State
    var counts: Counts
    var totals: CircuitBreaker.Totals
    var generation: UInt64
    var running: Int
    var openUntil: Int64?
    var share: Double
    var isOnProbation: Bool
  }

  enum Kind { case counted, probe, untracked }

  struct Call {
    let id: Int
    let kind: Kind
    let generation: UInt64
    let start: Int64
    var hasLostItsLease = false
  }

  struct Result {
    let end: Int64
    let start: Int64
    let outcome: Outcome
    let isSlow: Bool
  }

  enum ProbationEntry { case arrival, success, failure }

  let settings: Settings
  private(set) var state = State.closed
  private(set) var generation: UInt64 = 0
  private(set) var totals = CircuitBreaker.Totals()
  private(set) var notices: [Notice] = []

  /// All calls that have not ended yet, of whatever generation.
  private(set) var calls: [Call] = []
  private var nextID = 0

  // Since the last change of state.
  private(set) var since: Int64
  private(set) var results: [Result] = []

  /// The youngest call when one last succeeded.
  private(set) var youngestAtSuccess = 0
  private(set) var touches: [Int64] = []
  private(set) var probation: [(at: Int64, entry: ProbationEntry)]?
  private var silentUntil = Int64.min

  // The openings.
  private(set) var openUntil: Int64 = 0
  private(set) var countsAtOpening = Counts()
  private(set) var closedAt: Int64?
  private(set) var lastOpenLength: Int64 = 0
  private var openingsInSeries = 0

  init(_ settings: Settings, at now: Int64) {
    self.settings = settings
    since = now
  }

  mutating func takeNotices() -> [Notice] {
    defer { notices = [] }
    return notices
  }
}

// MARK: - What happens

extension NaiveBreaker {
  mutating func admit(at now: Int64) -> Decision {
    settle(at: now)
    if state == .open, now >= openUntil { move(to: .halfOpen, .openPeriodEnded, at: now) }
    if !hungCalls(at: now).isEmpty {
      touches.append(now)
      if let cause = cause(at: now, isArrival: true) { trip(cause, at: now) }
    }
    switch state {
    case .open: return refuse(.open)
    case .isolated: return refuse(.isolated)
    case .disabled: return admitted(.untracked, at: now)
    case .halfOpen:
      let isFull = probesInFlight.count >= min(settings.probes, resultsMissing)
      return isFull ? refuse(.halfOpenFull) : admitted(.probe, at: now)
    case .closed, .observing:
      touches.append(now)
      probation?.append((now, .arrival))
      guard onProbation.passes else { return refuse(.probation) }
      return admitted(.counted, at: now)
    }
  }

  mutating func record(
    _ outcome: Outcome, isSlow: Bool, retryAfter: Int64 = 0, of id: Int, at now: Int64
  ) -> Recorded {
    settle(at: now)
    let call = forget(id)
    guard call.generation == generation, !call.hasLostItsLease else {
      totals.late += 1
      return .late
    }
    guard call.kind != .untracked else { return .untracked }
    let isSlow = isSlow && outcome != .ignored
    switch outcome {
    case .success: totals.successes += 1
    case .failure: totals.failures += 1
    case .ignored: totals.ignored += 1
    }
    if isSlow { totals.slow += 1 }

    if call.kind == .probe {
      let outcome = isSlow ? .failure : outcome
      results.append(Result(end: now, start: call.start, outcome: outcome, isSlow: isSlow))
      decide(at: now, .probeFailed, retryAfter)
      return .counted
    }
    touches.append(now)
    results.append(Result(end: now, start: call.start, outcome: outcome, isSlow: isSlow))
    if outcome == .success {
      youngestAtSuccess = nextID
      probation?.append((now, .success))
    }
    if outcome == .failure { probation?.append((now, .failure)) }
    if onProbation.isOver { probation = nil }
    if outcome == .failure || isSlow, let cause = cause(at: now) {
      trip(cause, at: now, retryAfter: retryAfter)
    }
    return .counted
  }

  private mutating func trip(_ cause: Cause, at now: Int64, retryAfter: Int64 = 0) {
    if state == .closed {
      open(cause, at: now, retryAfter: retryAfter)
    } else if now >= silentUntil {
      silentUntil = now + settings.openFor
      notices.append(.wouldHaveOpened(cause, counts(at: now)))
    }
  }

  /// A success that was counted in a generation that ended before anybody looked.
  mutating func recordUnseenSuccess(of id: Int) {
    _ = forget(id)
    totals.successes += 1
  }

  mutating func enter(_ next: State, at now: Int64) {
    settle(at: now)
    if state != next { move(to: next, .manual, at: now) }
  }

  mutating func reset(at now: Int64) {
    settle(at: now)
    if state != .closed { move(to: .closed, .manual, at: now) }
    since = now
    results = []
    touches = []
    probation = nil
    closedAt = now
    openingsInSeries = 0
  }

  mutating func trip(for length: Int64?, at now: Int64) {
    settle(at: now)
    guard state == .open else { return open(.manual, at: now, length: length) }
    beginOpenPeriod(length ?? nextLengthOfSeries, at: now)
  }

  /// CB-9: a lease ends when it ends, whoever notices when.
  mutating func settle(at now: Int64) {
    while state == .halfOpen, let first = probesInFlight.map(\.start).min(),
      first + settings.lease <= now
    {
      let place = calls.firstIndex { isProbeInFlight($0) && $0.start == first }
      if let place { calls[place].hasLostItsLease = true }
      totals.failures += 1
      let end = first + settings.lease
      results.append(Result(end: end, start: first, outcome: .failure, isSlow: false))
      decide(at: end, .probeLeaseExpired, 0)
    }
  }

  private mutating func refuse(_ reason: CircuitOpenError.Reason) -> Decision {
    totals.rejected += 1
    return .refused(reason)
  }

  private mutating func admitted(_ kind: Kind, at now: Int64) -> Decision {
    nextID += 1
    calls.append(Call(id: nextID, kind: kind, generation: generation, start: now))
    return .admitted(nextID)
  }

  private mutating func forget(_ id: Int) -> Call {
    let place = calls.firstIndex { $0.id == id }
    return calls.remove(at: place!)  // The driver reports each call once.
  }

  private mutating func decide(at now: Int64, _ cause: Cause, _ retryAfter: Int64) {
    let failures = results.count { $0.outcome == .failure }
    let successes = results.count { $0.outcome == .success }
    let (mustOpen, mustClose) =
      if let (rate, count) = settings.reopening {
        (
          rate.isReached(by: failures, of: count),
          !rate.isReached(by: count - successes, of: count)
        )
      } else {
        (failures > 0, successes >= settings.successesToClose ?? settings.probes)
      }
    if mustOpen {
      open(cause, at: now, retryAfter: retryAfter)
    } else if mustClose {
      move(to: .closed, .probesSucceeded, at: now)
      closedAt = now
      if settings.probation > 0 { probation = [] }
    }
  }

  mutating func open(
    _ cause: Cause, at now: Int64, retryAfter: Int64 = 0, length: Int64? = nil
  ) {
    let wasClosedFor = closedAt.map { now - $0 } ?? .max
    if state == .closed, wasClosedFor >= lastOpenLength { openingsInSeries = 0 }
    let length = length ?? nextLengthOfSeries
    beginOpenPeriod(max(length, min(retryAfter, settings.maxRetryAfter)), at: now)
    if state == .closed { totals.trips += 1 }
    if state == .halfOpen { totals.reopenings += 1 }
    move(to: .open, cause, at: now)
  }

  private mutating func beginOpenPeriod(_ length: Int64, at now: Int64) {
    openingsInSeries += 1
    lastOpenLength = length
    openUntil = now + length
  }

  private var nextLengthOfSeries: Int64 {
    var length = Double(settings.openFor)
    for _ in 0..<openingsInSeries { length = min(Double(settings.cap), length * settings.factor) }
    return Int64(length.rounded())
  }

  private mutating func move(to next: State, _ cause: Cause, at now: Int64) {
    let counts = counts(at: now)
    if next == .open || next == .isolated { countsAtOpening = counts }
    generation += 1
    notices.append(
      .transition(
        state, next, cause, counts, openUntil: next == .open ? openUntil : nil,
        generation: generation))
    state = next
    since = now
    results = []
    touches = []
    probation = nil
    silentUntil = .min
  }
}
