import Resilience
import ResilienceTesting
import Testing

/// What leaves the loop, what comes in from outside, and that both are survived.
@Suite("withVirtualTime, and what is outside")
struct RunLoopEscapeTests {
  @Test("what is made ready from outside runs on the loop, and is counted")
  func foreign() async throws {
    let final = try await withVirtualTime(grace: .seconds(60)) { clock in
      for count in 1...3 {
        await MainActor.run {}
        #expect(clock.foreignEnqueues == count)
        #expect(isOnLoop())
      }
      try await clock.sleep(for: .seconds(1))
      #expect(clock.foreignEnqueues == 3)
      return clock
    }
    #expect(final.foreignEnqueues == 3)
  }

  @Test("a thread that was the loop's a moment ago is foreign")
  func foreignThreadOfThePool() async throws {
    try await withVirtualTime(grace: .seconds(60)) { clock in
      for _ in 1...50 {
        await Task.detached { _ = Task(executorPreference: clock.executor) {} }.value
      }
      #expect(clock.foreignEnqueues >= 50)
    }
  }

  @Test("a deadlock says how often something came from outside")
  func foreignReported() async {
    let error = await #expect(throws: VirtualTimeError.self) {
      try await withVirtualTime(grace: .milliseconds(500)) { clock in
        await MainActor.run {}
        try await Script<Void>([.hang], clock: clock)()
      }
    }
    #expect(error?.foreignEnqueues == 1)
    #expect(error?.description.contains("made ready from outside the loop: 1") == true)
  }

  @Test("children and actors stay on the loop; unstructured tasks and other executors leave it")
  func escapes() async throws {
    actor Ordinary {
      func visit() async -> Bool {
        await Task.yield()
        return isOnLoop()
      }
    }
    try await withVirtualTime(grace: .seconds(60)) { clock in
      async let child = isOnLoop()
      #expect(await child)
      #expect(await Ordinary().visit())
      #expect(clock.foreignEnqueues == 0)

      #expect(await Task(executorPreference: clock.executor) { isOnLoop() }.value)
      #expect(clock.foreignEnqueues == 0)
      #expect(await !Task { isOnLoop() }.value)
      #expect(await !Task.detached { isOnLoop() }.value)
    }
  }

  @available(macOS 26, iOS 26, tvOS 26, watchOS 26, visionOS 26, *)
  @Test("immediate children stay on the loop; an immediate task leaves it when it is suspended")
  func immediate() async throws {
    try await withVirtualTime(grace: .seconds(60)) { clock in
      await withTaskGroup { group in
        group.addImmediateTask {
          await Task.yield()
          #expect(isOnLoop())
        }
      }
      #expect(clock.foreignEnqueues == 0)
      let task = Task.immediate {
        await Task.yield()
        return isOnLoop()
      }
      #expect(await !task.value)
    }
  }

  @Test("a foreign task may sleep on the clock and advance it")
  func foreignSleeper() async throws {
    try await withVirtualTime(grace: .seconds(60)) { clock in
      try await Task.detached { try await clock.sleep(for: .seconds(5)) }.value
      #expect(clock.now.offset == .seconds(5))
    }
    try await withVirtualTime(.manually, grace: .seconds(60)) { clock in
      await Task.detached { await clock.advance(by: .seconds(5)) }.value
      #expect(clock.now.offset == .seconds(5))
    }
  }

  @Test("many loops at once do not block the pool")
  func manyLoops() async throws {
    let total = try await withThrowingTaskGroup(of: Int.self) { group in
      for index in 0..<50 {
        group.addTask {
          try await withVirtualTime(grace: .seconds(60)) { clock in
            // Each waits for something that needs a thread of the pool.
            let value = await Task.detached { index }.value
            try await clock.sleep(for: .seconds(1))
            return value
          }
        }
      }
      return try await group.reduce(0, +)
    }
    #expect(total == 1_225)
  }

  @MainActor
  @Test("the caller gets its actor back, and it is free meanwhile")
  func mainActor() async throws {
    try await withVirtualTime(grace: .seconds(60)) { clock in
      try await clock.sleep(for: .seconds(1))
      await MainActor.run {}
    }
    MainActor.preconditionIsolated()
  }
}

/// Whether the current task prefers an executor, as all do that the loop runs.
private func isOnLoop() -> Bool {
  unsafe withUnsafeCurrentTask { unsafe $0?.unownedTaskExecutor != nil }
}
