import Testing

@testable import Resilience

/// Jacobson 1988, RFC 5681 §3.1 (growth), RFC 6582 §3.2 (one decrease for each round).
@Suite("AC-1: additive increase, multiplicative decrease")
struct AIMDTests {
  static let second: Int64 = 1_000_000_000
  static let millisecond: Int64 = 1_000_000

  static func aimd(initial: Int = 4, maximum: Int = 200) -> AdaptiveLimiter.AIMD {
    .init(initial: initial, maximum: maximum, backoff: 0.7, cooldown: 100 * millisecond)
  }

  @Test("a success adds 1/limit")
  func increase() {
    var aimd = Self.aimd()
    aimd.record(inFlight: 4)
    #expect(aimd.value == 4.25)
    aimd.record(inFlight: 4)
    #expect(aimd.value == 4.25 + 1 / 4.25)
    #expect(aimd.limit == 4)
    for _ in 3...4 { aimd.record(inFlight: 4) }
    #expect(aimd.limit == 4)
    aimd.record(inFlight: 4)
    #expect(aimd.limit == 5)
  }

  @Test("it needs at least half of the limit in use", arguments: [(1, 4.0), (2, 4.25), (3, 4.25)])
  func halfUsed(inFlight: Int, expected: Double) {
    var aimd = Self.aimd()
    aimd.record(inFlight: inFlight)
    #expect(aimd.value == expected)
  }

  @Test("and ends at the maximum")
  func maximum() {
    var aimd = Self.aimd(initial: 4, maximum: 5)
    for _ in 0..<100 { aimd.record(inFlight: 5) }
    #expect(aimd.value == 5)
  }

  @Test("overload multiplies it by 0.7, and never below 1")
  func decrease() {
    var aimd = Self.aimd(initial: 100)
    var values: [Int] = []
    for drop in 0..<14 {
      aimd.drop(latency: 0, at: Int64(drop) * Self.second)
      values.append(aimd.limit)
    }
    #expect(values == [70, 49, 34, 24, 16, 11, 8, 5, 4, 2, 1, 1, 1, 1])
  }

  @Test("at most once in 100 ms")
  func cooldown() {
    var aimd = Self.aimd(initial: 100)
    for (time, expected) in [(0, 70), (1, 70), (99, 70), (100, 49), (150, 49), (200, 34)] {
      aimd.drop(latency: 0, at: Int64(time) * Self.millisecond)
      #expect(aimd.limit == expected, "at \(time) ms")
    }
  }

  @Test("while calls succeed, one that began before the last decrease is no reason for another")
  func oncePerRound() {
    var aimd = Self.aimd(initial: 100)
    aimd.drop(latency: Self.second, at: 2 * Self.second)
    aimd.record(inFlight: 1)
    aimd.drop(latency: 2 * Self.second, at: 3 * Self.second)
    aimd.drop(latency: Self.second + 1, at: 3 * Self.second)
    #expect(aimd.value == 70)
    aimd.drop(latency: Self.second, at: 3 * Self.second)
    #expect(aimd.limit == 49)
  }

  @Test("while none does, each cooldown may see one")
  func noAnswer() {
    var aimd = Self.aimd(initial: 100)
    for (time, expected) in [(2_000, 70), (2_099, 70), (2_100, 49), (2_200, 34)] {
      aimd.drop(latency: 2 * Self.second, at: Int64(time) * Self.millisecond)
      #expect(aimd.limit == expected, "at \(time) ms")
    }
  }
}
