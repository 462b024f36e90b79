import Testing

@testable import ResilienceSimulation

@Suite struct JudgingTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let target: Target
    let values: [Double?]
    var references: [Double?]?
    var isMean = false
    let verdict: Verdict

    var testDescription: String { "\(target), \(values), beside \(references ?? [])" }
  }

  @Test(
    "REP-1: the worst seed is judged, or the mean; never misses",
    arguments: [
      Case(target: .atMost(5), values: [5, 4], verdict: .met),
      Case(target: .atMost(5), values: [4, 6], verdict: .missed),
      Case(target: .atMost(5), values: [4, 6], isMean: true, verdict: .met),
      Case(target: .atMost(5), values: [4, 6.5], isMean: true, verdict: .missed),
      Case(target: .atMost(5), values: [4, nil], verdict: .missed),
      Case(target: .atMost(5), values: [4, nil], isMean: true, verdict: .missed),
      Case(target: .atMost(5), values: [], verdict: .notJudged),
      Case(target: .atLeast(0.9), values: [0.9, 1], verdict: .met),
      Case(target: .atLeast(0.9), values: [0.89, 1], verdict: .missed),
      Case(target: .atLeast(0.9), values: [0.89, 1], isMean: true, verdict: .met),
      Case(target: .atLeast(0.9), values: [nil, 1], verdict: .missed),
    ])
  func fixedBounds(_ example: Case) {
    #expect(example.judged == example.verdict)
  }

  static let twice = Target.atMostOf(stack: "bare", factor: 2, extra: 1)
  static let almost = Target.atLeastOf(stack: "bare", factor: 1, margin: 0.25)

  @Test(
    "REP-2: a target beside another stack is judged seed by seed, or mean by mean",
    arguments: [
      Case(target: twice, values: [5, 9], references: [2, 4], verdict: .met),
      Case(target: twice, values: [5, 9], references: [4, 2], verdict: .missed),
      Case(target: twice, values: [5, 9], references: [4, 2], isMean: true, verdict: .met),
      Case(target: twice, values: [5, 9.5], references: [4, 2], isMean: true, verdict: .missed),
      Case(target: twice, values: [500], references: [nil], verdict: .met),
      Case(target: twice, values: [500, 1], references: [nil, 1], isMean: true, verdict: .met),
      Case(target: twice, values: [nil], references: [nil], verdict: .missed),
      Case(target: twice, values: [1], references: nil, verdict: .notJudged),
      Case(target: twice, values: [nil], references: nil, verdict: .notJudged),
      Case(target: almost, values: [0.25, 0.5], references: [0.5, 0.75], verdict: .met),
      Case(target: almost, values: [0.25, 0.5], references: [0.5, 0.8], verdict: .missed),
      Case(target: almost, values: [0, 1], references: [0.75, 0.75], isMean: true, verdict: .met),
      Case(target: almost, values: [0], references: [nil], verdict: .met),
      Case(target: almost, values: [nil], references: [0], verdict: .missed),
    ])
  func relativeBounds(_ example: Case) {
    #expect(example.judged == example.verdict)
  }

  @Test("REP-3: a target applies to the stacks and the sizes that it names")
  func conditions() {
    let large = Target.only(["mine"], .atLeast(2))
    let target = Target.only(["mine", "bare"], .bySize(small: .atMost(1), large: large))
    let applying = ["mine", "bare", "other"].map { stack in
      [1, 20, 21].map { target.applying(to: stack, clients: $0) }
    }
    #expect(
      applying == [
        [.atMost(1), .atMost(1), .atLeast(2)],
        [.atMost(1), .atMost(1), nil],
        [nil, nil, nil],
      ])
  }
}

extension JudgingTests.Case {
  fileprivate var judged: Verdict { target.verdict(on: values, beside: references, isMean: isMean) }
}
