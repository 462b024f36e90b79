import ResilienceTesting
import Testing

@testable import Resilience

@Suite("Bulkhead: events and snapshots", .timeLimit(.minutes(20)))
struct BulkheadEventTests {
  @Test("X-3: everything that happens to those who wait or are refused, in order")
  func events() async throws {
    try await withVirtualTime { clock in
      let hull = Hull(queue: 2, maxWait: .seconds(3), order: .priority, on: clock)
      let occupants = hull.occupy()
      let cancelled = hull.start("a", .medium)
      var tasks: [Task<Void, Never>] = []
      for (name, priority) in [("b", TaskPriority.low), ("c", .high)] {
        await clock.advance(by: .milliseconds(500))
        tasks.append(hull.start(name, priority))
      }
      await clock.advance(by: .milliseconds(500))
      cancelled.cancel()
      for name in ["d", "e"] {
        tasks.append(hull.start(name, .low))
        await clock.advance(by: .milliseconds(500))
      }
      occupants.leave()
      hull.bulkhead.limit = 2
      for task in tasks { await task.value }
      #expect(hull.inFlight == 0)
      #expect(
        hull.events == [
          "queued (1 waiting)", "queued (2 waiting)", "queued (2 waiting)",
          "rejected (dropped from the queue) after 0.5 seconds", "cancelled after 1.5 seconds",
          "queued (2 waiting)", "rejected (full)", "served after 1.5 seconds", "limit 1 > 2",
          "served after 1.0 seconds",
        ])
      #expect(
        hull.recorder.descriptions.last == #"bulkhead "users": served after 1.0 seconds"#)
    }
  }

  @Test("X-3: refused after a wait, and at once without a queue or for who does not wait")
  func rejections() async throws {
    try await withVirtualTime { clock in
      let hull = Hull(maxWait: .seconds(1), on: clock)
      let occupants = hull.occupy()
      await hull.call("a")
      #expect(!hull.hasRoom())
      try await Deadline(in: .milliseconds(300), clock: clock).run { await hull.call("b") }
      #expect(
        hull.events == [
          "queued (1 waiting)", "rejected (waited too long) after 1.0 seconds", "rejected (full)",
          "queued (1 waiting)", "rejected (the deadline has passed) after 0.3 seconds",
        ])
      occupants.leave()
      let plain = Hull(queue: 0, on: clock)
      let occupant = plain.occupy()
      await plain.call("c")
      #expect(!plain.hasRoom())
      #expect(plain.events == ["rejected (full)", "rejected (full)"])
      occupant.leave()
    }
  }

  @Test("X-3: a call that finds room tells nothing")
  func quiet() async throws {
    let hull = Hull(on: VirtualClock())
    try await hull.bulkhead.run {}
    #expect(hull.hasRoom())
    #expect(hull.events == [])
  }

  @Test("X-3: an observer may call back")
  func reentrant() async throws {
    final class Meddler: ResilienceObserver {
      let bulkhead = Shared<Bulkhead?>(nil)
      let seen = Shared<[Int]>([])

      func observe(_ event: any ResilienceEvent) {
        guard let bulkhead = bulkhead.value else { return }
        seen.value.append(bulkhead.snapshot().waiting)
        bulkhead.limit += 1
        if let permit = bulkhead.tryAcquire() { permit.release() }
      }
    }
    try await withVirtualTime { clock in
      let meddler = Meddler()
      let bulkhead = Bulkhead(limit: 1, queue: 1, clock: clock, observers: [meddler])
      let occupants = Occupants(bulkhead, 1, #_sourceLocation)
      meddler.bulkhead.value = bulkhead
      // It begins to wait, of which the observer hears; who then makes room.
      let value = try await bulkhead.run { 7 }
      #expect(value == 7)
      #expect(meddler.seen.value.first == 1)
      #expect(bulkhead.limit > 1)
      meddler.bulkhead.value = nil
      occupants.leave()
      #expect(bulkhead.snapshot().inFlight == 0)
    }
  }

  @Test("X-3: a snapshot says what is going on, and changes nothing")
  func snapshot() async throws {
    try await withVirtualTime { clock in
      let hull = Hull(limit: 2, queue: 3, on: clock)
      let occupants = hull.occupy(2)
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await hull.call("a") }
        group.addTask { await hull.call("b") }
        await clock.advance(by: .seconds(1))
        hull.bulkhead.limit = 1
        let snapshot = hull.bulkhead.snapshot()
        #expect(
          snapshot
            == .init(
              name: "users", limit: 1, inFlight: 2, waiting: 2, queue: 3,
              totals: .init(admitted: 2)))
        #expect(hull.bulkhead.snapshot() == snapshot)
        occupants.leave()
        occupants.leave()
        await group.waitForAll()
      }
      #expect(
        hull.bulkhead.snapshot()
          == .init(
            name: "users", limit: 1, inFlight: 0, waiting: 0, queue: 3,
            totals: .init(admitted: 4, waited: 2)))
    }
  }

  @Test("refusals of all reasons together")
  func rejected() {
    let totals = Bulkhead.Totals(
      admitted: 64, waited: 32, cancelled: 16, full: 1, waitedTooLong: 2, deadlineExpired: 4,
      dropped: 8)
    #expect(totals.rejected == 15)
    #expect(Bulkhead.Totals(full: .max, dropped: 1).rejected == .max)
  }

  @Test("a refusal names the bulkhead and the reason, and is one word, the same each time")
  func errors() async throws {
    let bulkhead = Bulkhead("users", limit: 1)
    let occupants = Occupants(bulkhead, 1, #_sourceLocation)
    let error = try await #require(throws: BulkheadFullError.self) { try await bulkhead.run {} }
    #expect(error.policy == "users")
    #expect(error.reason == .full)
    #expect(error.retryAfter == nil)
    #expect(error.description == #"bulkhead "users" refused the call: full"#)
    #expect(MemoryLayout<BulkheadFullError>.size == MemoryLayout<Int>.size)
    let prepared = BulkheadFullError.Prepared(policy: "users")
    let reasons: [BulkheadFullError.Reason] = [.full, .waitedTooLong, .deadlineExpired, .dropped]
    #expect(reasons.map { (prepared[$0] as? BulkheadFullError)?.reason } == reasons)
    #expect(
      reasons.map(\.description) == [
        "full", "waited too long", "the deadline has passed", "dropped from the queue",
      ])
    occupants.leave()
  }
}
