import ResilienceTesting
import Testing

@testable import Resilience

/// Every grant, and what any time between two of them may have brought.
private struct GrantLedger {
  /// One token in the units of ``earned``, such that each rate's nanosecond is a whole number of them.
  static let token: Int128 = 7 * 31_536_000 * 1_000_000_000

  private struct Grant {
    let tokens: Int
    let earned: Int128
    let burst: Int
  }

  private var grants: [Grant] = []
  private var earned: Int128 = 0

  /// Time for which the clock ran forward.
  mutating func pass(_ nanoseconds: Int64, at rate: RateLimiter.Rate) {
    let perNanosecond =
      Self.token * Int128(rate.count) / Int128(rate.period.saturatingNanoseconds)
    earned += perNanosecond * Int128(nanoseconds)
  }

  mutating func grant(_ tokens: Int, burst: Int) {
    grants.append(Grant(tokens: tokens, earned: earned, burst: burst))
  }

  var count: Int { grants.count }

  /// Whether in no time from one grant to another there were more than the burst at its beginning, and
  /// what came.
  var isWithinBounds: Bool {
    for (index, first) in grants.enumerated() {
      var total: Int128 = 0
      for last in grants[index...] {
        total += Int128(last.tokens)
        let most = Int128(first.burst) * Self.token + last.earned - first.earned
        if total * Self.token > most { return false }
      }
    }
    return true
  }
}

@Suite("Rate limiter: never more")
struct RateBoundTests {
  static let rates: [RateLimiter.Rate] = [
    .perSecond(1000), .init(3, per: .nanoseconds(7)), .init(1, per: .seconds(365 * 86400)),
    .init(1, per: .nanoseconds(1)), .perSecond(1),
  ]

  @Test("the ledger finds what is too much")
  func ledger() {
    var ledger = GrantLedger()
    ledger.grant(2, burst: 2)
    ledger.pass(2, at: Self.rates[1])
    #expect(ledger.isWithinBounds)
    ledger.grant(1, burst: 2)
    #expect(!ledger.isWithinBounds)
  }

  @Test(
    "RL-2: in no time more than burst + rate × t: idling, jumps both ways, pauses, drains, changes",
    arguments: 0..<20)
  func everyWindow(_ seed: Int) {
    var dice = Dice(seed: UInt64(seed))
    var granted = 0
    for _ in 0..<20 {
      let ledger = Self.walk(&dice)
      granted += ledger.count
      guard ledger.isWithinBounds else {
        Issue.record("too many")
        return
      }
    }
    #expect(granted > 500)
  }

  private static func walk(_ dice: inout Dice) -> GrantLedger {
    let clock = SteppedClock()
    var rate = rates.randomElement(using: &dice)!
    var burst = Int.random(in: 1...6, using: &dice)
    let limiter = RateLimiter(rate, burst: burst, clock: clock)
    var ledger = GrantLedger()
    for _ in 0..<300 {
      switch Int.random(in: 0..<100, using: &dice) {
      case 0..<30:
        let period = rate.period / rate.count
        let scale = [0.1, 0.5, 1, 1, 3, 20].randomElement(using: &dice)!
        let time = min((period * scale).saturatingNanoseconds, 400 * 86_400_000_000_000)
        clock.advance(by: .nanoseconds(time))
        ledger.pass(time, at: rate)
      case 30..<33: clock.advance(by: rate.period * Double.random(in: -3...0, using: &dice))
      case 33: clock.advance(by: .seconds(-86400))
      case 34:
        clock.advance(by: .seconds(365 * 86400))
        ledger.pass(365 * 86_400_000_000_000, at: rate)
      case 35: limiter.pause(for: rate.period * Double.random(in: 0...3, using: &dice))
      case 36: limiter.drain()
      case 37: limiter.resume()
      case 38:
        rate = rates.randomElement(using: &dice)!
        burst = Int.random(in: 1...6, using: &dice)
        limiter.setRate(rate, burst: burst)
      default:
        let tokens = Int.random(in: 1...burst, using: &dice)
        if limiter.tryAcquire(tokens) { ledger.grant(tokens, burst: burst) }
      }
    }
    return ledger
  }

  @Test("RL-2: a clock that steps back by an hour stops nobody for longer than a full bucket takes")
  func stepBack() {
    let clock = SteppedClock()
    let limiter = RateLimiter(.perSecond(1), burst: 3, clock: clock)
    clock.set(to: 3_600_000_000_000)
    for _ in 1...3 { #expect(limiter.tryAcquire()) }
    clock.set(to: 0)
    #expect(!limiter.tryAcquire())
    #expect(limiter.snapshot().available == 0)
    clock.advance(by: .seconds(1))
    #expect(limiter.tryAcquire())
    #expect(!limiter.tryAcquire())
    clock.advance(by: .seconds(3))
    #expect(limiter.snapshot().available == 3)
  }

  @Test("RL-2: a step back that shows no token missing forgives none")
  func smallStepBack() {
    let clock = SteppedClock()
    let limiter = RateLimiter(.perSecond(1), burst: 3, clock: clock)
    clock.set(to: 10_000_000_000)
    #expect(limiter.tryAcquire())
    clock.advance(by: .seconds(-1))
    #expect(limiter.tryAcquire())
    #expect(!limiter.tryAcquire())
    clock.advance(by: .seconds(1))
    #expect(limiter.tryAcquire())
    #expect(!limiter.tryAcquire())
  }

  @Test("RL-5: a pause ends in time though the clock steps back in it")
  func stepBackInPause() {
    let clock = SteppedClock()
    let limiter = RateLimiter(.perSecond(1), clock: clock)
    clock.set(to: 3_600_000_000_000)
    limiter.pause(for: .seconds(10))
    clock.advance(by: .seconds(5))
    #expect(limiter.snapshot().pausedFor == .seconds(5))
    #expect(!limiter.tryAcquire())
    clock.set(to: 0)
    #expect(!limiter.tryAcquire())
    #expect(limiter.snapshot().pausedFor == .seconds(5))
    clock.advance(by: .seconds(6))
    #expect(limiter.tryAcquire())
  }
}
