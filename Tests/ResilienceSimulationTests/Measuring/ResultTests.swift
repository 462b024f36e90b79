import Testing

@testable import ResilienceSimulation

@Suite("The result of a trial")
struct ResultTests {
  // MARK: - Recovery

  /// A trial with ten calls in each second; after two seconds of trouble, so many were good.
  private static func result(_ goodAfter: [Int], offered: Int = 10) -> TrialResult {
    func second(_ good: Int) -> Second {
      var second = Second()
      second.offered = offered
      second.good = good
      return second
    }
    let timeline = ([0, 0] + goodAfter).map(second)
    return TrialResult(
      scenario: "", stack: "", clients: 1, seed: 1, stretches: [], timeline: timeline,
      firstSecondAfter: 2, peakInFlight: 0, circuits: CircuitCounts(), unfinishedCalls: 0,
      leftoverTimers: 0, digest: 0)
  }

  private static func seconds(_ parts: (Int, count: Int)...) -> [Int] {
    parts.flatMap { [Int](repeating: $0.0, count: $0.count) }
  }

  @Test("who is well from the first second on has recovered after 0 s")
  func atOnce() {
    let result = Self.result(Self.seconds((10, 20)))
    #expect(result.timeToRecover == 0)
    #expect(!result.isMetastable)
  }

  @Test("recovery is the first second of five good ones", arguments: [1, 7, 15])
  func later(_ second: Int) {
    let result = Self.result(Self.seconds((9, second), (10, 20 - second)))
    #expect(result.timeToRecover == second)
  }

  @Test("four good seconds are not a recovery")
  func interrupted() {
    let result = Self.result(Self.seconds((10, 4), (9, 1), (10, 4), (0, 1), (10, 20)))
    #expect(result.timeToRecover == 10)
    #expect(!result.isMetastable)
  }

  @Test("95 % is good enough, less is not")
  func threshold() {
    #expect(Self.result(Self.seconds((95, 20)), offered: 100).timeToRecover == 0)
    #expect(Self.result(Self.seconds((94, 20)), offered: 100).timeToRecover == nil)
  }

  @Test("who is never well has not recovered, and is metastable")
  func never() {
    let result = Self.result(Self.seconds((5, 20)))
    #expect(result.timeToRecover == nil)
    #expect(result.isMetastable)
  }

  @Test("a recovery is seen for five seconds, or for as long as the trial is watched")
  func tooLate() {
    #expect(Self.result(Self.seconds((0, 15), (10, 5))).timeToRecover == 15)
    #expect(Self.result(Self.seconds((0, 16), (10, 4))).timeToRecover == nil)
    #expect(Self.result(Self.seconds((10, 4))).timeToRecover == 0)
    #expect(Self.result(Self.seconds((0, 1), (10, 3))).timeToRecover == nil)
    #expect(Self.result([]).timeToRecover == nil)
  }

  @Test("who has lost it again in the last ten seconds is metastable")
  func relapse() {
    let relapsed = Self.result(Self.seconds((10, 20), (0, 10)))
    #expect(relapsed.timeToRecover == 0)
    #expect(relapsed.isMetastable)
    #expect(!Self.result(Self.seconds((10, 6), (0, 10), (10, 10))).isMetastable)
    // Of the last ten seconds together.
    #expect(Self.result(Self.seconds((10, 29), (4, 1))).isMetastable)
    #expect(!Self.result(Self.seconds((10, 29), (5, 1))).isMetastable)
  }

  @Test("a second without calls is as good as any")
  func quiet() {
    #expect(Self.result(Self.seconds((0, 20)), offered: 0).timeToRecover == 0)
    #expect(!Self.result(Self.seconds((0, 20)), offered: 0).isMetastable)
  }

  // MARK: - Sums

  @Test("calls are summed by group and by role")
  func sums() {
    func stretch(_ role: TrialResult.Stretch.Role, _ offered: Int) -> TrialResult.Stretch {
      var tally = Tally()
      tally.offered = offered
      return .init(role: role, calls: [.all: tally], latencies: Latencies([]))
    }
    let result = TrialResult(
      scenario: "", stack: "", clients: 1, seed: 1,
      stretches: [
        stretch(.warmUp, 1), stretch(.trouble, 10), stretch(.trouble, 100),
        stretch(.afterwards, 1_000),
      ],
      timeline: [], firstSecondAfter: 0, peakInFlight: 0, circuits: CircuitCounts(),
      unfinishedCalls: 0, leftoverTimers: 0, digest: 0)
    #expect(result.calls().offered == 1_111)
    #expect(result.calls(in: .trouble).offered == 110)
    #expect(result.calls(.critical) == Tally())
    #expect(result.peakArrivals == 0)
  }

  @Test("all that is tallied is summed")
  func tallySum() {
    var tally = Tally()
    tally.offered = 1
    tally.good = 2
    tally.late = 3
    tally.refused = 4
    tally.collateral = 5
    tally.failed = 6
    tally.cancelled = 7
    tally.attempts = 8
    tally.completions = 9
    tally.wasted = 10
    tally.blockedNanoseconds = 11
    var sum = tally
    sum += tally
    // Every property has its own number, so that none can stand for another.
    let expected = Mirror(reflecting: tally).children.map { "\($0.label!): \($0.value)" }
      .map { line in
        let parts = line.split(separator: " ")
        return "\(parts[0]) \(Int(parts[1])! * 2)"
      }
    #expect(Mirror(reflecting: sum).children.map { "\($0.label!): \($0.value)" } == expected)
  }

  @Test("shares are of what they say; of nothing they are 1 for goodput, else 0")
  func shares() {
    var tally = Tally()
    #expect(tally.goodput == 1)
    #expect(tally.amplification == 0)
    #expect(tally.wastedShare == 0)
    #expect(tally.refusedShare == 0)
    #expect(Second().goodput == 1)
    tally.offered = 10
    tally.cancelled = 2
    tally.good = 6
    tally.refused = 1
    tally.attempts = 15
    tally.completions = 8
    tally.wasted = 2
    tally.blockedNanoseconds = 1_500_000_000
    #expect(tally.goodput == 0.75)
    #expect(tally.amplification == 1.5)
    #expect(tally.wastedShare == 0.25)
    #expect(tally.refusedShare == 0.1)
    #expect(tally.blockedSeconds == 1.5)
    tally.offered = 2
    #expect(tally.goodput == 1)
  }

  // MARK: - Latencies

  @Test("quantiles are the nearest rank")
  func quantiles() {
    func seconds(_ latencies: Latencies) -> [Double] {
      [latencies.median, latencies.p99, latencies.p999]
    }
    func upTo(_ count: Int64) -> Latencies {
      Latencies((1...count).reversed().map { $0 * 1_000_000_000 })
    }
    #expect(seconds(Latencies([])) == [0, 0, 0])
    #expect(seconds(upTo(1)) == [1, 1, 1])
    #expect(seconds(upTo(2)) == [1, 2, 2])
    #expect(seconds(upTo(5)) == [3, 5, 5])
    #expect(seconds(upTo(100)) == [50, 99, 100])
    #expect(seconds(upTo(101)) == [51, 100, 101])
    #expect(seconds(upTo(1_000)) == [500, 990, 999])
    #expect(seconds(upTo(2_000)) == [1_000, 1_980, 1_998])
  }
}
