import ResilienceTesting
import Testing

@testable import Resilience

@Suite("Bulkhead: who is served, and when", .timeLimit(.minutes(20)))
struct BulkheadQueueTests {
  @Test("BH-1: as many run at a time as may; without a queue the next is refused at once")
  func noQueue() async throws {
    try await withVirtualTime { clock in
      let hull = Hull(limit: 2, queue: 0, on: clock)
      await hull.callInTurn("a", "b", "c")
      #expect(
        hull.log == [
          "0.0 seconds: a runs", "0.001 seconds: b runs", "0.002 seconds: c refused: full",
        ])
      #expect(hull.totals == .init(admitted: 2, full: 1))
      #expect(hull.inFlight == 0)
    }
  }

  @Test("X-5: first in, first out; a full queue refuses who comes")
  func fifo() async throws {
    try await withVirtualTime { clock in
      let hull = Hull(queue: 2, on: clock)
      await hull.callInTurn("a", "b", "c", "d")
      #expect(
        hull.log == [
          "0.0 seconds: a runs", "0.003 seconds: d refused: full", "1.0 seconds: b runs",
          "2.0 seconds: c runs",
        ])
      #expect(hull.totals == .init(admitted: 3, waited: 2, full: 1))
    }
  }

  @Test("BH-2: newest first; a full queue drops its oldest")
  func newestFirst() async throws {
    try await withVirtualTime { clock in
      let hull = Hull(queue: 3, order: .newestFirst, on: clock)
      await hull.callInTurn("a", "b", "c", "d", "e", taking: .milliseconds(20))
      #expect(
        hull.log == [
          "0.0 seconds: a runs", "0.004 seconds: b refused: dropped from the queue",
          "0.02 seconds: e runs", "0.04 seconds: d runs", "0.06 seconds: c runs",
        ])
      #expect(hull.totals == .init(admitted: 4, waited: 3, dropped: 1))
    }
  }

  @Test("BH-2: by priority, equals as they came; a full queue drops its least urgent, newest")
  func priority() async throws {
    try await withVirtualTime { clock in
      let hull = Hull(queue: 4, order: .priority, on: clock)
      let calls: [(String, TaskPriority)] = [
        ("first", .background), ("low 1", .background), ("low 2", .background),
        ("middle 1", .medium), ("middle 2", .medium), ("high", .high), ("middle 3", .medium),
        ("middle 4", .medium), ("low 3", .background),
      ]
      var tasks: [Task<Void, Never>] = []
      for (name, priority) in calls {
        tasks.append(hull.start(name, priority))
        await clock.advance(by: .milliseconds(1))
      }
      for task in tasks { await task.value }
      #expect(
        hull.log == [
          "0.0 seconds: first runs", "0.005 seconds: low 2 refused: dropped from the queue",
          "0.006 seconds: low 1 refused: dropped from the queue",
          "0.007 seconds: middle 4 refused: full", "0.008 seconds: low 3 refused: full",
          "1.0 seconds: high runs", "2.0 seconds: middle 1 runs", "3.0 seconds: middle 2 runs",
          "4.0 seconds: middle 3 runs",
        ])
    }
  }

  @Test("BH-2: a child task that was given a priority has it")
  func priorityOfChild() async throws {
    try await withVirtualTime { clock in
      let hull = Hull(order: .priority, on: clock)
      let occupants = hull.occupy()
      await withTaskGroup(of: Void.self) { group in
        for (name, priority) in [("a", TaskPriority?.none), ("b", .high)] {
          group.addTask(priority: priority) { await hull.call(name) }
          await clock.advance(by: .milliseconds(1))
        }
        occupants.leave()
      }
      #expect(hull.log == ["0.002 seconds: b runs", "1.002 seconds: a runs"])
    }
  }

  @Test("X-5: nobody overtakes those who wait, neither by a free place nor by not waiting")
  func noBarging() async throws {
    try await withVirtualTime { clock in
      let hull = Hull(on: clock)
      let occupants = hull.occupy()
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await hull.call("a") }
        await clock.advance(by: .milliseconds(1))
        occupants.leave()
        // The place is handed over; "a" has not had its turn yet.
        #expect(hull.inFlight == 1)
        #expect(!hull.hasRoom())
        group.addTask { await hull.call("b") }
        await group.waitForAll()
      }
      #expect(hull.log == ["0.001 seconds: a runs", "1.001 seconds: b runs"])
      #expect(hull.totals == .init(admitted: 3, waited: 2, full: 1))
    }
  }

  @Test(
    "X-5: with others waiting, who does not wait is refused, though a place comes back meanwhile")
  func tryAcquireWithWaiters() async throws {
    try await withVirtualTime { clock in
      let hull = Hull(limit: 3, on: clock)
      let occupants = hull.occupy(3)
      await withTaskGroup(of: Void.self) { group in
        for name in ["a", "b", "c"] { group.addTask { await hull.call(name, taking: .zero) } }
        await clock.advance(by: .milliseconds(1))
        for left in [2, 1, 0] {
          occupants.leave()
          #expect(hull.waiting == left)
          #expect(!hull.hasRoom())
        }
        await group.waitForAll()
      }
      #expect(hull.log.count == 3)
      #expect(hull.inFlight == 0)
      #expect(hull.hasRoom())
    }
  }
}

// MARK: - Time

