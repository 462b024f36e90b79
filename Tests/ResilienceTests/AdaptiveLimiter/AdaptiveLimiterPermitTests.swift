import ResilienceTesting
import Testing

@testable import Resilience

@Suite("X-4: permits of an adaptive limiter, and what can be read of it")
struct AdaptiveLimiterPermitTests {
  typealias Totals = AdaptiveLimiter.Totals

  // MARK: - Permits

  @Test("X-4: a permit reports once, however it ends, and however late")
  func permits() async throws {
    let limited = Limited()
    if let permit = limited.limiter.tryAcquire() { permit.succeed() }
    if let permit = limited.limiter.tryAcquire() { permit.drop() }
    if let permit = limited.limiter.tryAcquire() { permit.ignore() }
    if let permit = limited.limiter.tryAcquire() { permit.end(throwing: Limited.Busy()) }
    if let permit = limited.limiter.tryAcquire() { permit.end(throwing: Unavailable()) }
    abandonPermit(of: limited.limiter)
    #expect(limited.inFlight == 0)
    #expect(limited.totals == Totals(successes: 1, overloads: 2, others: 3))
    let call = limited.start()[0]
    await limited.clock.advance(by: .seconds(100_000_000))
    #expect(limited.inFlight == 1)
    call.succeed()
    #expect(limited.inFlight == 0)
  }

  private func abandonPermit(of limiter: AdaptiveLimiter) {
    if let permit = limiter.tryAcquire() { withExtendedLifetime(permit) {} }
  }

  @Test("calls in flight beyond a limit that came down end as they are; none passes until then")
  func overLimit() async {
    let limited = Limited(.aimd(initial: 10))
    let calls = limited.start(10)
    calls[0].drop()
    #expect(limited.limit == 7)
    #expect(limited.inFlight == 9)
    for call in calls[1...2] { call.ignore() }
    var admits = await limited.admits()
    #expect(!admits)
    calls[3].ignore()
    admits = await limited.admits()
    #expect(admits)
    for call in calls[4...] { call.ignore() }
    #expect(limited.inFlight == 0)
  }

  @Test("it may be forgotten when nothing is in flight")
  func evictable() {
    let limited = Limited()
    #expect(limited.limiter.isEvictable)
    let call = limited.start()[0]
    #expect(!limited.limiter.isEvictable)
    call.succeed()
    #expect(limited.limiter.isEvictable)
  }

  // MARK: - Reading

  @Test("a snapshot is the whole of it, and changes nothing")
  func snapshot() {
    let limited = Limited(.vegas(initial: 8, window: .zero))
    #expect(
      limited.limiter.snapshot()
        == .init(
          name: "users", limit: 8, inFlight: 0, baseline: nil, observed: nil, totals: Totals()))
    // 16 are passed over, four rounds are measured, then 20 are a window.
    for _ in 0..<17 {
      let calls = limited.start(8)
      limited.clock.advance(by: .milliseconds(20))
      for call in calls { call.succeed() }
    }
    let snapshot = limited.limiter.snapshot()
    #expect(snapshot.baseline == .milliseconds(20))
    #expect(snapshot.observed == .milliseconds(20))
    #expect(snapshot.totals == Totals(successes: 136))
    #expect(snapshot == limited.limiter.snapshot())
  }

  @Test("events read well in a log")
  func descriptions() {
    let limited = Limited()
    limited.start()[0].drop()
    #expect(
      limited.recorder.events(of: AdaptiveLimiter.Event.self).map { "\($0)" } == [
        #"adaptive limiter "users": overloaded"#, #"adaptive limiter "users": limit 4 > 2"#,
      ])
  }

  @Test("an observer may call back, and finds what it is told of")
  func reentrant() {
    final class Reader: ResilienceObserver {
      let limits = Shared<[Int]>([])
      let limiter = Shared<AdaptiveLimiter?>(nil)

      func observe(_ event: any ResilienceEvent) {
        guard let limiter = limiter.value else { return }
        limits.value.append(limiter.snapshot().limit)
        limiter.tryAcquire()?.ignore()
      }
    }
    let reader = Reader()
    let limiter = AdaptiveLimiter(algorithm: .aimd(initial: 10), observers: [reader])
    reader.limiter.value = limiter
    limiter.tryAcquire()?.drop()
    #expect(reader.limits.value == [7, 7])
    #expect(limiter.snapshot().inFlight == 0)
    reader.limiter.value = nil
  }

  @Test("a clock that steps back stands still")
  func clockStep() {
    let clock = SteppedClock()
    clock.set(to: 1_000_000_000)
    let limiter = AdaptiveLimiter(algorithm: .aimd(initial: 100), clock: clock)
    limiter.tryAcquire()?.drop()
    clock.set(to: 0)
    limiter.tryAcquire()?.drop()
    #expect(limiter.snapshot().limit == 70)
    clock.advance(by: .milliseconds(100))
    limiter.tryAcquire()?.drop()
    #expect(limiter.snapshot().limit == 49)
  }
}
