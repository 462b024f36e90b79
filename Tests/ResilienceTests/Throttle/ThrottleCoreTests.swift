import Testing

@testable import Resilience

@Suite("Throttle: what share is refused")
struct ThrottleCoreTests {
  typealias Core = Throttle.Core

  static let second: Int64 = 1_000_000_000

  static let shares: [(successes: Int, failures: Int, multiplier: Double, share: Double)] = [
    (0, 0, 2, 0), (1, 0, 2, 0), (100, 0, 2, 0), (50, 50, 2, 0), (50, 51, 2, 1.0 / 102),
    (30, 70, 2, 40.0 / 101), (0, 1, 2, 0.5), (0, 8, 2, 8.0 / 9), (0, 9, 2, 0.9), (0, 1000, 2, 0.9),
    (100, 1, 1, 1.0 / 102), (90, 10, 1.1, 1.0 / 101), (90, 10, 1.2, 0),
  ]

  @Test(
    "TH-1: (requests − multiplier × accepts) / (requests + 1), of one criticality",
    arguments: shares)
  func formula(successes: Int, failures: Int, multiplier: Double, expected: Double) {
    var core = Core(multiplier: multiplier)
    core.count(.success, successes)
    core.count(.failure, failures)
    #expect(abs(core.rejectionShare(of: .normal) - expected) < 1e-12)
    #expect(abs(core.rejectionShare - expected) < 1e-12)
    #expect(core.requests == Double(successes + failures))
    #expect(core.accepts == successes)
  }

  @Test("TH-1: refused calls are requests")
  func refused() {
    var core = Core()
    core.count(.success, 2)
    core.count(.failure, 3)
    core.refuse(5)
    #expect(core.requests == 10)
    #expect(abs(core.rejectionShare - 6.0 / 11) < 1e-12)
    #expect(
      core.totals
        == Throttle.Totals(admitted: 5, rejected: 5, successes: 2, failures: 3, ignored: 0))
  }

  @Test("TH-1: a call is refused by a chance below the share, and told what it was")
  func chance() {
    var core = Core()
    core.count(.failure)
    #expect(core.admit(.normal, chance: 0.5, at: 0) == nil)
    core.end(.ignored)
    #expect(core.admit(.normal, chance: 0.5.nextDown, at: 0) == 0.5)
  }

  @Test("TH-1: the limit holds; without one nearly all is refused", arguments: [0.1, 0.9, 1])
  func limit(maxRejection: Double) {
    var core = Core(maxRejection: maxRejection)
    core.count(.failure, 999)
    #expect(abs(core.rejectionShare - min(maxRejection, 999.0 / 1000)) < 1e-12)
  }

  @Test("TH-1: ignored calls leave no trace but in the totals")
  func ignored() {
    var core = Core()
    core.count(.failure, 4)
    let share = core.rejectionShare
    core.start(100)
    #expect(core.inFlight == 100)
    core.end(.ignored, 100)
    #expect(core.inFlight == 0)
    #expect(core.requests == 4)
    #expect(core.rejectionShare == share)
    #expect(core.totals.ignored == 100)
  }
}

// MARK: - Time

extension ThrottleCoreTests {
  @Test("TH-1: outcomes and refusals are gone when the window is over (P11)")
  func expiry() {
    var core = Core(window: .milliseconds(100))
    core.count(.failure, 50)
    core.refuse(50)
    #expect(core.rejectionShare == 0.9)
    core.move(to: 89_999_999)
    #expect(core.requests == 100)
    core.move(to: 100_000_000)
    #expect(core.requests == 0)
    #expect(core.shares == [0, 0, 0])
    #expect(core.admit(.sheddable, chance: 0, at: 600_000_000) == nil)
  }

  @Test("TH-1: a tenth of the window is forgotten at a time")
  func buckets() {
    var core = Core()
    for tenth in 0..<Int64(10) { core.count(.failure, 10, at: tenth * Self.second) }
    #expect(core.requests == 100)
    for tenth in 0..<Int64(10) {
      core.move(to: (10 + tenth) * Self.second)
      #expect(core.requests == Double(100 - 10 * (tenth + 1)))
    }
  }

  @Test("TH-1: a clock that steps back is one that stands still")
  func stepBack() {
    var core = Core()
    core.count(.failure, 10, at: 5 * Self.second)
    core.move(to: -1_000 * Self.second)
    #expect(core.requests == 10)
    core.move(to: -996 * Self.second)
    #expect(core.requests == 10)
    core.move(to: -990 * Self.second)
    #expect(core.requests == 0)
  }

  @Test("TH-1: extreme instants and windows do not trap", arguments: [Int64.min, .max])
  func extremes(reading: Int64) {
    for window in [Duration.nanoseconds(10), Duration(attoseconds: .max)] {
      var core = Core(multiplier: .greatestFiniteMagnitude, window: window)
      core.count(.failure, 3)
      core.count(.success, 1, at: reading)
      core.refuse(at: reading)
      #expect(core.rejectionShare == 0)
    }
  }
}

// MARK: - In flight

