import Resilience
import Synchronization
import Testing

@testable import ResilienceSimulation

@Suite struct CampaignTests {
  @Test("REP-10: the report does not depend on how many trials run at a time")
  func width() async throws {
    var campaign = Campaign(
      [.real], stacks: [.recommended, .naiveRetry], clients: [1, 3], seeds: [5, 9])
    campaign.width = 1
    let alone = try await campaign.run()
    campaign.width = 4
    #expect(try await campaign.run() == alone)
    let rows = alone.sections[0].rows
    #expect(
      rows.map { "\($0.variant), \($0.figure), \($0.clients)" } == [
        "few, goodput, 1", "few, goodput, 3",
        "few, peak in flight, 1", "few, peak in flight, 3",
        "few, wasted work, 1", "few, wasted work, 3",
        "many, goodput, 1", "many, goodput, 3",
        "many, peak in flight, 1", "many, peak in flight, 3",
        "many, wasted work, 1", "many, wasted work, 3",
      ])
    #expect(rows.allSatisfy { $0.cells.map(\.stack) == ["recommended", "naive retry"] })
    #expect(rows[8].cells.map(\.verdict) == [.missed, .missed])
  }

  @Test("REP-11: cells hold least, greatest and mean over the seeds, and how often it never came")
  func cells() async throws {
    let measured = Measured(byStack: [
      "bare": [4, nil, 1, .infinity], "naive retry": [1, 1, 1, 1],
    ])
    let scenario = FailureScenario.fixture(
      1, "Outage", Figure("recovery", .seconds, .atMost(4)) { measured($0) })
    let report = try await Campaign(
      [scenario], stacks: [.bare, .naiveRetry], seeds: [1, 2, 3, 4]
    ).run()
    #expect(
      report
        == Report(
          stacks: ["bare", "naive retry"], clients: [20], seeds: [1, 2, 3, 4],
          model: Scenario("").modelInWords,
          sections: [
            Report.Section(
              number: 1, title: "Outage", summary: "Nothing is wrong.",
              rows: [
                Report.Row(
                  variant: "", figure: "recovery", unit: .seconds, clients: 20, target: "≤ 4 s",
                  cells: [
                    Report.Cell(stack: "bare", values: [4, 1, nil, nil], verdict: .missed),
                    Report.Cell(stack: "naive retry", values: [1, 1, 1, 1], verdict: .met),
                  ])
              ])
          ]))
  }

  @Test("REP-12: a stack that a target refers to runs beside the others, and has no column")
  func references() async throws {
    let measured = Measured(byStack: [
      "recommended": [3, 5], "bare": [2, 1], "naive retry": [4, 4],
    ])
    let scenario = FailureScenario.fixture(
      1, "Outage",
      Figure("beside bare", .count, .atMostOf(stack: "bare", factor: 1, extra: 1)) { measured($0) },
      Figure("beside naive", .count, .atMostOf(stack: "naive retry", factor: 1, extra: 1)) {
        measured($0)
      },
      Figure("beside nobody", .count, .atMostOf(stack: "other", factor: 1, extra: 1)) {
        measured($0)
      })
    var campaign = Campaign([scenario], seeds: [1, 2])
    #expect(
      campaign.plannedTrials().map { campaign.lineup[$0.stack].name } == [
        "recommended", "recommended", "bare", "bare", "naive retry", "naive retry",
      ])
    let report = try await campaign.run()
    #expect(report.stacks == ["recommended"])
    #expect(
      report.sections[0].rows.map { $0.cells.map(\.verdict) } == [[.missed], [.met], [.notJudged]])
    #expect(report.scores == [Report.Score([.missed, .met])])
    campaign.references = []
    let alone = try await campaign.run()
    #expect(
      alone.sections[0].rows.map { $0.cells.map(\.verdict) } == [
        [.notJudged], [.notJudged], [.notJudged],
      ])
  }

  @Test("REP-13: progress counts the trials; a seed that is named twice is run once")
  func progress() async throws {
    let heard = ResilienceSimulation.Lock<[Campaign.Progress]>([])
    var campaign = Campaign([.fixture(3, "Outage")], stacks: [.bare], seeds: [2, 1, 2])
    campaign.width = 1
    _ = try await campaign.run { progress in heard.withLock { $0.append(progress) } }
    #expect(
      heard.withLock { $0 } == [
        Campaign.Progress(done: 1, total: 2, latest: "3. Outage: bare"),
        Campaign.Progress(done: 2, total: 2, latest: "3. Outage: bare"),
      ])
  }

  @Test("REP-14: a stack that cannot be simulated ends the campaign with what is wrong with it")
  func realClock() async {
    let stack = Stack("careless") { _ in CircuitBreaker("real") }
    await #expect(throws: SimulationError.realClock(stack: "careless")) {
      try await Campaign([.real], stacks: [.bare, stack]).run()
    }
  }

  @Test("REP-15: a campaign that is cancelled ends with that, and starts no more trials")
  func cancellation() async {
    let done = ResilienceSimulation.Lock(0)
    let campaign = Task {
      var campaign = Campaign([.real], stacks: [.bare], seeds: Array(1...10_000))
      campaign.width = 2
      return try await campaign.run { progress in
        done.withLock { $0 = progress.done }
        // Safe: the task is not used after the closure.
        unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
      }
    }
    await #expect(throws: CancellationError.self) { try await campaign.value }
    #expect(done.withLock { $0 } < 10)
  }
}
