import Resilience
import ResilienceTesting
import Testing

@Suite("TO-1, TO-4: the child task of a timeout", .timeLimit(.minutes(20)))
struct TimeoutChildTests {
  @TaskLocal static var tag = "none"

  @Test("TO-1: the body starts at once: before anything else runs, it has come to its suspension")
  func startsAtOnce() async throws {
    try await withVirtualTime { clock in
      let trace = Shared<[String]>([])
      async let other: Void = { trace.value.append("other") }()
      try await Timeout(.seconds(1), clock: clock).run {
        trace.value.append("body")
        await Task.yield()
        trace.value.append("body again")
      }
      await other
      #expect(trace.value.first == "body")
      #expect(trace.value.sorted() == ["body", "body again", "other"])
    }
  }

  @Test("TO-1: task-locals and priority are the caller's, also after a suspension")
  func inherits() async throws {
    for priority in [TaskPriority.background, .utility, .medium, .high] {
      let body = Task(priority: priority) {
        try await Self.$tag.withValue("caller") {
          let here = Task.currentPriority
          return try await Timeout(.seconds(600)).run {
            let before = (Self.tag, Task.currentPriority >= here)
            await Task.yield()
            return before == ("caller", true) && Self.tag == "caller"
              && Task.currentPriority >= here && Task.basePriority == priority
          }
        }
      }
      #expect(try await body.value)
    }
  }

  @Test("TO-1: the body is on the task executor that the caller prefers")
  func taskExecutor() async throws {
    try await withVirtualTime { clock in
      try await Timeout(.seconds(1), clock: clock).run {
        await Task.yield()
        try await clock.sleep(for: .milliseconds(10))
        async let child: Void = clock.sleep(for: .milliseconds(10))
        try await child
      }
      #expect(clock.foreignEnqueues == 0)
    }
  }

  @Test("TO-4: a body that does not suspend sets no timer")
  func setsNoTimer() async throws {
    try await withVirtualTime { clock in
      let recorder = Shared<[Int]>([])
      let timeout = Timeout(.seconds(1), clock: clock)
      _ = try await timeout.run { recorder.value.append(clock.sleeperCount) }
      _ = try? await timeout.run {
        recorder.value.append(clock.sleeperCount)
        throw Body.Complaint()
      }
      recorder.value.append(clock.sleeperCount)
      try await timeout.run {
        await Task.yield()
        recorder.value.append(clock.sleeperCount)
      }
      recorder.value.append(clock.sleeperCount)
      #expect(recorder.value == [0, 0, 0, 1, 0])
    }
  }

  @Test("TO-4: on an actor that has other work, the end of the body still finds no timer left")
  func leavesNoTimer() async throws {
    actor Busy {
      func call(_ timeout: Timeout, _ clock: VirtualClock, _ duration: Duration) async -> Ending {
        await Ending.of {
          try await timeout.run {
            try await clock.sleep(for: duration)
            return 1
          }
        }
      }
    }
    try await withVirtualTime { clock in
      let (busy, timeout) = (Busy(), Timeout(.seconds(5), clock: clock))
      let endings = await withTaskGroup(of: Ending.self) { group in
        for second in 0..<10 {
          group.addTask { await busy.call(timeout, clock, .milliseconds(1000 * second + 500)) }
        }
        return await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
      }
      #expect(
        endings == [.value(1): 5, .timedOut(.seconds(5), underlying: "CancellationError"): 5])
      #expect(clock.sleeperCount == 0)
      #expect(timeout.snapshot().counts == [5, 0, 0])
    }
  }

  @Test("X-3: copies of a timeout share what they count, and a name is given")
  func copies() async {
    let timeout = Timeout(.zero)
    let copy = timeout
    _ = await Ending.of { try await copy.run { 1 } }
    #expect(
      timeout.snapshot()
        == copy.snapshot())
    #expect(timeout.snapshot().counts == [0, 0, 1])
    #expect(timeout.name == "timeout")
    #expect(Timeout(.seconds(1), name: "attempt").snapshot().name == "attempt")
    #expect("\(timeout.layers)" == "\(copy.layers)")
  }
}
