import Resilience
import ResilienceTesting
import Testing

@Suite("TO-1, TO-5: how much time a call has", .timeLimit(.minutes(20)))
struct TimeoutLimitTests {
  @Test("TO-1: at the limit the body is cancelled, waited for, and its error is inside")
  func limit() async throws {
    try await withVirtualTime { clock in
      let timeout = Timeout(.seconds(2), clock: clock)
      let ending = await Ending.of {
        try await timeout.run { try await Body(manner: .obeys, clock: clock)() }
      }
      #expect(ending == .timedOut(.seconds(2), underlying: "CancellationError"))
      #expect(clock.now.offset == .seconds(2))
      #expect(clock.sleeperCount == 0)
      #expect(clock.foreignEnqueues == 0)
      #expect(timeout.snapshot().counts == [1, 0, 0])
    }
  }

  @Test("TO-1: a body that ignores cancellation keeps its caller waiting (failsafe P14)")
  func cooperative() async throws {
    try await withVirtualTime { clock in
      let timeout = Timeout(.milliseconds(20), clock: clock)
      let ending = await Ending.of {
        try await timeout.run {
          await Body.deafSleep(clock, for: .milliseconds(300))
          #expect(Task.isCancelled)
          throw Body.Complaint()
        }
      }
      #expect(ending == .timedOut(.milliseconds(20), underlying: "Complaint"))
      #expect(clock.now.offset == .milliseconds(300))
    }
  }

  @Test("TO-1: an answer within the limit is the answer, and leaves no timer")
  func answer() async throws {
    try await withVirtualTime { clock in
      let timeout = Timeout(.seconds(5), clock: clock)
      let ending = await Ending.of {
        try await timeout.run {
          let value = try await Body(manner: .obeys, clock: clock)()
          #expect(clock.sleeperCount == 1)
          return value
        }
      }
      #expect(ending == .value(4))
      #expect(clock.now.offset == .seconds(4))
      #expect(clock.sleeperCount == 0)
      #expect(timeout.snapshot().counts == [0, 0, 0])
    }
  }

  @Test(
    "TO-1: the limit is the deadline inside, read on the timeout's clock, and ends with the call")
  func deadline() async throws {
    try await withVirtualTime { clock in
      try await Timeout(.seconds(5), clock: clock).run {
        #expect(Deadline.current?.remaining == .seconds(5))
        try await clock.sleep(for: .seconds(2))
        #expect(Deadline.current?.remaining == .seconds(3))
        try? await clock.sleep(for: .seconds(9))
        #expect(Task.isCancelled)
        #expect(Deadline.current?.isExpired == true)
      }
      #expect(Deadline.current == nil)
    }
  }

  @Test("TO-1: a deadline outside that is earlier stays, and is the limit", arguments: [1, 3])
  func earlierDeadline(left: Int) async throws {
    try await withVirtualTime { clock in
      let timeout = Timeout(.seconds(4), clock: clock)
      let ending = await Ending.of {
        try await Deadline(in: .seconds(5), clock: clock).run {
          await Body.deafSleep(clock, for: .seconds(5 - left))
          return try await timeout.run {
            #expect(Deadline.current?.remaining == .seconds(left))
            return try await Body(manner: .obeys, clock: clock)()
          }
        }
      }
      #expect(ending == .timedOut(.seconds(left), underlying: "CancellationError"))
      #expect(clock.now.offset == .seconds(5))
    }
  }

  @Test("TO-1: a deadline outside that is later is narrowed, and is back after the call")
  func laterDeadline() async throws {
    try await withVirtualTime { clock in
      try await Deadline(in: .seconds(5), clock: clock).run {
        let ending = await Ending.of {
          try await Timeout(.seconds(2), clock: clock).run {
            #expect(Deadline.current?.remaining == .seconds(2))
            return try await Body(manner: .obeys, clock: clock)()
          }
        }
        #expect(ending == .timedOut(.seconds(2), underlying: "CancellationError"))
        #expect(Deadline.current?.remaining == .seconds(3))
      }
    }
  }

  @Test("TO-1: a deadline of another clock counts by what it leaves, and is read on its own clock")
  func deadlineOfAnotherClock() async throws {
    try await withVirtualTime { clock in
      let other = VirtualClock()
      await other.advance(by: .seconds(1_000_000))
      let timeout = Timeout(.seconds(3), clock: clock)
      let narrowed = await Ending.of {
        try await Deadline(in: .seconds(2), clock: other).run {
          try await timeout.run {
            await other.advance(by: .seconds(1))
            #expect(Deadline.current?.remaining == .seconds(1))
            return try await Body(manner: .obeys, clock: clock)()
          }
        }
      }
      #expect(narrowed == .timedOut(.seconds(2), underlying: "CancellationError"))
      #expect(clock.now.offset == .seconds(2))
      let own = await Ending.of {
        try await Deadline(in: .seconds(4), clock: other).run {
          try await timeout.run {
            await other.advance(by: .seconds(100))
            #expect(Deadline.current?.remaining == .seconds(3))
            return try await Body(manner: .obeys, clock: clock)()
          }
        }
      }
      #expect(own == .timedOut(.seconds(3), underlying: "CancellationError"))
      #expect(clock.now.offset == .seconds(5))
    }
  }

