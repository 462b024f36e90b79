import Testing

@testable import Resilience

@Suite("Rates are compared exactly (CB-15)")
struct RatioTests {
  @Test(
    "CB-15: a threshold trips at the fraction its author wrote, and one call earlier it does not",
    arguments: [
      (0.5, 500, 1000), (0.002, 20, 10_000), (0.1, 1, 10), (0.29, 29, 100), (0.57, 57, 100),
      (2.0 / 3.0, 2, 3), (1.0 / 3.0, 1, 3), (0.8, 32, 40), (0.07, 7, 100), (1.0, 40, 40),
      (0.999_999, 999_999, 1_000_000), (1e-9, 1, 1_000_000_000),
    ])
  func equalTrips(threshold: Double, part: Int, whole: Int) {
    let ratio = Ratio(threshold)
    #expect(ratio.isReached(by: part, of: whole))
    #expect(!ratio.isReached(by: part - 1, of: whole))
    #expect(!ratio.isReached(by: part, of: whole + 1))
  }

  @Test("CB-15: 491 failures of 991 are not half of them, though they round to it")
  func noRounding() {
    #expect(!Ratio(0.5).isReached(by: 491, of: 991))
    #expect(!Ratio(0.5).isReached(by: 499, of: 999))
  }

  @Test("CB-15: every fraction with a denominator up to 200 reads back as itself")
  func smallFractions() {
    for whole in 1...200 {
      for part in 1...whole {
        let ratio = Ratio(Double(part) / Double(whole))
        let isSame = ratio.numerator * UInt64(whole) == ratio.denominator * UInt64(part)
        if !isSame { Issue.record("\(part)/\(whole) reads as \(ratio)") }
      }
    }
  }

  @Test("CB-15: every percentage with four decimals reads back as itself")
  func decimals() {
    var random = SplitMix64(seed: 4)
    for _ in 0..<5_000 {
      let part = UInt64.random(in: 1...1_000_000, using: &random)
      let ratio = Ratio(Double(part) / 1_000_000)
      let isSame = ratio.numerator * 1_000_000 == ratio.denominator * part
      if !isSame { Issue.record("\(part)/1000000 reads as \(ratio)") }
    }
  }

  @Test("CB-15: every threshold decides every count like whole numbers multiplied crosswise")
  func crosswise() {
    for whole in 1...20 {
      for part in 1...whole {
        let ratio = Ratio(Double(part) / Double(whole))
        for calls in 1...20 {
          // The smallest count that reaches part / whole of the calls.
          let least = (part * calls + whole - 1) / whole
          let isExact =
            ratio.isReached(by: least, of: calls) && !ratio.isReached(by: least - 1, of: calls)
          if !isExact { Issue.record("\(part)/\(whole) of \(calls) calls") }
        }
      }
    }
  }

  @Test("CB-15: a threshold that no short fraction reads back as is the binary fraction it is")
  func arbitraryDoubles() {
    var random = SplitMix64(seed: 7)
    for _ in 0..<2_000 {
      let threshold = Double.random(in: 0x1p-10...1, using: &random)
      let ratio = Ratio(threshold)
      if Double(ratio.numerator) / Double(ratio.denominator) != threshold {
        Issue.record("\(threshold) reads as \(ratio)")
      }
    }
    let almostOne = Ratio(1.0.nextDown)
    #expect(almostOne.isReached(by: 1 << 53 - 1, of: 1 << 53))
    #expect(!almostOne.isReached(by: 1 << 53 - 2, of: 1 << 53))
  }

  @Test("CB-15: counts at the top are compared without overflow")
  func largestCounts() {
    let half = Ratio(0.5)
    #expect(half.isReached(by: 1 << 62, of: .max))
    #expect(!half.isReached(by: 1 << 62 - 1, of: .max))
    #expect(Ratio(1).isReached(by: .max, of: .max))
    #expect(!Ratio(1).isReached(by: .max - 1, of: .max))
    #expect(Ratio(1.0.nextDown).isReached(by: .max, of: .max))
    #expect(Ratio(0.1).isReached(by: .max, of: .max))
  }

  @Test(
    "CB-15: the smallest thresholds are reached by one failure and by nothing less",
    arguments: [1e-15, 1e-16, 1e-18, 1e-300, .leastNormalMagnitude, .leastNonzeroMagnitude])
  func tinyThresholds(threshold: Double) {
    let ratio = Ratio(threshold)
    #expect(ratio.isReached(by: 1, of: 1))
    #expect(ratio.isReached(by: 1, of: 1_000_000_000))
    #expect(!ratio.isReached(by: 0, of: .max))
  }

  @Test("CB-15: nothing of nothing reaches no threshold")
  func nothing() {
    #expect(!Ratio(1).isReached(by: 0, of: 0))
    #expect(!Ratio(.leastNonzeroMagnitude).isReached(by: 0, of: 0))
  }

  // MARK: - In the core

  @Test("CB-15: after 500 successes the circuit opens at the 500th failure, not at the 491st")
  func opensAtHalf() {
    let opened = failuresUntilOpen(at: 0.5, after: 500)
    #expect(opened == 500)
  }

  @Test("CB-15: a threshold of 0.2 % opens at 20 of 10 000")
  func opensAtFifthOfPercent() {
    let opened = failuresUntilOpen(at: 0.002, after: 9_980)
    #expect(opened == 20)
  }

  private func failuresUntilOpen(at rate: Double, after successes: Int) -> Int {
    let rules = CircuitBreaker.Rules(
      .init(tripping: .failureRate(rate, minimumCalls: 100), over: .sinceTransition))
    var core = CircuitBreaker.Core(rules, seed: 0, at: 0)
    core.absorb(successes: successes, inFlight: 0)
    var failures = 0
    while case .admitted(let call) = core.admit(at: 0), failures < 10_000 {
      _ = core.record(.init(outcome: .failure), of: call, at: 0)
      failures += 1
    }
    return failures
  }
}
