import Testing

@testable import ResilienceSimulation

@Suite struct WritingTests {
  @Test("REP-4: numbers are rounded half away from zero, and written the same everywhere")
  func numbers() {
    let written = [
      0.written(digits: 0), 21.5.written(digits: 0), 0.9996.written(digits: 3),
      0.0625.written(digits: 3), 12.5.written(digits: 2), (-0.004).written(digits: 2),
      (-1.5).written(digits: 1), 1e300.written(digits: 3), 3.0.trimmed, 0.998.trimmed,
      1_000.trimmed,
      0.5.trimmed, 0.0.trimmed,
    ]
    #expect(
      written == [
        "0", "22", "1.000", "0.063", "12.50", "0.00", "−1.5", "1e+300", "3", "0.998", "1000", "0.5",
        "0",
      ])
  }

  @Test("REP-5: a unit says how many digits a number has, and what follows it")
  func units() {
    let units: [Figure.Unit] = [.seconds, .milliseconds, .share, .ratio, .count]
    let cell = Report.Cell(stack: "bare", values: [1, 2, nil], verdict: .notJudged)
    #expect(
      units.map { cell.words($0, seeds: 3) } == [
        "2 s (1–2), 1 of 3 never", "2 ms (1–2), 1 of 3 never",
        "1.500 (1.000–2.000), 1 of 3 never", "1.50 (1.00–2.00), 1 of 3 never",
        "2 (1–2), 1 of 3 never",
      ])
  }

  @Test("REP-6: lengths of time are written in the unit that suits them")
  func lengths() {
    let lengths: [Duration] = [.milliseconds(250), .milliseconds(1_250), .seconds(60)]
    #expect(lengths.map(\.written) == ["250 ms", "1.25 s", "60 s"])
  }

  @Test("REP-7: a target says what it demands, and of which stacks if not of all")
  func targets() {
    func words(_ target: Target?, _ unit: Figure.Unit = .seconds, isMean: Bool = false) -> String? {
      Figure("f", unit, target, isMean: isMean) { _ in nil }
        .targetInWords(for: ["bare", "mine"], clients: 20)
    }
    #expect(
      [
        words(nil), words(.atMost(5)), words(.atLeast(0.998), .share, isMean: true),
        words(.only(["mine", "other"], .atMost(5))), words(.only(["other"], .atMost(5))),
        words(.bySize(small: .atMost(410), large: .atMost(1_500)), .count),
        words(.atMostOf(stack: "bare", factor: 2, extra: 0)),
        words(.atMostOf(stack: "bare", factor: 1, extra: 6)),
        words(.atLeastOf(stack: "bare", factor: 0.5, margin: 0.01), .share),
      ] == [
        nil, "≤ 5 s", "mean ≥ 0.998", "≤ 5 s (mine)", nil, "≤ 410", "≤ 2 × bare", "≤ bare + 6 s",
        "≥ 0.5 × bare − 0.01",
      ])
  }

  @Test("REP-8: prose is broken between words only")
  func wrapping() {
    #expect("one two three".wrapped(at: 7) == "one two\nthree")
    #expect("one two three".wrapped(at: 3) == "one\ntwo\nthree")
    #expect("".wrapped(at: 3) == "")
  }

  @Test("REP-9: seeds that follow one another are written as a range")
  func seeds() {
    let seeds: [[UInt64]] = [[], [7], [1, 2, 3], [1, 2, 3, 4], [1, 3, 4, 5], [.max, 0, 1, 2]]
    #expect(
      seeds.map(\.inWords) == [
        "", "7", "1, 2, 3", "1 to 4", "1, 3, 4, 5", "18446744073709551615, 0, 1, 2",
      ])
  }
}
