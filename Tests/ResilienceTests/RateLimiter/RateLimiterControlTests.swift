import Resilience
import ResilienceTesting
import Testing

@Suite("Rate limiter: pauses, drains, other rates")
struct RateLimiterControlTests {
  @Test("RL-5: a pause stops everybody, and lets them out at the rate")
  func pause() async throws {
    try await withVirtualTime { clock in
      let gate = Gate(burst: 3, maxWait: .seconds(60), on: clock)
      gate.limiter.pause(for: .seconds(10))
      #expect(gate.available == 0)
      #expect(gate.snapshot.pausedFor == .seconds(10))
      await withTaskGroup(of: Void.self) { group in
        for name in ["a", "b", "c"] { await group.start(gate, name) }
        await clock.advance(by: .seconds(20))
      }
      #expect(gate.takeNotes() == ["a at 11.0", "b at 12.0", "c at 13.0"])
      #expect(gate.snapshot.pausedFor == nil)
      #expect(gate.told.first == "paused for 10.0 seconds")
    }
  }

  @Test("RL-5: those who wait wait on, behind the pause; who has not the time is refused at once")
  func pauseWhileWaiting() async throws {
    try await withVirtualTime { clock in
      let gate = Gate(maxWait: .seconds(5), on: clock)
      gate.takeAll()
      await withTaskGroup(of: Void.self) { group in
        await group.start(gate, "a")
        await group.start(gate, "b", maxWait: .seconds(60))
        await clock.advance(by: .milliseconds(500))
        gate.limiter.pause(for: .seconds(10))
        await clock.advance(by: .zero)
        #expect(gate.takeNotes() == ["a: paused at 0.5"])
        // The alarm for b; that for a is set no more.
        #expect(clock.sleeperCount == 1)
        let error = await gate.refusal()
        #expect(error?.reason == .paused)
        // In the line behind b; so long, but for the five seconds that it would wait.
        #expect(error?.retryAfter == .seconds(7))
        await clock.advance(by: .seconds(20))
      }
      #expect(gate.takeNotes() == ["b at 11.5"])
      #expect(gate.totals == .init(admitted: 2, waited: 1, noTokens: 1, paused: 2))
    }
  }

