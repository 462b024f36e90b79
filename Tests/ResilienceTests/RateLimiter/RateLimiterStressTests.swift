import ResilienceTesting
import Synchronization
import Testing

@testable import Resilience

@Suite("Rate limiter: threads", .timeLimit(.minutes(20)))
struct RateLimiterStressTests {
  final class Tally: Sendable {
    let count = Atomic(0)
  }

  @Test("RL-2: threads together get no more than the burst, and what came")
  func takers() async {
    let clock = VirtualClock()
    let limiter = RateLimiter(.perSecond(1000), burst: 100, clock: clock)
    let taken = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<8 {
        group.addTask {
          (0..<2000).reduce(0) { taken, number in
            if number.isMultiple(of: 100) { _ = limiter.snapshot() }
            return taken + (limiter.tryAcquire() ? 1 : 0)
          }
        }
      }
      group.addTask {
        for _ in 0..<500 { clock.advance(by: .milliseconds(1)) }
        return 0
      }
      return await group.reduce(0, +)
    }
    let left = limiter.snapshot()
    #expect(taken + left.available <= 600)
    #expect(taken >= 100)
    #expect(left.totals.admitted == taken)
    #expect(left.totals.noTokens == 16_000 - taken)
  }

  @Test("RL-2: threads that take while others drain, pause and change the rate get no more either")
  func everything() async {
    let clock = VirtualClock()
    let limiter = RateLimiter(.perSecond(1000), burst: 100, clock: clock)
    let taken = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<4 {
        group.addTask {
          (0..<2000).reduce(0) { taken, _ in taken + (limiter.tryAcquire() ? 1 : 0) }
        }
      }
      group.addTask {
        for number in 0..<500 {
          clock.advance(by: .milliseconds(1))
          switch number % 5 {
          case 0: limiter.pause(for: .milliseconds(2))
          case 1: limiter.setRate(.perSecond(500), burst: 50)
          case 2: limiter.setRate(.init(997, per: .seconds(1)), burst: 100)
          case 3: limiter.drain()
          default: limiter.resume()
          }
        }
        return 0
      }
      return await group.reduce(0, +)
    }
    #expect(taken <= 600)
    #expect(limiter.snapshot().totals.admitted == taken)
  }

  @Test("X-4: with threads that wait, give up, pause and change the rate, nobody is forgotten")
  func waiters() async {
    let clock = VirtualClock()
    let limiter = RateLimiter(.perSecond(100), burst: 5, maxWait: .seconds(3600), clock: clock)
    let ended = Tally()
    await withTaskGroup(of: Void.self) { group in
      for number in 0..<400 {
        group.addTask {
          let task = Task { try await limiter.acquire(number % 5 + 1) }
          if number.isMultiple(of: 3) {
            await Task.yield()
            task.cancel()
          }
          _ = await task.result
          ended.count.add(1, ordering: .relaxed)
        }
      }
      group.addTask {
        var turn = 0
        while ended.count.load(ordering: .relaxed) < 400 {
          turn += 1
          await clock.advance(by: .milliseconds(5))
          if turn.isMultiple(of: 50) { limiter.pause(for: .milliseconds(20)) }
          if turn.isMultiple(of: 70) { limiter.setRate(.perSecond(50 + turn % 100)) }
          if turn.isMultiple(of: 90) { limiter.drain() }
          await Task.yield()
        }
      }
    }
    let snapshot = limiter.snapshot()
    #expect(snapshot.waiting == 0)
    #expect(snapshot.totals.admitted >= 266)
    #expect(snapshot.totals.admitted + snapshot.totals.cancelled <= 400)
    #expect(snapshot.totals.rejected == 0)
    #expect(clock.sleeperCount == 0)
  }
}
