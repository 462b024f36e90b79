import ResilienceTesting
import Testing

@testable import Resilience

@Suite("Rate limiter: exact")
struct BucketModelTests {
  static let settings: [(RateLimiter.Rate, burst: Int)] = [
    (.perSecond(1000), 1), (.perSecond(3), 7), (.init(7, per: .nanoseconds(11)), 5),
    (.init(999_999_937, per: .seconds(1)), 1000), (.init(1, per: .seconds(365 * 86400)), 3),
    (.init(1, per: .nanoseconds(1)), 2), (.perMinute(7), 12),
    (.init(1_000_000_000_000, per: .nanoseconds(1_000_000_000_003)), 9),
  ]

  @Test(
    "RL-2, RL-6: 100 000 random steps, exactly as a bucket counted in fractions", arguments: 0..<8)
  func model(_ index: Int) {
    let (rate, burst) = Self.settings[index]
    let clock = SteppedClock()
    let limiter = RateLimiter(rate, burst: burst, clock: clock)
    // The same by the core alone: the limiter decides most of it without.
    var core = RateLimiter.Bucket(RateLimiter.Pace(rate, burst: burst), at: 0)
    var naive = NaiveBucket(rate, burst: burst, at: 0)
    var (dice, now, granted) = (Dice(seed: UInt64(index)), Int64(0), 0)
    let period = Double(rate.period.saturatingNanoseconds) / Double(rate.count)
    for step in 1...100_000 {
      if Bool.random(using: &dice) {
        let length = Double.random(in: 0...2, using: &dice) * period
        let far = Int.random(in: 0..<1000, using: &dice) == 0 ? Double(burst) * 2 : 1
        let elapsed = Int64(min(length * far, 1e14))
        now += elapsed
        clock.advance(by: .nanoseconds(elapsed))
      }
      naive.advance(to: now)
      core.observe(now)
      if step % 1000 == 0 {
        limiter.drain()
        _ = core.drain(at: now)
        naive.drain()
      }
      let tokens = Int.random(in: 1...max(1, burst / 2), using: &dice)
      let isGranted = naive.take(tokens)
      let decided = (limiter.tryAcquire(tokens), core.take(tokens, at: now))
      if decided != (isGranted, isGranted) || core.available(at: now) != naive.available {
        Issue.record("step \(step): \(decided), not \(isGranted)")
        return
      }
      if isGranted { granted += 1 }
    }
    #expect(limiter.snapshot().available == naive.available)
    #expect(limiter.snapshot().totals.admitted == granted)
    #expect(limiter.snapshot().totals.noTokens == 100_000 - granted)
    #expect(granted > 0 && granted < 100_000)
  }

  @Test("RL-6: a year's token is there after a year, not a nanosecond before")
  func yearly() {
    let gate = Gate(.init(1, per: .seconds(365 * 86400)))
    #expect(gate.takeAll() == 1)
    gate.clock.advance(by: .seconds(365 * 86400) - .tick)
    #expect(gate.takeAll() == 0)
    gate.clock.advance(by: .tick)
    #expect(gate.takeAll() == 1)
  }

  @Test("RL-6: one each nanosecond, also after so long that counts overflow (resilience4j D6)")
  func fastest() {
    let gate = Gate(.init(1, per: .nanoseconds(1)), burst: 5)
    #expect(gate.takeAll() == 5)
    gate.clock.advance(by: .tick)
    #expect(gate.takeAll() == 1)
    gate.clock.advance(by: .seconds(100 * 365 * 86400))
    #expect(gate.takeAll() == 5)

    let many = Gate(.init(1, per: .nanoseconds(1)), burst: .max)
    many.clock.advance(by: .seconds(65))
    #expect(many.limiter.tryAcquire())
    #expect(many.available == .max - 1)
    #expect(many.limiter.tryAcquire(.max - 1))
    #expect(!many.limiter.tryAcquire())
    many.clock.advance(by: .seconds(65))
    #expect(many.available == 65_000_000_000)
  }

  @Test("RL-6: a clock at either end of what it can say harms nothing")
  func ends() {
    for start in [Int64.min, Int64.max - 10] {
      let clock = SteppedClock()
      clock.set(to: start)
      let limiter = RateLimiter(.init(1, per: .nanoseconds(3)), burst: 2, clock: clock)
      #expect([1, 2, 3].map { _ in limiter.tryAcquire() } == [true, true, false])
      clock.advance(by: .nanoseconds(3))
      #expect(limiter.tryAcquire())
      limiter.pause(for: .seconds(Int64.max))
      #expect(!limiter.tryAcquire())
      limiter.setRate(.init(1_000_000_000_000, per: .seconds(1000)), burst: 7)
      limiter.resume()
      #expect(!limiter.tryAcquire())
      clock.advance(by: .nanoseconds(1))
      #expect(limiter.tryAcquire())
    }
  }
}
