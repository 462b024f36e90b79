import ResilienceTesting
import Testing

@Suite("withVirtualTime")
struct RunLoopTests {
  @Test("advancing by 10 s runs three waits of 1 s, each at its time")
  func advanceRunsConsecutiveWaits() async throws {
    let trace = Trace()
    try await withVirtualTime(.manually) { clock in
      async let waits: Void = {
        for _ in 1...3 {
          try await clock.sleep(for: .seconds(1))
          trace("\(clock.now)")
        }
      }()
      await clock.advance(by: .seconds(10))
      trace("advanced to \(clock.now)")
      try await waits
    }
    #expect(
      trace.all == ["1.0 seconds", "2.0 seconds", "3.0 seconds", "advanced to 10.0 seconds"])
  }

  @Test("advancing by nothing, or back, runs what is ready and leaves the time")
  func advanceByNothing() async throws {
    for duration in [Duration.zero, .seconds(-3)] {
      let trace = Trace()
      try await withVirtualTime(.manually) { clock in
        await clock.advance(by: .seconds(1))
        async let child: Void = {
          for step in 1...3 {
            await Task.yield()
            trace("step \(step)")
          }
        }()
        await clock.advance(by: duration)
        trace("\(clock.now)")
        await child
      }
      #expect(trace.all == ["step 1", "step 2", "step 3", "1.0 seconds"])
    }
  }

  @Test("what is due at an advance's end has run when it returns; what is not has not")
  func advanceIncludesItsEnd() async throws {
    let trace = Trace()
    try await withVirtualTime(.manually) { clock in
      async let a: Void = wait(3, "a", clock, trace)
      async let b: Void = wait(4, "b", clock, trace)
      await clock.advance(to: .start.advanced(by: .seconds(3)))
      trace("3")
      #expect(clock.sleeperCount == 1)
      await clock.advance(to: .start)
      #expect(clock.now.offset == .seconds(3))
      await clock.advance(by: .seconds(1))
      _ = try await (a, b)
    }
    #expect(trace.all == ["a at 3.0 seconds", "3", "b at 4.0 seconds"])
  }

  @Test("an advance by a sleeper lets those of the same instant run first", arguments: [0, -1])
  func advanceWaitsForEquals(seconds: Int) async throws {
    let trace = Trace()
    try await withVirtualTime { clock in
      async let first: Void = {
        try await clock.sleep(for: .seconds(1))
        await clock.advance(by: .seconds(seconds))
        trace("first at \(clock.now)")
      }()
      async let second: Void = wait(1, "second", clock, trace)
      _ = try await (first, second)
    }
    #expect(trace.all == ["second at 1.0 seconds", "first at 1.0 seconds"])
  }

  @Test("advances by several tasks overlap, each to its own instant")
  func concurrentAdvances() async throws {
    let trace = Trace()
    try await withVirtualTime(.manually) { clock in
      await withTaskGroup { group in
        for seconds in [5, 2, 2] {
          group.addTask {
            await clock.advance(by: .seconds(seconds))
            trace("\(seconds) at \(clock.now)")
          }
        }
      }
    }
    #expect(trace.all == ["2 at 2.0 seconds", "2 at 2.0 seconds", "5 at 5.0 seconds"])
  }

  @Test("time passes by itself when nothing is ready")
  func automatic() async throws {
    let trace = Trace()
    let now = try await withVirtualTime { clock in
      async let a: Void = wait(7_200, "a", clock, trace)
      async let b: Void = wait(3_600, "b", clock, trace)
      _ = try await (a, b)
      return clock.now
    }
    #expect(trace.all == ["b at 3600.0 seconds", "a at 7200.0 seconds"])
    #expect(now.offset == .seconds(7_200))
  }

  @Test("an advance works while time passes by itself, too")
  func advanceUnderAutomatic() async throws {
    let trace = Trace()
    try await withVirtualTime { clock in
      async let a: Void = wait(1, "a", clock, trace)
      async let b: Void = wait(2, "b", clock, trace)
      await clock.advance(by: .milliseconds(1500))
      trace("\(clock.now)")
      _ = try await (a, b)
    }
    #expect(trace.all == ["a at 1.0 seconds", "1.5 seconds", "b at 2.0 seconds"])
  }

  @Test("equal instants wake in the order in which they were asked for")
  func firstComeFirstServed() async throws {
    let trace = Trace()
    try await withVirtualTime { clock in
      await withTaskGroup { group in
        for name in ["a", "b", "c", "d"] {
          group.addTask { try? await wait(1, name, clock, trace) }
        }
      }
    }
    #expect(trace.all == ["a", "b", "c", "d"].map { "\($0) at 1.0 seconds" })
  }

  @Test("groups, immediate children, actors, streams and yields stay on the loop")
  func staysOnTheLoop() async throws {
    actor Counter {
      var value = 0
      func add(_ clock: VirtualClock) async throws -> Int {
        value += 1
        try await clock.sleep(for: .seconds(1))
        await Task.yield()
        return value
      }
    }
    try await withVirtualTime { clock in
      let counter = Counter()
      let sum = try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 1...3 { group.addTask { try await counter.add(clock) } }
        return try await group.reduce(0, +)
      }
      #expect(sum == 9)
      let (stream, continuation) = AsyncStream<Int>.makeStream()
      async let total = stream.reduce(0, +)
      for number in 1...3 {
        try await clock.sleep(for: .seconds(1))
        continuation.yield(number)
      }
      continuation.finish()
      #expect(await total == 6)
      #expect(clock.now.offset == .seconds(4))
      #expect(clock.foreignEnqueues == 0)
    }
  }

  @Test("the same program leaves the same trace every time")
  func isDeterministic() async throws {
    func run() async throws -> [String] {
      let trace = Trace()
      try await withVirtualTime { clock in
        await withTaskGroup { group in
          for worker in 0..<8 {
            group.addTask {
              var random = Random(state: UInt64(worker))
              for step in 0..<10 {
                try? await clock.sleep(for: .seconds(Int.random(in: 0...3, using: &random)))
                await Task.yield()
                trace("\(worker).\(step) at \(clock.now)")
              }
            }
          }
        }
      }
      return trace.all
    }
    let first = try await run()
    #expect(first.count == 80)
    for _ in 0..<50 { #expect(try await run() == first) }
  }

  @Test("sleepers(atLeast:) works on the loop as well")
  func arrivalsOnTheLoop() async throws {
    let trace = Trace()
    try await withVirtualTime(.manually) { clock in
      async let a: Void = wait(1, "a", clock, trace)
      await clock.sleepers(atLeast: 1)
      trace("asleep")
      resume(clock)
      trace("resumed")
      try await a
    }
    #expect(trace.all == ["asleep", "resumed", "a at 1.0 seconds"])
  }

  @Test("a loop runs inside a loop")
  func nested() async throws {
    let trace = Trace()
    try await withVirtualTime { outer in
      async let a: Void = wait(1, "outer", outer, trace)
      try await withVirtualTime { inner in
        try await wait(5, "inner", inner, trace)
        #expect(inner.foreignEnqueues == 0)
      }
      try await a
      #expect(outer.foreignEnqueues == 0)
    }
    #expect(trace.all == ["inner at 5.0 seconds", "outer at 1.0 seconds"])
  }

  @Test("the body sees the caller's task-locals")
  func taskLocals() async throws {
    let seen = try await Names.$current.withValue("test") {
      try await withVirtualTime { clock in
        try await clock.sleep(for: .seconds(1))
        return Names.current
      }
    }
    #expect(seen == "test")
  }

  enum Names {
    @TaskLocal static var current = ""
  }
}

/// What synchronous code gets: sleepers are ready, but have not run.
func resume(_ clock: VirtualClock) {
  clock.advance(by: .seconds(1))
}

/// Sleeps and leaves its name and the time.
func wait(
  _ seconds: Int, _ name: String, _ clock: VirtualClock, _ trace: Trace
) async throws {
  try await clock.sleep(for: .seconds(seconds))
  trace("\(name) at \(clock.now)")
}
