import ResilienceTesting
import Testing

@testable import Resilience

@Suite("Rate limiter: settings and snapshots")
struct RateLimiterConfigurationTests {
  private static func mistakes(in configuration: RateLimiter.Configuration) -> [String] {
    do throws(ConfigurationError) {
      try configuration.validate()
      return []
    } catch { return error.violations.map { "\($0)" } }
  }

  @Test("what is wrong is listed at once")
  func violations() {
    #expect(
      Self.mistakes(in: .init(.init(0, per: .zero), burst: 0, maxWait: .seconds(-1))) == [
        "rate.count is 0; allowed: 1...1000000000000",
        "rate.period is 0.0 seconds; allowed: whole nanoseconds, above 0, to 292 years",
        "burst is 0; allowed: 1...", "maxWait is -1.0 seconds; allowed: 0 or more",
      ])
  }

  @Test(
    "RL-6: what cannot be counted exactly is refused (failsafe P19)",
    arguments: [
      (
        RateLimiter.Rate(10, per: .nanoseconds(3)), 1,
        "rate is 10 per 3e-09 seconds; allowed: at most one token a nanosecond"
      ),
      (.init(0, per: .seconds(1)), 1, "rate.count is 0; allowed: 1...1000000000000"),
      (.perSecond(-1), 1, "rate.count is -1; allowed: 1...1000000000000"),
      (
        .init(1_000_000_000_001, per: .seconds(5000)), 1,
        "rate.count is 1000000000001; allowed: 1...1000000000000"
      ),
      (
        .init(1, per: Duration(attoseconds: 1_500_000_000)), 1,
        "rate.period is 1.5e-09 seconds; allowed: whole nanoseconds, above 0, to 292 years"
      ),
      (
        .init(1, per: .seconds(-1)), 1,
        "rate.period is -1.0 seconds; allowed: whole nanoseconds, above 0, to 292 years"
      ),
      (
        .init(1, per: .seconds(365 * 86400)), 293,
        "burst is 293; allowed: what comes within 292 years"
      ),
      (.perSecond(1), .max, "burst is \(Int.max); allowed: what comes within 292 years"),
    ])
  func refused(_ rate: RateLimiter.Rate, _ burst: Int, _ mistake: String) {
    #expect(Self.mistakes(in: .init(rate, burst: burst)) == [mistake])
  }

  @Test("RL-6: what can be counted is valid, at its extremes too")
  func valid() {
    let configurations: [RateLimiter.Configuration] = [
      .init(.perSecond(1)), .init(.perSecond(1_000_000_000)),
      .init(.init(1, per: .nanoseconds(1)), burst: .max),
      .init(.init(1, per: .nanoseconds(Int64.max))),
      .init(.init(1, per: .seconds(365 * 86400)), burst: 292),
      .init(.init(1_000_000_000_000, per: .seconds(1000)), burst: 1_000_000),
      .init(.perHour(1), maxWait: Duration(attoseconds: .max)),
    ]
    for configuration in configurations { #expect(Self.mistakes(in: configuration) == []) }
  }

  @Test("a mistake in source code stops the program, and says what is allowed (failsafe P19)")
  func stops() async throws {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      _ = RateLimiter("users", .init(10, per: .nanoseconds(3)), burst: 0)
    }
    let output = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    #expect(output.contains("RateLimiter \"users\""))
    #expect(
      output.contains("rate is 10 per 3e-09 seconds; allowed: at most one token a nanosecond"))
    #expect(output.contains("burst is 0; allowed: 1..."))
  }

  @Test("a change to what cannot work stops the program as well")
  func changeStops() async throws {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      RateLimiter("users", .perSecond(1)).setRate(.perSecond(0))
    }
    let output = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    #expect(output.contains("rate.count is 0; allowed: 1...1000000000000"))
  }

  @Test("defaults are those that the documentation states, and read well in a log")
  func defaults() {
    let limiter = RateLimiter(.perSecond(10))
    #expect(
      limiter.layers == [
        PolicyLayer(
          role: .rateLimiter, name: "rate-limiter", settings: "10 per 1.0 seconds, burst 1")
      ])
    #expect(limiter.maxWait == .zero)
    #expect(RateLimiter(configuration: .init(.perSecond(10))).layers == limiter.layers)
    #expect(
      RateLimiter.Configuration(.perMinute(3), burst: 2, maxWait: .seconds(1)).description
        == "3 per 60.0 seconds, burst 2, waiting up to 1.0 seconds")
    #expect(RateLimiter.Rate.perHour(5) == .init(5, per: .seconds(3600)))
  }

  @Test("a snapshot has everything, and changes nothing")
  func snapshot() {
    let gate = Gate(.perSecond(2), burst: 3)
    #expect(gate.limiter.tryAcquire(2))
    #expect(!gate.limiter.tryAcquire(2))
    gate.limiter.pause(for: .seconds(5))
    gate.clock.advance(by: .seconds(2))
    let snapshot = RateLimiter.Snapshot(
      name: "users", rate: .perSecond(2), burst: 3, available: 0, waiting: 0,
      pausedFor: .seconds(3), totals: .init(admitted: 1, noTokens: 1))
    #expect(gate.snapshot == snapshot)
    #expect(gate.snapshot == snapshot)
    gate.clock.advance(by: .seconds(60))
    #expect(gate.snapshot.available == 3)
    #expect(gate.snapshot.pausedFor == nil)
    #expect(gate.told.count == 2)
  }

  @Test("X-3: events and errors are a line for a log")
  func lines() async {
    let gate = Gate()
    gate.takeAll()
    let events = gate.events.events(of: RateLimiter.Event.self)
    #expect(events.map(\.description) == [#"rate limiter "users": rejected (no tokens in time)"#])
    let error = await gate.refusal()
    #expect(error?.policy == "users")
    #expect(
      error?.description
        == #"rate limiter "users" refused the call: no tokens in time; retry after 1.0 seconds"#)
    await gate.clock.advance(by: .seconds(5))
    #expect(error?.retryAfter == .zero)
  }

  @Test("X-3: an observer may call back")
  func reentrant() async {
    final class Draining: ResilienceObserver {
      let limiter = Shared<RateLimiter?>(nil)
      func observe(_ event: any ResilienceEvent) {
        limiter.value?.drain()
        _ = limiter.value?.tryAcquire(1)
        _ = limiter.value?.snapshot()
        limiter.value = nil
      }
    }
    let observer = Draining()
    let limiter = RateLimiter(
      .perSecond(1), burst: 5, clock: VirtualClock(), observers: [observer])
    observer.limiter.value = limiter
    #expect(!limiter.tryAcquire(6))
    #expect(limiter.snapshot().available == 0)
  }

  @Test("a number of two words is exchanged at once, whatever its sign")
  func atomic() {
    let values: [Int128] = [0, -1, 1 << 64, -(1 << 64) - 5, .max, .min, Int128(Int64.min) - 1]
    let number = AtomicInt128(7)
    var last: Int128 = 7
    for value in values {
      let wrong = number.compareExchange(expected: last &+ (1 << 64), desired: 3)
      #expect(!wrong.exchanged)
      #expect(wrong.original == last)
      #expect(number.compareExchange(expected: last, desired: value).exchanged)
      #expect(number.load() == value)
      number.store(value)
      #expect(number.load() == value)
      last = value
    }
  }
}
