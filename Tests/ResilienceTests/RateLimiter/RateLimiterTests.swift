import Resilience
import ResilienceTesting
import Testing

@Suite("Rate limiter: tokens")
struct RateLimiterTests {
  @Test("RL-1: a burst at once, then one call each period")
  func burstThenRate() {
    let gate = Gate(.perSecond(10), burst: 3)
    #expect(gate.takeAll() == 3)
    gate.clock.advance(by: .milliseconds(100) - .tick)
    #expect(!gate.limiter.tryAcquire())
    gate.clock.advance(by: .tick)
    #expect(gate.takeAll() == 1)
    gate.clock.advance(by: .milliseconds(250))
    #expect(gate.takeAll() == 2)
    gate.clock.advance(by: .milliseconds(50))
    #expect(gate.takeAll() == 1)
    #expect(gate.totals.admitted == 7)
  }

  @Test("RL-1: a call may need several tokens, and takes all of them or none")
  func severalTokens() {
    let gate = Gate(.perSecond(10), burst: 5)
    #expect(gate.limiter.tryAcquire(3))
    #expect(!gate.limiter.tryAcquire(3))
    #expect(gate.available == 2)
    #expect(gate.limiter.tryAcquire(2))
    gate.clock.advance(by: .milliseconds(499))
    #expect(!gate.limiter.tryAcquire(5))
    gate.clock.advance(by: .milliseconds(1))
    #expect(gate.limiter.tryAcquire(5))
  }

  @Test("RL-1: less than one token counts as one", arguments: [0, -1, Int.min])
  func noTokens(_ tokens: Int) async {
    let gate = Gate(burst: 2)
    #expect(gate.limiter.tryAcquire(tokens))
    #expect(await gate.refusal(tokens) == nil)
    #expect(gate.available == 0)
    #expect(!gate.limiter.tryAcquire(tokens))
  }

  @Test("RL-1: three in a second are three in each second, for ever")
  func thirds() {
    let gate = Gate(.perSecond(3), burst: 2)
    gate.takeAll()
    var taken = 0
    // For ten thousand seconds, at distances that the period is no multiple of.
    for _ in 0..<100_000 {
      gate.clock.advance(by: .nanoseconds(100_000_007))
      if gate.limiter.tryAcquire() { taken += 1 }
    }
    #expect(taken == 100_000 * 100_000_007 * 3 / 1_000_000_000)
  }

  @Test("RL-1: a call runs with one token, and is refused without")
  func run() async throws {
    let gate = Gate(burst: 2)
    let calls = Shared(0)
    for _ in 1...2 {
      let value = try await gate.limiter.run { execution in
        calls.value += 1
        return execution.attempt
      }
      #expect(value == 1)
    }
    let error = await #expect(throws: RateLimitedError.self) {
      try await gate.limiter.run { calls.value += 1 }
    }
    #expect(error?.reason == .noTokens)
    #expect(error?.retryAfter == .seconds(1))
    #expect(calls.value == 2)
    let answer = try await gate.limiter.run {
      calls.value
    } fallback: { _ in
      -1
    }
    #expect(answer == -1)
    #expect(gate.told == ["rejected (no tokens in time)", "rejected (no tokens in time)"])
  }

  @Test("RL-1: what the operation throws or grades passes as it is; its token is spent")
  func outcomes() async throws {
    let gate = Gate(burst: 2)
    await #expect(throws: Unavailable.self) { try await gate.limiter.run { throw Unavailable() } }
    let graded = try await gate.limiter.execute(Execution(attempt: 3)) {
      Graded($0.attempt, outcome: .ignored)
    }
    #expect(graded.value == 3)
    #expect(graded.outcome == .ignored)
    #expect(gate.available == 0)
  }

  @Test("RL-2: a call for more than the burst is refused at once, with a reason of its own")
  func moreThanBurst() async {
    let gate = Gate(burst: 5, maxWait: .seconds(100))
    #expect(!gate.limiter.tryAcquire(6))
    let error = await gate.refusal(.max)
    #expect(error?.reason == .exceedsBurst)
    #expect(error?.retryAfter == nil)
    #expect(gate.available == 5)
    #expect(gate.totals.exceedsBurst == 2)
    #expect(gate.totals.rejected == 2)
    #expect(
      gate.told == [
        "rejected (more tokens than the burst)", "rejected (more tokens than the burst)",
      ])
  }

  @Test("RL-2: after a year there is a burst, and no more (failsafe P01)")
  func idling() {
    let gate = Gate(.init(2, per: .milliseconds(20)), burst: 2)
    #expect(gate.takeAll() == 2)
    #expect(!gate.limiter.tryAcquire(2))
    gate.clock.advance(by: .milliseconds(400))
    #expect(gate.takeAll() == 2)
    gate.clock.advance(by: .seconds(365 * 86400))
    #expect(gate.available == 2)
    #expect(gate.takeAll() == 2)
  }

  @Test("RL-1: the burst comes back as fast as the rate, not by periods")
  func noWindows() {
    let gate = Gate(.perSecond(10), burst: 10)
    // Where windows are fixed, twice the burst passes around an end.
    gate.clock.advance(by: .milliseconds(999))
    #expect(gate.takeAll() == 10)
    gate.clock.advance(by: .milliseconds(2))
    #expect(gate.takeAll() == 0)
  }
}
