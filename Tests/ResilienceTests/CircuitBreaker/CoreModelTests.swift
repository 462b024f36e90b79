import Testing

@testable import Resilience

@Suite("The decision core does what the naive model does")
struct CoreModelTests {
  enum WindowKind: CaseIterable {
    case sinceTransition, interval, rollingNarrow, rollingWide, calls
  }

  /// 14 configurations × 4 seeds × 1 800 steps: more than 100 000 steps for each kind of window.
  static let seeds: [UInt64] = [1, 2, 3, 4]
  static let steps = 1_800

  @Test(
    "CB-1 to CB-19: counts, totals, decisions, changes of state and announcements agree at every step",
    arguments: WindowKind.allCases, seeds)
  func agrees(window kind: WindowKind, seed: UInt64) {
    var visits: [String: Int] = [:]
    for (number, settings) in kind.settings.enumerated() {
      // Half of them count healthy calls outside of the core, where the window allows it.
      let isOutside = number % 2 == Int(seed % 2) && kind != .calls
      var walk = CoreModelWalk(
        CountedCore(settings, countsOutside: isOutside), settings,
        seed: seed &* 1000 &+ UInt64(number), unit: kind.unit)
      if let mismatch = walk.walk(steps: Self.steps) {
        Issue.record("\(kind), seed \(seed), settings \(number), \(mismatch)\n\(settings)")
        return
      }
      visits.merge(walk.visits, uniquingKeysWith: +)
    }
    // A walk that goes nowhere proves nothing.
    for (place, least) in kind.placesToVisit {
      let count = visits[place, default: 0]
      #expect(count >= least, "\(place), \(kind), seed \(seed)")
    }
  }

  @Test("CB-6: what a predicate says of counts of an older generation changes nothing")
  func lateVerdict() throws {
    var core = WindowTests.core(.when { $0.failures > 0 }, over: .sinceTransition)
    guard case .admitted(let call) = core.admit(at: 0),
      case .undecided(let counts) = core.record(.init(outcome: .failure), of: call, at: 0)
    else { throw CancellationError() }
    core.enter(.isolated, at: 0)
    core.reset(at: 0)
    core.trip(ifStill: 0, over: counts, at: 0, retryAfter: 0)
    #expect(core.state == .closed)
    core.trip(ifStill: core.generation, over: counts, at: 0, retryAfter: 0)
    #expect(core.state == .open)
  }
}

extension CoreModelTests.WindowKind {
  /// A second; or about the length of a bucket, if buckets are long.
  var unit: Int64 { self == .rollingWide ? 6_000_000_000 : 1_000_000_000 }

  private var windows: [NaiveBreaker.Settings.Window] {
    switch self {
    case .sinceTransition: [.sinceTransition, .sinceTransition]
    case .interval: [.interval(7_000_000_000), .interval(3_000_000_001)]
    case .rollingNarrow:
      [.rolling(10_000_000_007, buckets: 10), .rolling(4_000_000_001, buckets: 3)]
    case .rollingWide: [.rolling(60_000_000_003, buckets: 7), .rolling(20_000_000_001, buckets: 2)]
    case .calls: [.calls(7), .calls(1), .calls(33)]
    }
  }

  /// How often each must have been seen in one walk through all settings.
  fileprivate var placesToVisit: [String: Int] {
    var places = [
      "admitted while closed": 2000, "admitted while half-open": 300,
      "admitted while observing": 500, "counted": 3000, "late": 500, "untracked": 5,
      "open: consecutive failures": 40, "open: failure rate": 15, "open: slow-call rate": 15,
      "open: predicate": 4, "open: manual": 20, "half-open: open period ended": 150,
      "open: probe failed": 60, "open: probe lease expired": 30, "closed: probes succeeded": 25,
      "refused: open": 500, "refused: half-open, all probes taken": 100, "refused: isolated": 20,
      "refused: on probation": 15, "would have opened": 20,
    ]
    if self != .calls { (places["raced"], places["raced with a change of state"]) = (20, 3) }
    return places
  }

