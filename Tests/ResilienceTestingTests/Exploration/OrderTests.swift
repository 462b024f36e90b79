import ResilienceTesting
import Testing

@Suite("VirtualClock.Order")
struct OrderTests {
  @Test("an order is written as it is spelled in Swift")
  func descriptions() {
    #expect("\(VirtualClock.Order.arrival)" == ".arrival")
    #expect("\(VirtualClock.Order.shuffled(seed: 17))" == ".shuffled(seed: 17)")
    #expect("\(VirtualClock.Order.replaying([2, 0, 1]))" == ".replaying([2, 0, 1])")
  }

  @Test("no choices replayed are the order of arrival")
  func replayingNothing() async throws {
    #expect(try await workers(.replaying([])) == workers(.arrival))
    let firsts = try await workers(.arrival).prefix(3)
    #expect(firsts == ["0.0 at 0.0 seconds", "1.0 at 0.0 seconds", "2.0 at 0.0 seconds"])
  }

  @Test("a seed is one trace, the same in every build; another seed is another")
  func seeds() async throws {
    for _ in 0..<20 {
      #expect(try await hash(workers(.shuffled(seed: 1))) == 18_150_833_863_949_569_662)
    }
    #expect(try await hash(workers(.shuffled(seed: 2))) == 8_726_135_061_474_548_116)
    #expect(try await hash(workers(.arrival)) == 12_301_740_099_643_345_834)
    var traces: Set<[String]> = []
    for seed: UInt64 in 0..<100 { traces.insert(try await workers(.shuffled(seed: seed))) }
    #expect(traces.count == 100)
  }

  @Test("every order leaves every task's own steps, and the time, in their order")
  func keepsPrograms() async throws {
    let expected = try await workers(.arrival)
    for seed: UInt64 in 0..<50 {
      let trace = try await workers(.shuffled(seed: seed))
      for worker in 0..<8 {
        let steps = trace.filter { $0.hasPrefix("\(worker).") }
        #expect(steps == expected.filter { $0.hasPrefix("\(worker).") })
      }
    }
  }

