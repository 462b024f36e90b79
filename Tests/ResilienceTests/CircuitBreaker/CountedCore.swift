@testable import Resilience

/// A core, and around it the counting of healthy calls as ``CircuitBreaker`` does it, without
/// threads.
struct CountedCore: ModelledBreaker {
  let timesCalls = false

  private var core: CircuitBreaker.Core
  private let predicates: [@Sendable (CircuitBreaker.Counts) -> Bool]
  private let asksPredicatesAtArrival: Bool
  private let countsOutside: Bool
  private let readsClockAtStart: Bool
  private let readsClockAtSuccess: Bool

  private var live: UInt64?
  private var boundary: Int64
  private var clockOffset: Int64 = 0
  private var running = 0
  private var successes = 0

  private var racer: CircuitBreaker.Admission?
  private var hasRaced = false

  init(_ settings: NaiveBreaker.Settings, countsOutside: Bool) {
    let rules = CircuitBreaker.Rules(settings.configuration)
    core = CircuitBreaker.Core(rules, seed: 0, at: 0)
    predicates = rules.tripping.predicates
    asksPredicatesAtArrival = rules.asksPredicatesAtArrival
    let countsOutside = countsOutside && rules.hungAfter == nil
    self.countsOutside = countsOutside
    let (isInterval, isRolling) =
      switch settings.window {
      case .interval: (true, false)
      case .rolling: (false, true)
      case .sinceTransition, .calls: (false, false)
      }
    readsClockAtStart = settings.timesCalls || isInterval || rules.tripping.needsStart
    readsClockAtSuccess = settings.timesCalls || isInterval || isRolling
    boundary = core.window.boundary
    live = countsOutside ? 0 : nil
  }

  mutating func admit(at now: Int64) -> CircuitBreaker.Core.Decision {
    if let live, !(readsClockAtStart && isWindowOver(at: now)) {
      running += 1
      let start = readsClockAtStart ? now + clockOffset : 0
      return .admitted(.init(generation: live, start: start, ticket: .stripe(0)))
    }
    if asksPredicatesAtArrival { askPredicatesAboutHungCalls(at: now) }
    return locked(at: now) { $0.admit(at: now) }
  }

  private mutating func askPredicatesAboutHungCalls(at now: Int64) {
    let undecided = locked(at: now) { core in
      let settled = core.settle(at: now)
      return core.judgeHungCalls(at: settled) ? core.counts(at: settled) : nil
    }
    if let undecided { askPredicates(about: undecided, at: now) }
  }

  private mutating func askPredicates(
    about counts: CircuitBreaker.Counts, at now: Int64, retryAfter: Int64 = 0
  ) {
    guard predicates.contains(where: { $0(counts) }) else { return }
    let epoch = core.epoch
    locked(at: now) { $0.trip(ifStill: epoch, over: counts, at: now, retryAfter: retryAfter) }
  }

  mutating func record(
    _ report: CircuitBreaker.Report, of admission: CircuitBreaker.Admission, at now: Int64
  ) {
    if report.outcome == .success, isCountedOutside(admission),
      !(readsClockAtSuccess && (isWindowOver(at: now) || report.isSlow))
    {
      return succeedOutside()
    }
    let isOutside = isCountedOutside(admission)
    if isOutside { running -= 1 }
    let recorded = locked(at: now) { $0.record(report, of: admission, at: now) }
    guard case .undecided(let counts) = recorded else { return }
    askPredicates(about: counts, at: now, retryAfter: report.retryAfter)
  }

  mutating func control(_ control: BreakerControl, at now: Int64) {
    locked(at: now) { core in
      switch control {
      case .enter(let state): core.enter(state, at: now)
      case .reset: core.reset(at: now)
      case .trip(let length): core.trip(for: length, at: now)
      }
    }
  }

  /// Tells the core what time it is.
  mutating func touch(at now: Int64) {
    locked(at: now) { core in _ = core.settle(at: now) }
  }

  private func isWindowOver(at now: Int64) -> Bool { now + clockOffset >= boundary }

  private func isCountedOutside(_ admission: CircuitBreaker.Admission) -> Bool {
    if case .stripe = admission.ticket { admission.generation == live } else { false }
  }

  private mutating func succeedOutside() {
    running -= 1
    successes += 1
  }

  private mutating func absorb() {
    core.absorb(successes: successes, inFlight: running)
    successes = 0
  }

  private mutating func locked<Result>(
    at now: Int64, _ body: (inout CircuitBreaker.Core) -> Result
  ) -> Result {
    absorb()
    if let racer, isCountedOutside(racer), !(readsClockAtSuccess && isWindowOver(at: now)) {
      succeedOutside()
      hasRaced = true
      self.racer = nil
    }
    let result = body(&core)
    guard countsOutside else { return result }
    if let live, live != core.generation {
      core.retire(successes: successes, inFlight: running)
      self.live = nil
      (successes, running) = (0, 0)
    }
    guard core.allowsCountingOutside else { return result }
    (boundary, clockOffset) = (core.window.boundary, core.clockOffset)
    live = core.generation
    return result
  }
}

// MARK: - Reading

extension CountedCore {
  mutating func race(successOf admission: CircuitBreaker.Admission) { racer = admission }

  mutating func endRace() -> Bool {
    defer { (racer, hasRaced) = (nil, false) }
    return hasRaced
  }

  mutating func reading(at now: Int64) -> NaiveBreaker.Reading {
    absorb()
    let core = core.settled(at: now)
    let state = core.state(at: now)
    let counts = core.counts(at: core.time(at: now))
    let isOnProbation = core.isOnProbation(at: now)
    return NaiveBreaker.Reading(
      state: state, counts: counts, totals: core.totals, generation: core.generation,
      running: counts.inFlight + core.incident.olderInFlight,
      openUntil: state == .open ? core.incident.openUntil : nil,
      share: isOnProbation ? Double(core.incident.probation?.share ?? 0) / 8 : 1,
      isOnProbation: isOnProbation)
  }

  mutating func takeNotices() -> [NaiveBreaker.Notice]? {
    core.takeNotices().map { notice in
      switch notice {
      case .transition(let change):
        .transition(
          change.from, change.to, change.cause, change.counts, openUntil: change.openUntil,
          generation: change.generation)
      case .wouldHaveOpened(let cause, let counts): .wouldHaveOpened(cause, counts)
      }
    }
  }
}

extension CircuitBreaker.Core {
  func isOnProbation(at now: Int64) -> Bool {
    guard let probation = incident.probation else { return false }
    return !probation.isExhausted(at: time(at: now), limit: rules.probationLimit)
  }
}