extension BulkheadQueueTests {
  @Test("BH-3: nobody waits for longer than `maxWait`; at exactly that time, he is refused")
  func maxWait() async throws {
    try await withVirtualTime { clock in
      let hull = Hull(maxWait: .milliseconds(999), on: clock)
      await hull.callInTurn("a", "b", "c", taking: .seconds(1))
      #expect(
        hull.log == [
          "0.0 seconds: a runs", "1.0 seconds: b refused: waited too long", "1.0 seconds: c runs",
        ])
      #expect(hull.totals == .init(admitted: 2, waited: 1, waitedTooLong: 1))
    }
  }

  @Test(
    "BH-3: a place that comes back as the time is over goes to the next", arguments: [false, true])
  func atTheLimit(isTimerLate: Bool) async throws {
    try await withVirtualTime { clock in
      let odd = OddClock(clock)
      let hull = Hull(maxWait: .seconds(1), on: clock, waitingOn: odd)
      let occupants = hull.occupy()
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await hull.call("a") }
        await clock.advance(by: .milliseconds(500))
        group.addTask { await hull.call("b") }
        await clock.advance(by: .milliseconds(499))
        // The clock shows the second, and the timer that waits for it has not noticed.
        if isTimerLate { odd.step(by: .milliseconds(1)) }
        if !isTimerLate { await clock.advance(by: .milliseconds(1)) }
        occupants.leave()
        await group.waitForAll()
      }
      let time = isTimerLate ? "0.999" : "1.0"
      #expect(
        hull.log == ["\(time) seconds: a refused: waited too long", "\(time) seconds: b runs"])
      #expect(hull.totals == .init(admitted: 2, waited: 1, waitedTooLong: 1))
    }
  }

  @Test("BH-3: a deadline that is nearer ends the wait; one that has passed does not let it begin")
  func deadline() async throws {
    try await withVirtualTime { clock in
      let hull = Hull(on: clock)
      let occupants = hull.occupy()
      await withTaskGroup(of: Void.self) { group in
        for (name, limit) in [("a", Duration.seconds(2)), ("b", .zero), ("c", .seconds(100))] {
          group.addTask {
            try? await Deadline(in: limit, clock: clock).run { await hull.call(name) }
          }
          await clock.advance(by: .milliseconds(1))
        }
        await group.waitForAll()
      }
      #expect(
        hull.log == [
          "0.001 seconds: b refused: the deadline has passed",
          "2.0 seconds: a refused: the deadline has passed",
          "60.002 seconds: c refused: waited too long",
        ])
      #expect(hull.totals == .init(admitted: 1, waitedTooLong: 1, deadlineExpired: 2))
      occupants.leave()
    }
  }

  @Test("BH-3: where there is room, nobody asks for the deadline")
  func deadlineWithRoom() async throws {
    try await withVirtualTime { clock in
      let hull = Hull(on: clock)
      try await Deadline(in: .zero, clock: clock).run { await hull.call("a", taking: .zero) }
      #expect(hull.log == ["0.0 seconds: a runs"])
    }
  }

  @Test("the longest wait there is, and none", arguments: [Duration(attoseconds: .max), .zero])
  func extremes(_ maxWait: Duration) async throws {
    try await withVirtualTime { clock in
      let hull = Hull(maxWait: maxWait, on: clock)
      let occupants = hull.occupy()
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await hull.call("a") }
        await clock.advance(by: .seconds(86_400 * 365))
        occupants.leave()
      }
      #expect(
        hull.log == [
          maxWait == .zero
            ? "0.0 seconds: a refused: full" : "31536000.0 seconds: a runs"
        ])
    }
  }

  @Test("BH-3: newest first, who comes in 100 ms of overload waits 100 ms at most, later 5 ms")
  func controlledDelay() async throws {
    try await withVirtualTime { clock in
      let hull = Hull(queue: 100, order: .newestFirst, on: clock)
      let occupants = hull.occupy()
      await withTaskGroup(of: Void.self) { group in
        for at in [0, 60, 100, 101, 104, 106, 300] {
          await clock.advance(to: .init(offset: .milliseconds(at)))
          group.addTask { await hull.call("\(at)") }
        }
        await group.waitForAll()
      }
      #expect(
        hull.log == [
          // The queue has not been empty since 0, and so is until 160 and 200.
          "0.1 seconds: 0 refused: dropped from the queue",
          "0.106 seconds: 101 refused: dropped from the queue",
          "0.109 seconds: 104 refused: dropped from the queue",
          "0.111 seconds: 106 refused: dropped from the queue",
          "0.16 seconds: 60 refused: dropped from the queue",
          "0.2 seconds: 100 refused: dropped from the queue",
          // It has been empty since.
          "0.4 seconds: 300 refused: dropped from the queue",
        ])
      #expect(hull.totals == .init(admitted: 1, dropped: 7))
      occupants.leave()
    }
  }

  @Test("BH-3: newest first, `maxWait` and deadline hold where they are shorter")
  func controlledDelayAndLimits() async throws {
    try await withVirtualTime { clock in
      let hull = Hull(maxWait: .milliseconds(20), order: .newestFirst, on: clock)
      let occupants = hull.occupy()
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await hull.call("a") }
        group.addTask {
          try? await Deadline(in: .milliseconds(10), clock: clock).run { await hull.call("b") }
        }
        await group.waitForAll()
      }
      #expect(
        hull.log == [
          "0.01 seconds: b refused: the deadline has passed",
          "0.02 seconds: a refused: waited too long",
        ])
      occupants.leave()
    }
  }
}
