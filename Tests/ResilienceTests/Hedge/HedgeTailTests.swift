import ResilienceTesting
import Testing

@testable import Resilience

@Suite("HG-2, HG-4: what hedging does to the slow end", .timeLimit(.minutes(20)))
struct HedgeTailTests {
  /// Ten thousand calls of 5 to 15 ms, of which one in a hundred takes 300 ms more.
  static func latencies(
    under hedge: Hedge?, seed: UInt64, on clock: VirtualClock
  ) async throws -> (sorted: [Duration], attempts: Int) {
    let chance = Shared(Dice(seed: seed))
    let attempts = Shared(0)
    @Sendable func answer() async throws {
      attempts.value += 1
      var dice = chance.value
      let base = Int.random(in: 5_000...15_000, using: &dice)
      let isStraggler = Int.random(in: 0..<100, using: &dice) == 0
      chance.value = dice
      try await clock.sleep(for: .microseconds(base + (isStraggler ? 300_000 : 0)))
    }
    var latencies: [Duration] = []
    for _ in 0..<10_000 {
      let start = clock.now
      if let hedge { try await hedge.run { try await answer() } } else { try await answer() }
      latencies.append(start.duration(to: clock.now))
    }
    return (latencies.sorted(), attempts.value)
  }

  @Test(
    "one straggler in a hundred: p99.9 is at least halved, for at most 3 % more attempts",
    arguments: [1, 2, 3] as [UInt64])
  func tail(seed: UInt64) async throws {
    let (bare, hedged) = try await withVirtualTime { clock in
      (
        try await Self.latencies(under: nil, seed: seed, on: clock),
        try await Self.latencies(under: Hedge(clock: clock), seed: seed, on: clock)
      )
    }
    #expect(bare.attempts == 10_000)
    #expect(bare.sorted[9_989] > .ms(300))
    #expect(hedged.sorted[9_989] * 2 <= bare.sorted[9_989])
    #expect(hedged.attempts > 10_000)
    #expect(hedged.attempts <= 10_300)
    // The others are none the worse.
    #expect(hedged.sorted[4_999] <= bare.sorted[4_999] + .ms(1))
  }
}
