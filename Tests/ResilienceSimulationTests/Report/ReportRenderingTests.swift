import Foundation
import Testing

@testable import ResilienceSimulation

@Suite struct ReportRenderingTests {
  @Test(
    "REP-16: a report for a terminal has aligned columns, and marks what meets its target or misses it"
  )
  func text() {
    #expect(
      Report.fixture.text == """
        Failure scenarios

        Stacks: bare, my|own
        Clients: 20, 200
        Seeds: 1, 2, 3
        Model: A model.
        Cells: the mean over the seeds (least–greatest); ✓ meets its target under every seed, or in the mean
        where the target says so; ✗ misses it; no mark: only reported.

        Targets met  bare      my|own
        ───────────  ────────  ────────
        1. Brownout  0 of 1 ✗  2 of 3 ✗
        2. Outage    –         –
        all          0 of 1 ✗  2 of 3 ✗

        1. Brownout
        Slow for 10 s.

        Variant      Figure           Clients  Target          bare                        my|own
        ───────────  ───────────────  ───────  ──────────────  ──────────────────────────  ─────────────────────────
        10 s         time to recover  20       ≤ 5 s (my|own)  never                       3 s (1–5) ✓
                     time to recover  200      ≤ 5 s (my|own)  23 s (19–26), 1 of 3 never  5 s (3–7), 1 of 3 never ✗
        20 % errors  goodput          20       mean ≥ 0.998    0.800 ✗                     1.000 ✓

        2. Outage
        Dead for 60 s.

        Figure             Clients  bare              my|own
        ─────────────────  ───────  ────────────────  ──────
        requests per call  20       1.02 (1.00–1.04)  –

        """)
  }

  @Test(
    "REP-17: a report in Markdown has a table for each scenario; what misses its target is bold")
  func markdown() {
    #expect(
      Report.fixture.markdown == #"""
        # Failure scenarios

        - Stacks: bare, my\|own
        - Clients: 20, 200
        - Seeds: 1, 2, 3
        - Model: A model.
        - Cells: the mean over the seeds (least–greatest); ✓ meets its target under every seed, or in the mean where the target says so; ✗ misses it; no mark: only reported.

        | Targets met | bare | my\|own |
        | --- | --- | --- |
        | 1. Brownout | **0 of 1 ✗** | **2 of 3 ✗** |
        | 2. Outage | – | – |
        | all | **0 of 1 ✗** | **2 of 3 ✗** |

        ## 1. Brownout

        Slow for 10 s.

        | Variant | Figure | Clients | Target | bare | my\|own |
        | --- | --- | --- | --- | --- | --- |
        | 10 s | time to recover | 20 | ≤ 5 s (my\|own) | never | 3 s (1–5) ✓ |
        |  | time to recover | 200 | ≤ 5 s (my\|own) | 23 s (19–26), 1 of 3 never | **5 s (3–7), 1 of 3 never ✗** |
        | 20 % errors | goodput | 20 | mean ≥ 0.998 | **0.800 ✗** | 1.000 ✓ |

        ## 2. Outage

        Dead for 60 s.

        | Figure | Clients | bare | my\|own |
        | --- | --- | --- | --- |
        | requests per call | 20 | 1.02 (1.00–1.04) | – |

        """#)
  }

  @Test("REP-18: a report in JSON has its keys in order, and reads back as it was")
  func json() throws {
    let report = Report(
      stacks: ["bare"], clients: [20], seeds: [1, 2], model: "A model.",
      sections: [
        Report.Section(
          number: 1, title: "Outage", summary: "Dead.",
          rows: [
            Report.Row(
              variant: "", figure: "recovery", unit: .seconds, clients: 20, target: "≤ 5 s",
              cells: [Report.Cell(stack: "bare", values: [1.5, nil], verdict: .missed)])
          ])
      ])
    #expect(
      try report.json() == """
        {
          "clients" : [
            20
          ],
          "model" : "A model.",
          "sections" : [
            {
              "number" : 1,
              "rows" : [
                {
                  "cells" : [
                    {
                      "greatest" : 1.5,
                      "least" : 1.5,
                      "mean" : 1.5,
                      "never" : 1,
                      "stack" : "bare",
                      "verdict" : "missed"
                    }
                  ],
                  "clients" : 20,
                  "figure" : "recovery",
                  "target" : "≤ 5 s",
                  "unit" : "seconds",
                  "variant" : ""
                }
              ],
              "summary" : "Dead.",
              "title" : "Outage"
            }
          ],
          "seeds" : [
            1,
            2
          ],
          "stacks" : [
            "bare"
          ]
        }
        """)
    for report in [report, .fixture] {
      let data = Data(try report.json().utf8)
      #expect(try JSONDecoder().decode(Report.self, from: data) == report)
    }
  }

  @Test("REP-19: scores count the targets that were judged")
  func scores() {
    #expect(
      Report.fixture.scores == [Report.Score([.missed]), Report.Score([.met, .missed, .met])])
    #expect(
      Report.fixture.sections.map(Report.fixture.scores(in:)) == [
        [Report.Score([.missed]), Report.Score([.met, .missed, .met])],
        [Report.Score([]), Report.Score([])],
      ])
    #expect(!Report.fixture.meetsAllTargets)
  }

  @Test("REP-20: the model's words are the scenario's numbers")
  func model() {
    var scenario = Scenario("")
    scenario.service.workers = 7
    scenario.load.rate = .total(2.5)
    #expect(
      scenario.modelInWords == """
        7 workers, service time exponential, mean 0.02 seconds (350 calls/s), a queue of 20000 first \
        in, first out; work goes on when nobody waits for it any more. Poisson arrivals, 2.5 calls/s of \
        all clients together. An attempt may take 250 ms, a call 1 s, and try 4 times. 30 s of warm-up, \
        then the trouble, then 137 s of watching. Scenarios say where they differ.
        """)
  }
}
