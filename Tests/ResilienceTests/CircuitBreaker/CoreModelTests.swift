import Testing

@testable import Resilience

@Suite("The decision core does what the naive model does")
struct CoreModelTests {
  enum WindowKind: CaseIterable {
    case sinceTransition, interval, rollingNarrow, rollingWide, calls
  }

  /// 22 configurations × 4 seeds × 1 800 steps: more than 100 000 steps for each kind of window.
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

  @Test(
    "CB-17: three failures in a row, and each that follows them, begin the probation anew",
    arguments: [2, 3, 4])
  func probationBeginsAnew(failures: Int) throws {
    let tenth: Int64 = 100_000_000
    let recovery = CircuitBreaker.Recovery(openFor: .seconds(1), probation: .seconds(2))
    var core = CircuitBreaker.Core(
      .init(.init(tripping: .consecutiveFailures(9), recovery: recovery)), seed: 0, at: 0)
    core.trip(for: 0, at: 0)
    try WindowTests.call(&core, .success, at: 0)
    var calls: [CircuitBreaker.Admission] = []
    while calls.count < 10, case .admitted(let call) = core.admit(at: 0) { calls.append(call) }
    func report(_ outcome: Outcome, at now: Int64) {
      _ = core.record(.init(outcome: outcome), of: calls.removeLast(), at: now)
    }

    for number in 1...Int64(failures) { report(.failure, at: 10 * tenth + number) }
    // Two bring the share back to one, two more are asked for.
    for _ in 0..<4 { report(.success, at: 19 * tenth) }
    #expect(core.isOnProbation)
    let end = failures < 3 ? 20 * tenth : 30 * tenth + Int64(failures)
    report(.success, at: end - 1)
    #expect(core.isOnProbation)
    report(.success, at: end)
    #expect(!core.isOnProbation)
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
    core.trip(ifStill: core.epoch, over: counts, at: 0, retryAfter: 0)
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
      "opened at an arrival: hung calls": 10, "would have opened: hung calls": 3,
      "opened at an arrival: consecutive failures": 1, "opened at an arrival: failure rate": 1,
      "opened at an arrival: predicate": 1,
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

    var predicate = Settings(clauses: [.consecutiveFailures(2, lasting: 0), .failedOrHung(2)])
    (predicate.probes, predicate.successesToClose) = (3, 1)
    predicate.probation = second
    predicate.probeLease = second

    // Lets a circuit on probation fail several times without opening again.
    var lenient = Settings(clauses: [.consecutiveFailures(9, lasting: 0)])
    lenient.probation = 6 * second

    // Calls that hang: enough of them, as part of a streak, in the rates and before a predicate.
    var hung = Settings(clauses: [.consecutiveFailures(9, lasting: 0)])
    (hung.hungAfter, hung.grid, hung.hungCalls) = (second / 10 * 8, second / 10, 3)
    (hung.probes, hung.successesToClose, hung.probation) = (2, 2, second)

    var hungStreak = Settings(clauses: [.consecutiveFailures(3, lasting: second / 10 * 16)])
    (hungStreak.hungAfter, hungStreak.grid) = (second / 10 * 8, second / 5)
    hungStreak.hungCalls = 9

    var hungRates = Settings(clauses: [
      .failureRate(half, minimum: 6), .slowCallRate(third, minimum: 4),
    ])
    (hungRates.hungAfter, hungRates.grid) = (second / 20 * 8, second / 20)
    hungRates.hungCalls = 9

    var hungPredicate = Settings(clauses: [.failedOrHung(4)])
    (hungPredicate.hungAfter, hungPredicate.grid) = (second / 20 * 8, second / 20)
    hungPredicate.hungCalls = 9

    let kinds = [
      streak, lastingStreak, failureRate, slowCallRate, any, predicate, lenient, hung, hungStreak,
      hungRates, hungPredicate,
    ]
    return kinds.enumerated().flatMap { number, settings in
      (number...number + 1).map { place in
        var settings = settings
        settings.window = windows[place % windows.count]
        (settings.openFor, settings.cap) = (second * 2, second * 8)
        if settings.maxRetryAfter > 0 { settings.maxRetryAfter = second * 4 }
        return settings
      }
    }
  }
}
