import ResilienceTesting
import Testing

@testable import Resilience

@Suite("Bulkhead: a limit that changes", .timeLimit(.minutes(20)))
struct BulkheadLimitTests {
  @Test("BH-4: growth serves those who wait, at once and in order")
  func growth() async throws {
    try await withVirtualTime { clock in
      let hull = Hull(limit: 1, queue: 10, on: clock)
      let occupants = hull.occupy()
      await withTaskGroup(of: Void.self) { group in
        for name in ["a", "b", "c", "d"] {
          group.addTask { await hull.call(name, taking: .seconds(10)) }
          await clock.advance(by: .milliseconds(1))
        }
        hull.bulkhead.limit = 3
        #expect(hull.inFlight == 3 && hull.waiting == 2)
        await clock.advance(by: .seconds(1))
        hull.bulkhead.limit = 10
        #expect(hull.inFlight == 5 && hull.waiting == 0)
        #expect(hull.hasRoom())
        await group.waitForAll()
      }
      #expect(
        hull.log == [
          "0.004 seconds: a runs", "0.004 seconds: b runs", "1.004 seconds: c runs",
          "1.004 seconds: d runs",
        ])
      occupants.leave()
      #expect(hull.inFlight == 0)
    }
  }

  @Test("BH-4: without anybody waiting, the new limit is the one that counts")
  func plain() {
    let hull = Hull(limit: 2, queue: 0, on: VirtualClock())
    let occupants = hull.occupy(2)
    hull.bulkhead.limit = 3
    #expect(hull.hasRoom())
    hull.bulkhead.limit = 1
    #expect(!hull.hasRoom())
    occupants.leave()
    #expect(!hull.hasRoom())
    occupants.leave()
    #expect(hull.hasRoom())
    #expect(hull.bulkhead.layers.map(\.settings) == ["1 at a time, no queue"])
    #expect(hull.events.filter { $0.hasPrefix("limit") } == ["limit 2 > 3", "limit 3 > 1"])
  }

  @Test("a limit that is set to what it is, is no news")
  func unchanged() {
    let hull = Hull(limit: 2, on: VirtualClock())
    hull.bulkhead.limit = 2
    #expect(hull.events == [])
  }

  @Test("the largest limit there is")
  func largest() {
    let bulkhead = Bulkhead(limit: .max)
    #expect(bulkhead.limit == 2_147_483_647)
    bulkhead.limit = 1
    bulkhead.limit = .max
    #expect(bulkhead.snapshot().limit == 2_147_483_647)
    bulkhead.tryAcquire()?.release()
    #expect(bulkhead.snapshot().totals == .init(admitted: 1))
    #expect(bulkhead.isEvictable)
  }

  @Test(
    "X-5: it may be forgotten when nobody is inside, nobody waits, and nobody has set its limit")
  func evictable() async throws {
    try await withVirtualTime { clock in
      let hull = Hull(on: clock)
      #expect(hull.bulkhead.isEvictable)
      let occupants = hull.occupy()
      #expect(!hull.bulkhead.isEvictable)
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await hull.call("a") }
        await clock.advance(by: .milliseconds(1))
        #expect(!hull.bulkhead.isEvictable)
        occupants.leave()
        await group.waitForAll()
      }
      #expect(hull.bulkhead.isEvictable)
      hull.bulkhead.limit = 7
      #expect(!hull.bulkhead.isEvictable)
      hull.bulkhead.limit = 1
      #expect(hull.bulkhead.isEvictable)
    }
  }
}