  @Test("RL-5: a later pause wins, a shorter one does not shorten, and none is no pause")
  func pauses() {
    let gate = Gate(burst: 2)
    gate.limiter.pause(for: .zero)
    gate.limiter.pause(for: .seconds(-5))
    #expect(gate.available == 2)
    gate.limiter.pause(for: .seconds(10))
    gate.limiter.pause(for: .seconds(5))
    #expect(gate.snapshot.pausedFor == .seconds(10))
    gate.clock.advance(by: .seconds(5))
    gate.limiter.pause(for: .seconds(10))
    #expect(gate.snapshot.pausedFor == .seconds(10))
    #expect(!gate.limiter.tryAcquire())
    #expect(
      gate.told == ["paused for 10.0 seconds", "paused for 10.0 seconds", "rejected (paused)"])
  }

  @Test("RL-5: a pause that is ended early leaves an empty bucket")
  func resume() async throws {
    try await withVirtualTime { clock in
      let gate = Gate(burst: 2, maxWait: .seconds(7200), on: clock)
      gate.limiter.resume()
      #expect(gate.available == 2)
      gate.limiter.pause(for: .seconds(3600))
      await withTaskGroup(of: Void.self) { group in
        await group.start(gate, "a")
        await clock.advance(by: .seconds(5))
        gate.limiter.resume()
        await clock.advance(by: .seconds(5))
      }
      #expect(gate.takeNotes() == ["a at 6.0"])
      #expect(gate.snapshot.pausedFor == nil)
      #expect(
        gate.told == ["paused for 3600.0 seconds", "resumed", "served after 6.0 seconds"])
    }
  }

  @Test("RL-5: a pause of the longest time there is harms nothing")
  func foreverPaused() {
    let gate = Gate()
    gate.limiter.pause(for: .seconds(Int64.max))
    #expect(!gate.limiter.tryAcquire())
    gate.clock.advance(by: .seconds(365 * 86400))
    #expect(!gate.limiter.tryAcquire())
    gate.limiter.resume()
    gate.clock.advance(by: .seconds(1))
    #expect(gate.limiter.tryAcquire())
  }

  @Test("RL-5: a drain empties the bucket, once, and says of how many (resilience4j D5)")
  func drain() async {
    let gate = Gate(burst: 10)
    for _ in 1...3 { #expect(gate.limiter.tryAcquire()) }
    await withTaskGroup(of: Void.self) { group in
      for _ in 1...3 { group.addTask { gate.limiter.drain() } }
    }
    #expect(gate.available == 0)
    #expect(gate.told == ["drained of 7"])
    await gate.clock.advance(by: .seconds(1))
    #expect(gate.takeAll() == 1)
  }

  @Test("RL-5: a drain after long idling leaves nothing (resilience4j D5)")
  func drainAfterIdling() {
    let gate = Gate(burst: 10)
    #expect(gate.takeAll() == 10)
    gate.clock.advance(by: .seconds(3605))
    gate.limiter.drain()
    #expect(gate.available == 0)
    #expect(gate.takeAll() == 0)
  }

  @Test("RL-5: a drain forgives nothing: those who wait and a pause stand (resilience4j D5)")
  func drainInDebt() async throws {
    try await withVirtualTime { clock in
      let gate = Gate(maxWait: .seconds(60), on: clock)
      gate.takeAll()
      await withTaskGroup(of: Void.self) { group in
        await group.start(gate, "a")
        await group.start(gate, "b")
        gate.limiter.drain()
        await clock.advance(by: .milliseconds(500))
        // Half a token.
        gate.limiter.drain()
        await clock.advance(by: .seconds(5))
      }
      #expect(gate.takeNotes() == ["a at 1.5", "b at 2.5"])
      gate.limiter.pause(for: .seconds(10))
      gate.limiter.drain()
      #expect(gate.snapshot.pausedFor == .seconds(10))
      #expect(gate.told.filter { $0.hasPrefix("drained") } == ["drained of 0"])
    }
  }

  @Test("RL-3: who would wait too long after a drain is refused at once")
  func drainWhileWaiting() async throws {
    try await withVirtualTime { clock in
      let gate = Gate(maxWait: .seconds(1), on: clock)
      gate.takeAll()
      await withTaskGroup(of: Void.self) { group in
        await group.start(gate, "a")
        await clock.advance(by: .milliseconds(500))
        gate.limiter.drain()
        await clock.advance(by: .seconds(5))
      }
      #expect(gate.takeNotes() == ["a: no tokens in time at 0.5"])
    }
  }

  @Test("RL-6: another rate goes on with the tokens that are there, and adds none")
  func changeRate() {
    let gate = Gate(.perSecond(10), burst: 10)
    for _ in 1...4 { #expect(gate.limiter.tryAcquire()) }
    gate.limiter.setRate(.perSecond(1))
    #expect(gate.available == 6)
    #expect(gate.limiter.rate == .perSecond(1))
    gate.clock.advance(by: .seconds(1))
    #expect(gate.available == 7)
    gate.limiter.setRate(.perSecond(100), burst: 3)
    #expect(gate.available == 3)
    gate.limiter.setRate(.perSecond(100), burst: 20)
    #expect(gate.limiter.burst == 20)
    #expect(gate.available == 3)
    gate.clock.advance(by: .milliseconds(100))
    #expect(gate.available == 13)
    #expect(
      gate.told == [
        "changed to 1 per 1.0 seconds, burst 10", "changed to 100 per 1.0 seconds, burst 3",
        "changed to 100 per 1.0 seconds, burst 20",
      ])
    gate.limiter.setRate(.perSecond(100))
    #expect(gate.told.count == 3)
  }

  @Test("RL-6: a fraction of a token is kept exactly")
  func changeWithinToken() {
    let gate = Gate(.perSecond(1), burst: 2)
    gate.takeAll()
    gate.clock.advance(by: .milliseconds(250))
    gate.limiter.setRate(.perSecond(2))
    gate.clock.advance(by: .milliseconds(375) - .tick)
    #expect(gate.available == 0)
    gate.clock.advance(by: .tick)
    #expect(gate.available == 1)
  }

  @Test("RL-6: those who wait go by the new rate; who has not the time, or needs more, is refused")
  func changeWhileWaiting() async throws {
    try await withVirtualTime { clock in
      let gate = Gate(burst: 3, maxWait: .seconds(4), on: clock)
      gate.takeAll()
      await withTaskGroup(of: Void.self) { group in
        await group.start(gate, "a", 2)
        await group.start(gate, "b")
        await clock.advance(by: .seconds(1))
        gate.limiter.setRate(.perSecond(10))
        await clock.advance(by: .seconds(1))
        #expect(gate.takeNotes() == ["a at 1.1", "b at 1.2"])
        gate.limiter.setRate(.perSecond(1))
        gate.limiter.drain()
        await group.start(gate, "c", 3)
        await group.start(gate, "d")
        gate.limiter.setRate(.perSecond(1), burst: 2)
        await clock.advance(by: .zero)
        #expect(gate.takeNotes() == ["c: more tokens than the burst at 2.0"])
        gate.limiter.setRate(.perMinute(1))
        await clock.advance(by: .zero)
        #expect(gate.takeNotes() == ["d: no tokens in time at 2.0"])
      }
    }
  }

  @Test("RL-6: another rate in a pause does not end it")
  func changeInPause() {
    let gate = Gate(burst: 2)
    gate.limiter.pause(for: .seconds(10))
    gate.limiter.setRate(.perSecond(10), burst: 5)
    #expect(gate.snapshot.pausedFor == .seconds(10))
    gate.clock.advance(by: .seconds(10))
    #expect(gate.available == 0)
    gate.clock.advance(by: .milliseconds(100))
    #expect(gate.takeAll() == 1)
  }

  @Test("CB-20: a limiter is forgotten only when a new one would know as much")
  func evictable() async throws {
    try await withVirtualTime { clock in
      let gate = Gate(burst: 2, maxWait: .seconds(5), on: clock)
      #expect(gate.limiter.isEvictable)
      gate.takeAll()
      #expect(!gate.limiter.isEvictable)
      await clock.advance(by: .seconds(2))
      #expect(gate.limiter.isEvictable)
      gate.limiter.pause(for: .seconds(1))
      #expect(!gate.limiter.isEvictable)
      await withTaskGroup(of: Void.self) { group in
        await group.start(gate, "a")
        #expect(!gate.limiter.isEvictable)
        await clock.advance(by: .seconds(2))
      }
      #expect(!gate.limiter.isEvictable)
      await clock.advance(by: .seconds(2))
      #expect(gate.limiter.isEvictable)
    }
  }
}