extension ThrottleCoreTests {
  @Test("TH-1: a burst after idling is not refused while nobody has failed")
  func burst() {
    var core = Core()
    core.start(1_000)
    #expect(core.requests == 0)
    #expect(core.shares == [0, 0, 0])
    core.end(.success, 1)
    #expect(core.rejectionShare == 0)
    core.start(10_000)
    #expect(core.requests == 1)
    #expect(core.rejectionShare == 0)
  }

  @Test("TH-1: if all fail that end, each call in flight counts from its start")
  func hanging() {
    var core = Core()
    core.start(100)
    #expect(core.rejectionShare == 0)
    core.end(.failure)
    #expect(core.requests == 100)
    #expect(core.rejectionShare == 0.9)
  }

  @Test("TH-1: a call in flight counts by the share of answers that failed")
  func weight() {
    var core = Core()
    core.count(.success, 30)
    core.count(.failure, 10)
    core.start(100)
    #expect(core.requests == 30 + 10 + 25)
    #expect(abs(core.rejectionShare - (65.0 - 60) / 66) < 1e-12)
    #expect(core.inFlight == 100)
  }

  @Test("TH-1: calls in flight count whole when nothing has been answered for a whole window")
  func silence() {
    var core = Core()
    core.count(.success, 200)
    core.start(100, at: 11 * Self.second)
    core.move(to: 21 * Self.second - 1)
    #expect(core.rejectionShare == 0)
    core.move(to: 21 * Self.second)
    #expect(core.requests == 100)
    #expect(core.rejectionShare == 0.9)
    // One answer says that it is not dead.
    core.end(.success, at: 21 * Self.second)
    #expect(core.rejectionShare == 0)
  }

  @Test("TH-1: a call that outlives the window counts when it ends")
  func outliving() {
    var core = Core()
    core.start(2)
    core.move(to: 60 * Self.second)
    #expect(core.inFlight == 2)
    core.end(.failure, 1, at: 60 * Self.second)
    #expect(core.requests == 2)
    core.end(.success, 1, at: 60 * Self.second)
    #expect(core.requests == 2)
    #expect(core.accepts == 1)
  }
}

// MARK: - Criticality

extension ThrottleCoreTests {
  /// So many calls of each criticality that all have failed, sheddable ones first, and successes.
  private func core(_ failures: [Int], successes: Int, maxRejection: Double = 0.9) -> Core {
    var core = Core(maxRejection: maxRejection)
    for (criticality, failures) in zip(Criticality.allCases, failures) {
      core.count(.failure, failures, of: criticality)
    }
    core.count(.success, successes, of: .critical)
    return core
  }

  @Test("CR-1: the least critical calls are refused first, up to the limit, then the next")
  func leastCriticalFirst() {
    // 99 requests, of which (99 − 2 · 45) · 99 / 100 = 8.91 are to be refused.
    #expect(core([18, 18, 18], successes: 45).shares == [0.495, 0, 0])
    // 99 · 39 / 100 = 38.61: 16.2 sheddable ones, 16.2 normal ones, 6.21 of 63 critical ones.
    #expect(core([18, 18, 33], successes: 30).shares == [0.9, 0.9, 0.098571])
    // 99 · 19 / 100 = 18.81: 16.2 and 2.61 of 18.
    #expect(core([18, 18, 23], successes: 40).shares == [0.9, 0.145, 0])
  }

  @Test("CR-1: nothing starves: the limit holds for each criticality")
  func nothingStarves() {
    #expect(core([300, 300, 300], successes: 0).shares == [0.9, 0.9, 0.9])
    #expect(core([300, 300, 300], successes: 0, maxRejection: 0.5).shares == [0.5, 0.5, 0.5])
  }

  @Test("CR-1: calls that nobody has made lately are refused if calls that matter more are")
  func newcomers() {
    #expect(core([0, 0, 99], successes: 0).shares == [0.9, 0.9, 0.9])
    #expect(core([0, 60, 0], successes: 20).shares == [0.9, 0.658436, 0])
    #expect(core([60, 0, 0], successes: 20).shares == [0.658436, 0, 0])
  }

  @Test("CR-1: as much is refused as without criticalities, if the limit allows")
  func sameTotal() {
    let plain = core([0, 54, 0], successes: 45)
    for failures in [[18, 18, 18], [54, 0, 0], [20, 34, 0]] {
      let mixed = core(failures, successes: 45)
      #expect(abs(mixed.rejectionShare - plain.rejectionShare) < 1e-12)
    }
  }

  @Test("CR-1: refused calls are requests of their criticality, and calls in flight are")
  func demand() {
    var core = core([10, 0, 0], successes: 0)
    core.refuse(10, of: .sheddable)
    core.start(20, of: .normal)
    #expect(core.requests == 40)
    // 40 · 40 / 41 = 39.02: 18 sheddable ones, all but 2 of the normal ones, and the rest.
    #expect(core.shares == [0.9, 0.9, 0.9])
    core.end(.success, 15, of: .normal)
    // Weight 0.4 for 5 in flight: 37 requests, 7 · 37 / 38 = 6.82 of 20 sheddable ones.
    #expect(core.requests == 37)
    #expect(core.shares == [0.340789, 0, 0])
  }
}