  var settings: [NaiveBreaker.Settings] {
    typealias Settings = NaiveBreaker.Settings
    let second = unit
    let half = NaiveBreaker.Fraction(1, of: 2)
    let third = NaiveBreaker.Fraction(1, of: 3)

    var streak = Settings(clauses: [.consecutiveFailures(3, lasting: 0)])
    streak.probation = 4 * second

    var lastingStreak = Settings(clauses: [.consecutiveFailures(4, lasting: second)])
    (lastingStreak.factor, lastingStreak.openFor) = (2, second)
    (lastingStreak.probes, lastingStreak.successesToClose) = (2, 3)
    lastingStreak.probation = 3 * second

    var failureRate = Settings(clauses: [.failureRate(half, minimum: 5)])
    (failureRate.probes, failureRate.reopening) = (3, (half, over: 4))
    failureRate.probeLease = 2 * second

    var slowCallRate = Settings(clauses: [.slowCallRate(third, minimum: 3)])
    slowCallRate.probes = 2
    slowCallRate.slowerThan = second / 4
    slowCallRate.factor = 1.5

    var any = Settings(clauses: [
      .consecutiveFailures(5, lasting: 2 * second), .failureRate(.init(2, of: 3), minimum: 6),
      .slowCallRate(half, minimum: 8),
    ])
    (any.probes, any.reopening) = (2, (.init(2, of: 3), over: 3))
    (any.factor, any.probation) = (1.2, 6 * second)
    any.maxRetryAfter = 0

    var predicate = Settings(clauses: [.consecutiveFailures(2, lasting: 0), .failuresInWindow(2)])
    (predicate.probes, predicate.successesToClose) = (3, 1)
    predicate.probation = second
    predicate.probeLease = second

    // Lets a circuit on probation fail several times without opening again.
    var lenient = Settings(clauses: [.consecutiveFailures(9, lasting: 0)])
    lenient.probation = 6 * second

    let kinds = [streak, lastingStreak, failureRate, slowCallRate, any, predicate, lenient]
    return kinds.enumerated().flatMap { number, settings in
      (number...number + 1).map { place in
        var settings = settings
        settings.window = windows[place % windows.count]
        (settings.openFor, settings.cap) = (second * 2, second * 8)
        return settings
      }
    }
  }
}

// MARK: - The core with counting outside

/// A core, and around it the counting of healthy calls as ``CircuitBreaker`` does it, without
/// threads.
struct CountedCore: ModelledBreaker {
  let timesCalls = false

  private var core: CircuitBreaker.Core
  private let predicates: [@Sendable (CircuitBreaker.Counts) -> Bool]
  private let countsOutside: Bool
  private let readsClockAtStart: Bool
  private let readsClockAtSuccess: Bool

  private var live: UInt64?
  private var boundary: Int64
  private var running = 0
  private var successes = 0

  private var racer: CircuitBreaker.Admission?
  private var hasRaced = false

  init(_ settings: NaiveBreaker.Settings, countsOutside: Bool) {
    let rules = CircuitBreaker.Rules(settings.configuration)
    core = CircuitBreaker.Core(rules, seed: 0, at: 0)
    predicates = rules.tripping.predicates
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
    if let live, !(readsClockAtStart && now >= boundary) {
      running += 1
      let start = readsClockAtStart ? now : 0
      return .admitted(.init(generation: live, start: start, ticket: .stripe(0)))
    }
    return locked(at: now) { $0.admit(at: now) }
  }

  mutating func record(
    _ report: CircuitBreaker.Report, of admission: CircuitBreaker.Admission, at now: Int64
  ) {
    if report.outcome == .success, isCountedOutside(admission),
      !(readsClockAtSuccess && (now >= boundary || report.isSlow))
    {
      return succeedOutside()
    }
    let isOutside = isCountedOutside(admission)
    if isOutside { running -= 1 }
    let recorded = locked(at: now) { $0.record(report, of: admission, at: now) }
    guard case .undecided(let counts) = recorded, predicates.contains(where: { $0(counts) })
    else { return }
    let generation = core.generation
    locked(at: now) {
      $0.trip(ifStill: generation, over: counts, at: now, retryAfter: report.retryAfter)
    }
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
    if let racer, isCountedOutside(racer), !(readsClockAtSuccess && now >= boundary) {
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
    boundary = core.reading(at: core.window.boundary)
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
