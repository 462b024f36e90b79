import Testing

@testable import ResilienceSimulation

@Suite struct MetastabilitySearchTests {
  /// Every length that a search tries if a rule says what is fatal.
  private func tries(
    from shortest: Int, to longest: Int, precision: Double = 0.1, fatal: (Int) -> Bool
  ) -> [Int] {
    var search = MetastabilitySearch(from: shortest, to: longest, precision: precision)
    var tries: [Int] = []
    while let length = search.next {
      tries.append(length)
      search.note(isFatal: fatal(length))
    }
    return tries
  }

  @Test("MS-1: lengths double until one is fatal; then the search closes in by halves")
  func course() {
    #expect(
      tries(from: 1_000, to: 60_000) { _ in false } == [
        1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000,
      ])
    #expect(
      tries(from: 1_000, to: 60_000) { $0 >= 5_000 } == [
        1_000, 2_000, 4_000, 8_000, 6_000, 5_000, 4_500,
      ])
    #expect(tries(from: 1_000, to: 60_000) { _ in true } == [1_000])
    #expect(tries(from: 1_000, to: 1_000) { _ in false } == [1_000])
    #expect(tries(from: 5_000, to: 1_000) { _ in false } == [1_000])
    #expect(tries(from: 1, to: 4, precision: 0) { $0 >= 3 } == [1, 2, 4, 3])
  }

  @Test(
    "MS-2: whatever the least fatal length is, one is found that lies above it by the precision at most"
  )
  func everyThreshold() {
    for threshold in 1...3_000 {
      let tries = tries(from: 100, to: 2_000) { $0 >= threshold }
      let fatal = tries.filter { $0 >= threshold }.min()
      if threshold > 2_000 {
        #expect(fatal == nil)
      } else if threshold <= 100 {
        #expect(tries == [100])
      } else {
        let fatal = fatal ?? .max
        #expect(fatal >= threshold && Double(fatal) * 0.9 <= Double(threshold))
      }
      #expect(tries.count <= 10)
    }
  }
}

@Suite struct MetastabilityVerdictTests {
  private func verdict(_ tries: Metastability.Try...) -> Metastability.Verdict {
    Metastability.Verdict(
      trouble: "brownout", stack: "mine", clients: 20, seeds: [1, 2], tries: tries)
  }

  @Test("MS-3: a verdict says what was found, and what it rests on")
  func sentences() throws {
    let survived = Metastability.Try(milliseconds: 1_000, fatalSeeds: [])
    let fatal = Metastability.Try(milliseconds: 2_000, fatalSeeds: [2])
    let nearer = Metastability.Try(milliseconds: 1_250, fatalSeeds: [1, 2])
    let verdicts = [
      verdict(), verdict(survived), verdict(fatal), verdict(survived, fatal, nearer),
    ]
    #expect(verdicts.map(\.smallestFatal) == [nil, nil, .seconds(2), .milliseconds(1_250)])
    #expect(verdicts.map(\.longestSurvived) == [nil, .seconds(1), nil, .seconds(1)])
    #expect(
      verdicts.map(\.description) == [
        "mine: not tried",
        "mine: recovers from every brownout up to 1 s",
        "mine: never recovers from a brownout of 2 s, the shortest tried",
        "mine: never recovers from a brownout of 1.25 s, but from one of 1 s",
      ])
    #expect(
      verdicts[3].evidence
        == "tried with 20 clients: 1 s, 2 s (fatal under 1 of 2 seeds), "
        + "1.25 s (fatal under 2 of 2 seeds)")
    #expect(
      try [verdict(fatal)].written(as: .json) == """
        [
          {
            "clients" : 20,
            "seeds" : [
              1,
              2
            ],
            "stack" : "mine",
            "tries" : [
              {
                "fatalSeeds" : [
                  2
                ],
                "milliseconds" : 2000
              }
            ],
            "trouble" : "brownout"
          }
        ]

        """)
  }
}

@Suite struct MetastabilityTests {
  /// Brownouts as in the first scenario, watched for less long.
  private func search(from shortest: Duration, to longest: Duration) -> Metastability {
    Metastability(of: "brownout", from: shortest, to: longest) { length in
      var scenario = Scenario.brownout(lasting: length)
      scenario.warmUp = .seconds(5)
      scenario.phases[0].spread = .zero
      scenario.watch = .seconds(30)
      return scenario
    }
  }

  @Test("MS-4: naive retries never recover from a brownout of a second or two")
  func naive() async throws {
    let verdict = try await search(from: .milliseconds(250), to: .seconds(2))
      .verdict(on: .naiveRetry, seeds: [1])
    let fatal = try #require(verdict.smallestFatal)
    #expect(fatal > .milliseconds(250) && fatal <= .seconds(2), "\(verdict.evidence)")
  }

  @Test(
    "MS-5: without retries, and with the recommended stack, brownouts of 2 s are over when they are over"
  )
  func recovering() async throws {
    for stack in [Stack.bare, .recommended] {
      let verdict = try await search(from: .seconds(2), to: .seconds(2)).verdict(
        on: stack, seeds: [1])
      #expect(verdict.smallestFatal == nil, "\(verdict)")
      #expect(verdict.tries == [Metastability.Try(milliseconds: 2_000, fatalSeeds: [])])
    }
  }

  @Test("MS-6: a verdict is the same whichever trials run beside one another")
  func width() async throws {
    var search = Metastability(of: "load", from: .seconds(1), to: .seconds(4)) { length in
      var scenario = Scenario.brief
      scenario.phases = [Scenario.Phase(length, .load(times: 2))]
      // What outlives the trouble here is a trouble of its own, by its length.
      if length > .seconds(3) { scenario.afterwards = [.failing()] }
      return scenario
    }
    search.width = 1
    let alone = try await search.verdict(on: .bare, clients: 2, seeds: [3, 1, 2])
    search.width = 3
    #expect(try await search.verdict(on: .bare, clients: 2, seeds: [3, 1, 2]) == alone)
    #expect(
      alone.tries == [
        Metastability.Try(milliseconds: 1_000, fatalSeeds: []),
        Metastability.Try(milliseconds: 2_000, fatalSeeds: []),
        Metastability.Try(milliseconds: 4_000, fatalSeeds: [3, 1, 2]),
        Metastability.Try(milliseconds: 3_000, fatalSeeds: []),
        Metastability.Try(milliseconds: 3_500, fatalSeeds: [3, 1, 2]),
        Metastability.Try(milliseconds: 3_250, fatalSeeds: [3, 1, 2]),
      ])
  }
}