  @Test("each of three ready tasks comes first in about a third of the seeds")
  func drawsFairly() async throws {
    let firsts = Record<Int>()
    for seed: UInt64 in 0..<3_000 {
      let order = Record<Int>()
      try await withVirtualTime(order: .shuffled(seed: seed)) { _ in
        await withDiscardingTaskGroup { group in
          for task in 0..<3 { group.addTask { order(task) } }
        }
      }
      firsts(try #require(order.all.first))
    }
    for task in 0..<3 {
      // Five standard deviations, of 26.
      #expect(abs(firsts.all.count { $0 == task } - 1_000) < 130)
    }
  }

  @Test("a replay takes the candidates it is told, by their number in the order of arrival")
  func replays() async throws {
    let trace = Trace()
    try await withVirtualTime(order: .replaying([2, 0, 1])) { _ in
      await withDiscardingTaskGroup { group in
        for name in ["a", "b", "c", "d"] { group.addTask { trace(name) } }
      }
    }
    #expect(trace.all == ["c", "a", "d", "b"])
  }

  @Test(
    "choices that do not fit are an error, which says why", arguments: [[4], [-1], [0, 0, 0, 0]])
  func misfits(choices: [Int]) async throws {
    let error = await #expect(throws: VirtualTimeError.self) {
      try await withVirtualTime(order: .replaying(choices)) { clock in
        await withDiscardingTaskGroup { group in
          for _ in 1...4 { group.addTask {} }
        }
      }
    }
    #expect(error?.reason == .diverged)
    #expect(
      error?.description.hasPrefix("The choices to be replayed are not those of this program.")
        == true)
  }

  @Test("sleepers of one instant wake in the order that is chosen; instants stay in theirs")
  func timersAreCandidates() async throws {
    let trace = Trace()
    try await withVirtualTime(order: .replaying([0, 0, 0, 2, 1])) { clock in
      await withDiscardingTaskGroup { group in
        for (name, second) in [("a", 2), ("b", 2), ("c", 2), ("d", 1)] {
          group.addTask { try? await wait(second, name, clock, trace) }
        }
      }
    }
    #expect(trace.all == ["d", "c", "b", "a"].map { "\($0) at \($0 == "d" ? 1 : 2).0 seconds" })
  }

  @Test("under .manually an advance runs all there is before it returns, in any order")
  func manually() async throws {
    for seed: UInt64 in 0..<100 {
      let trace = Trace()
      try await withVirtualTime(.manually, order: .shuffled(seed: seed)) { clock in
        async let a: Void = wait(1, "a", clock, trace)
        async let b: Void = wait(1, "b", clock, trace)
        async let c: Void = wait(2, "c", clock, trace)
        await clock.advance(by: .seconds(1))
        #expect(Set(trace.all) == ["a at 1.0 seconds", "b at 1.0 seconds"])
        #expect(clock.sleeperCount == 1)
        await clock.advance(by: .seconds(1))
        #expect(trace.all.last == "c at 2.0 seconds")
        _ = try await (a, b, c)
      }
    }
  }

  @Test("a synchronous advance fires what is due already, first")
  func synchronousAdvance() async throws {
    let trace = Trace()
    // At 1 s: the three sleepers; the last wakes first, and moves on while two are due.
    try await withVirtualTime(order: .replaying([0, 0, 2])) { clock in
      await withDiscardingTaskGroup { group in
        for name in ["a", "b"] { group.addTask { try? await wait(1, name, clock, trace) } }
        group.addTask {
          try? await clock.sleep(for: .seconds(1))
          #expect(clock.sleeperCount == 2)
          resume(clock)
          #expect(clock.sleeperCount == 0)
          trace("moved on")
        }
      }
    }
    #expect(trace.all == ["moved on", "a at 2.0 seconds", "b at 2.0 seconds"])
  }

  @Test("what the body leaves due fires when somebody advances the clock")
  func leftDue() async throws {
    let trace = Trace()
    let clock = try await withVirtualTime(order: .replaying([0, 1])) { clock in
      _ = Task(executorPreference: clock.executor) { try await wait(1, "left", clock, trace) }
      await Task.yield()
      try await clock.sleep(for: .seconds(1))
      return clock
    }
    #expect(trace.all == [])
    #expect(clock.sleeperCount == 1)
    await clock.advance(by: .zero)
    while trace.all.isEmpty { await Task.yield() }
    #expect(trace.all == ["left at 1.0 seconds"])
    #expect(clock.sleeperCount == 0)
  }

  @Test("the job limit, deadlocks and errors are those of every order")
  func endings() async throws {
    for order in [VirtualClock.Order.shuffled(seed: 3), .replaying([])] {
      let endless = await #expect(throws: VirtualTimeError.self) {
        try await withVirtualTime(order: order, jobLimit: 1_000) { clock in
          while true { try await clock.sleep(for: .seconds(1)) }
        }
      }
      #expect(endless?.reason == .jobLimit)
      #expect(endless?.jobs == 1_000)
      let stuck = await #expect(throws: VirtualTimeError.self) {
        try await withVirtualTime(.manually, order: order, grace: .zero) { clock in
          try await clock.sleep(for: .seconds(1))
        }
      }
      #expect(stuck?.reason == .deadlock)
      #expect(stuck?.sleepers.map(\.offset) == [.seconds(1)])
      await #expect(throws: Mishap(number: 7)) {
        try await withVirtualTime(order: order) { _ in throw Mishap(number: 7) }
      }
    }
  }

  @Test("an option is chosen: the first in order of arrival, a drawn one, or the one replayed")
  func chooses() async throws {
    func chosen(_ order: VirtualClock.Order) async throws -> String {
      try await withVirtualTime(order: order) { clock in
        String((1...4).map { _ in clock.choose(from: "abc") })
      }
    }
    #expect(try await chosen(.arrival) == "aaaa")
    #expect(try await chosen(.replaying([2, 0, 1])) == "caba")
    #expect(try await chosen(.shuffled(seed: 1)) == "bccb")
    #expect(VirtualClock().choose(from: [7, 8]) == 7)
  }
}

/// Eight tasks that wait, with many instants in common, and yield.
private func workers(_ order: VirtualClock.Order) async throws -> [String] {
  let trace = Trace()
  try await withVirtualTime(order: order) { clock in
    await withTaskGroup { group in
      for worker in 0..<8 {
        group.addTask {
          var random = Random(state: UInt64(worker))
          for step in 0..<10 {
            trace("\(worker).\(step) at \(clock.now)")
            try? await clock.sleep(for: .seconds(Int.random(in: 0...3, using: &random)))
            await Task.yield()
          }
        }
      }
    }
    #expect(clock.foreignEnqueues == 0)
  }
  return trace.all
}

/// FNV-1a, of the lines.
private func hash(_ lines: [String]) -> UInt64 {
  lines.joined(separator: "\n").utf8.reduce(0xcbf2_9ce4_8422_2325) { hash, byte in
    (hash ^ UInt64(byte)) &* 0x100_0000_01b3
  }
}
