import Testing

@testable import ResilienceSimulation

@Suite("Dice")
struct DiceTests {
  /// 1 - e^-x. The sources import no mathematics, and neither does this.
  private static func exponentialShare(below x: Double) -> Double {
    // e^-x as (e^(-x/64))^64, the inner one by Taylor's series.
    let small = -x / 64
    var term = 1.0
    var sum = 1.0
    for power in 1...12 {
      term *= small / Double(power)
      sum += term
    }
    for _ in 0..<6 { sum *= sum }
    return 1 - sum
  }

  @Test("exponential numbers have a mean of 1 and a variance of 1")
  func exponentialMoments() {
    var dice = Dice(seed: 1)
    let count = 100_000
    var sum = 0.0
    var squares = 0.0
    for _ in 0..<count {
      let number = dice.exponential()
      sum += number
      squares += number * number
    }
    let mean = sum / Double(count)
    // Standard errors: 1 / 316 for the mean, √8 / 316 for the variance. Four of each.
    #expect(abs(mean - 1) < 0.0127)
    #expect(abs(squares / Double(count) - mean * mean - 1) < 0.036)
  }

  @Test("exponential numbers are distributed exponentially (Kolmogorov and Smirnov)")
  func exponentialDistribution() {
    var dice = Dice(seed: 2)
    let count = 20_000
    let sorted = (0..<count).map { _ in dice.exponential() }.sorted()
    var distance = 0.0
    for (index, number) in sorted.enumerated() {
      let share = Self.exponentialShare(below: number)
      distance = max(
        distance, share - Double(index) / Double(count), Double(index + 1) / Double(count) - share)
    }
    // Farther than 1.95 / √n lies one sample in a thousand.
    #expect(distance < 1.95 / Double(count).squareRoot())
  }

  @Test("uniform numbers fill 0..<1 evenly, and indices their range")
  func uniform() {
    var dice = Dice(seed: 3)
    var cells = [Int](repeating: 0, count: 16)
    for _ in 0..<16_000 {
      let share = dice.share()
      #expect((0..<1).contains(share))
      cells[Int(share * 16)] += 1
    }
    for _ in 0..<16_000 { cells[dice.index(below: 16)] += 1 }
    // Chi-squared with 15 degrees of freedom is above 37.7 once in a thousand.
    let chiSquared = cells.reduce(0.0) { $0 + (Double($1) - 2_000) * (Double($1) - 2_000) / 2_000 }
    #expect(chiSquared < 37.7)
    #expect(dice.index(below: 1) == 0)
  }

  @Test("the same seed gives the same numbers, another seed others")
  func seeds() {
    func numbers(_ seed: UInt64) -> [Double] {
      var dice = Dice(seed: seed)
      return (0..<8).map { _ in dice.exponential() }
    }
    #expect(numbers(5) == numbers(5))
    #expect(numbers(5) != numbers(6))
  }

  @Test("durations are scaled in whole nanoseconds, without a sign and without an overflow")
  func scaling() {
    #expect(Duration.milliseconds(20).scaled(by: 1.5) == .milliseconds(30))
    #expect(Duration.nanoseconds(3).scaled(by: 0.5) == .nanoseconds(2))
    #expect(Duration.seconds(1).scaled(by: -1) == .zero)
    #expect(Duration.seconds(1).scaled(by: .infinity) == .nanoseconds(Int64.max))
    #expect(Duration.seconds(1).scaled(by: .nan) == .zero)
    #expect(Duration.milliseconds(1_500).inSeconds == 1.5)
  }

  @Test("service times have the mean and the bounds they are given")
  func serviceTimes() {
    var dice = Dice(seed: 4)
    let mean = Duration.milliseconds(20)
    func draws(_ time: ServiceTime) -> [Double] {
      (0..<10_000).map { _ in time.draw(&dice).inSeconds }
    }
    func average(_ numbers: [Double]) -> Double { numbers.reduce(0, +) / Double(numbers.count) }
    let exponential = draws(.exponential(mean: mean))
    #expect(abs(average(exponential) - 0.02) < 0.0008)
    let uniform = draws(.uniform(mean: mean, spread: 0.5))
    #expect(abs(average(uniform) - 0.02) < 0.0003)
    #expect(uniform.min()! >= 0.01)
    #expect(uniform.max()! <= 0.03)
    #expect(uniform.min()! < 0.0101 && uniform.max()! > 0.0299)
    #expect(Set(draws(.constant(mean))) == [0.02])
    #expect(ServiceTime.uniform(mean: mean, spread: 7) == .uniform(mean: mean, spread: 1))
  }
}