  @Test(
    "TO-1: of two timeouts the earlier ends the call; an inner one has no more than is left outside",
    arguments: [1, 2, 3], [1, 2, 3])
  func nested(outer: Int, inner: Int) async throws {
    for isSuspendedBetween in [false, true] {
      try await withVirtualTime { clock in
        let outside = Timeout(.seconds(outer), name: "outer", clock: clock)
        let inside = Timeout(.seconds(inner), name: "inner", clock: clock)
        let ending = await Ending.of {
          try await outside.run {
            if isSuspendedBetween { await Task.yield() }
            return try await inside.run { try await Body(manner: .obeys, clock: clock)() }
          }
        }
        #expect(ending == .timedOut(.seconds(min(outer, inner)), underlying: "CancellationError"))
        #expect(clock.now.offset == .seconds(min(outer, inner)))
        #expect(clock.sleeperCount == 0)
        // At the same instant the timer that was set first holds: the inner one, unless the outer
        // caller had come to its wait before.
        let isOuter = outer <= inner && isSuspendedBetween
        #expect(outside.snapshot().counts == [isOuter ? 1 : 0, 0, 0])
        #expect(inside.snapshot().counts == [isOuter ? 0 : 1, 0, 0])
      }
    }
  }

  @Test("TO-1, TO-3: an inner timeout whose body outlasts the outer one leaves its error to that")
  func nestedDeaf() async throws {
    try await withVirtualTime { clock in
      let outside = Timeout(.seconds(2), name: "outer", clock: clock)
      let inside = Timeout(.seconds(1), name: "inner", clock: clock)
      let ending = await Ending.of {
        try await outside.run {
          try await inside.run { try await Body(manner: .deafAndFails, clock: clock)() }
        }
      }
      #expect(ending == .timedOut(.seconds(2), underlying: "Complaint"))
      #expect(outside.snapshot().counts == [1, 0, 0])
      #expect(inside.snapshot().counts == [0, 0, 0])
    }
  }

  // MARK: - No time, and all the time there is

  @Test(
    "TO-5: a limit of zero or less refuses the call, and does not run it",
    arguments: [
      Duration.zero, .nanoseconds(-1), Duration(attoseconds: -1), .seconds(-1),
      .seconds(Int64.min), Duration(attoseconds: .min),
    ])
  func noTime(limit: Duration) async throws {
    try await withVirtualTime { clock in
      let timeout = Timeout(limit, name: "none", clock: clock)
      for deadline in [Duration.zero, .seconds(1)] {
        let ending = await Ending.of {
          try await Deadline(in: deadline, clock: clock).run {
            try await timeout.run {
              Issue.record("the body ran")
              return 1
            }
          }
        }
        #expect(ending == .refused(.noTime, by: "none"))
      }
      #expect(timeout.snapshot().counts == [0, 0, 2])
      #expect(timeout.limit == limit)
    }
  }

  @Test("TO-5: a deadline that has passed refuses the call, and does not run it")
  func expired() async throws {
    try await withVirtualTime { clock in
      let timeout = Timeout(.seconds(1), name: "late", clock: clock)
      let ending = await Ending.of {
        try await Deadline(in: .seconds(3), clock: clock).run {
          await Body.deafSleep(clock, for: .seconds(3))
          return try await timeout.run {
            Issue.record("the body ran")
            return 1
          }
        }
      }
      #expect(ending == .refused(.deadlineExpired, by: "late"))
      #expect(timeout.snapshot().counts == [0, 0, 1])
    }
  }

  @Test(
    "TO-1: limits below a millisecond hold, and none above zero becomes zero (resilience4j)",
    arguments: [
      (Duration.microseconds(900), Duration.microseconds(900)), (.nanoseconds(1), .nanoseconds(1)),
      (Duration(attoseconds: 1), .nanoseconds(1)),
      (Duration(attoseconds: 1_000_000_001), .nanoseconds(2)),
    ])
  func short(limit: Duration, held: Duration) async throws {
    try await withVirtualTime { clock in
      let ending = await Ending.of {
        try await Timeout(limit, clock: clock).run {
          #expect(Deadline.current?.remaining == held)
          return try await Body(manner: .obeys, clock: clock)()
        }
      }
      #expect(ending == .timedOut(limit, underlying: "CancellationError"))
      #expect(clock.now.offset == held)
    }
  }

  @Test(
    "TO-5: huge limits neither trap nor end a call",
    arguments: [
      Duration.seconds(Int64.max), Duration(attoseconds: .max), .nanoseconds(Int64.max),
    ])
  func huge(limit: Duration) async throws {
    for start in [Duration.zero, .seconds(1), .nanoseconds(Int64.max)] {
      try await withVirtualTime { clock in
        await clock.advance(by: start)
        let ending = await Ending.of {
          try await Timeout(limit, clock: clock).run {
            await Task.yield()
            return 7
          }
        }
        #expect(ending == .value(7) || start == .nanoseconds(Int64.max))
        #expect(clock.sleeperCount == 0)
      }
    }
    let real = await Ending.of {
      try await Timeout(limit).run {
        await Task.yield()
        return 7
      }
    }
    #expect(real == .value(7))
  }

  @Test("TO-1: on the default clock, in real time")
  func realTime() async {
    let timeout = Timeout(.milliseconds(2))
    let ending = await Ending.of {
      try await timeout.run {
        try await ContinuousClock().sleep(for: .seconds(600))
        return 1
      }
    }
    #expect(ending == .timedOut(.milliseconds(2), underlying: "CancellationError"))
    #expect(timeout.snapshot().counts == [1, 0, 0])
  }
}
