import Resilience

extension Backoff {
  /// The delays before attempts that follow one another, each drawn with the one before it.
  func delays(
    beforeAttempts attempts: ClosedRange<Int> = 2...6, seed: UInt64 = 1
  ) -> [Duration] {
    var dice = Dice(seed: seed)
    var previous = Duration.zero
    return attempts.map { attempt in
      previous = delay(beforeAttempt: attempt, previous: previous, using: &dice)
      return previous
    }
  }

  /// As many delays before one and the same attempt, in seconds.
  func sample(
    of count: Int = 20_000, beforeAttempt attempt: Int, previous: Duration = .zero,
    seed: UInt64 = 1
  ) -> [Double] {
    var dice = Dice(seed: seed)
    return (0..<count).map { _ in
      delay(beforeAttempt: attempt, previous: previous, using: &dice) / .seconds(1)
    }
  }
}

/// A generator that must not be asked.
struct NoDice: RandomNumberGenerator {
  mutating func next() -> UInt64 { fatalError("chance was asked where none is needed") }
}

/// A generator whose first number is known.
struct LoadedDice: RandomNumberGenerator {
  private var first: UInt64?
  private var rest = Dice(seed: 1)

  init(first: UInt64) { self.first = first }

  mutating func next() -> UInt64 { first.take() ?? rest.next() }
}
