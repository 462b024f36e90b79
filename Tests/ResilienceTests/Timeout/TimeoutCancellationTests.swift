import Resilience
import ResilienceTesting
import Testing

@Suite("TO-2, TO-3, X-4: limits and cancellation, wherever they strike", .timeLimit(.minutes(20)))
struct TimeoutCancellationTests {
  /// A limit, in quarters of a second, and the caller's cancellation, if it comes: they fall between
  /// any two suspensions, before the first and after the last.
  struct Course: Hashable, Sendable {
    let manner: Body.Manner
    let limit: Int
    let cancellation: Int?

    static let end = 16

    static let all: [Course] = Body.Manner.allCases.flatMap { manner in
      stride(from: 2, through: 18, by: 4).flatMap { limit in
        [nil, 0, 3, 7, 11, 15, 19].map {
          Course(manner: manner, limit: limit, cancellation: $0)
        }
      }
    }

    private var isDeaf: Bool { manner == .deaf || manner == .deafAndFails }
    private var firstCancelled: Int { min(limit, cancellation ?? .max) }

    /// When the body ends.
    var ends: Int { isDeaf ? Self.end : min(Self.end, firstCancelled) }

    private var hasTimedOut: Bool { limit <= ends && limit < Self.end && limit <= firstFor }
    private var firstFor: Int { isDeaf ? .max : firstCancelled }
    private var isCancelled: Bool { (cancellation ?? .max) <= ends && cancellation != limit }

    private var failure: String? {
      switch manner {
      case .obeys: firstCancelled < Self.end ? "CancellationError" : nil
      case .complains: firstCancelled < Self.end ? "Complaint" : nil
      case .answers, .deaf: nil
      case .deafAndFails: "Complaint"
      }
    }

    var ending: Ending {
      guard let failure else { return .value(4) }
      return hasTimedOut && !isCancelled
        ? .timedOut(.milliseconds(250 * limit), underlying: failure) : .threw(failure)
    }

    /// Timed out, late, rejected.
    var counts: [Int] {
      guard hasTimedOut, !isCancelled else { return [0, 0, 0] }
      return failure == nil ? [0, 1, 0] : [1, 0, 0]
    }
  }

  struct Outcome: Hashable, Sendable {
    let ending: Ending
    let ends: Duration
    let hasBodyEnded: Bool
    let sleepers: Int
    let counts: [Int]
  }

  static func outcome(of course: Course) async throws -> Outcome {
    try await withVirtualTime { clock in
      let timeout = Timeout(.milliseconds(250 * course.limit), clock: clock)
      let call = Task(executorPreference: clock.executor) {
        var hasBodyEnded = false
        let ending = await Ending.of {
          try await timeout.run {
            defer { hasBodyEnded = true }
            return try await Body(manner: course.manner, clock: clock)()
          }
        }
        return Outcome(
          ending: ending, ends: clock.now.offset, hasBodyEnded: hasBodyEnded,
          sleepers: clock.sleeperCount, counts: timeout.snapshot().counts)
      }
      if let cancellation = course.cancellation {
        if cancellation > 0 { await clock.advance(by: .milliseconds(250 * cancellation)) }
        call.cancel()
      }
      let outcome = await call.value
      #expect(clock.foreignEnqueues == 0)
      return outcome
    }
  }

  @Test("each manner of body, limit and cancellation ends as the rules say, and leaves nothing")
  func everywhere() async throws {
    #expect(Course.all.count == 5 * 5 * 7)
    for course in Course.all {
      let outcome = try await Self.outcome(of: course)
      let expected = Outcome(
        ending: course.ending, ends: .milliseconds(250 * course.ends), hasBodyEnded: true,
        sleepers: 0, counts: course.counts)
      #expect(outcome == expected, "\(course)")
    }
  }

  @Test("TO-2: the error says which timeout it was")
  func named() async throws {
    try await withVirtualTime { clock in
      let script = Script<Int>([.hang], clock: clock)
      func name(_ policy: some ConcurrentPolicy) async -> String? {
        do {
          _ = try await policy.run { try await script() }
          return nil
        } catch { return (error as? TimeoutError)?.policy }
      }
      let total = Timeout(.seconds(2), name: "total", clock: clock)
      let attempt = Timeout(.seconds(1), name: "attempt", clock: clock)
      #expect(
        await name(
          Pipeline {
            total; attempt
          }) == "attempt")
      #expect(await name(total) == "total")
      #expect(
        await name(AbandoningTimeout(.seconds(1), name: "stubborn", clock: clock)) == "stubborn")
    }
  }

  @Test("TO-2: the body's own error before the limit passes as it is")
  func ownError() async throws {
    try await withVirtualTime { clock in
      let timeout = Timeout(.seconds(5), clock: clock)
      let ending = await Ending.of {
        try await timeout.run { try await Body(manner: .deafAndFails, clock: clock)() }
      }
      #expect(ending == .threw("Complaint"))
      #expect(timeout.snapshot().counts == [0, 0, 0])
      #expect(clock.sleeperCount == 0)
    }
  }

  @Test("TO-2: a late value is returned, and counted as late (failsafe P25)")
  func lateValue() async throws {
    try await withVirtualTime { clock in
      let recorder = EventRecorder()
      let timeout = Timeout(.seconds(1), clock: clock, observers: [recorder])
      let ending = await Ending.of {
        try await timeout.run { try await Body(manner: .deaf, clock: clock)() }
      }
      #expect(ending == .value(4))
      #expect(clock.now.offset == .seconds(4))
      #expect(timeout.snapshot().counts == [0, 1, 0])
      #expect(recorder.descriptions == ["timeout \"timeout\": late, limit 1.0 seconds"])
    }
  }

  @Test("TO-2: of the limit and the body's end at one instant, the one that was set first holds")
  func sameInstant() async throws {
    try await withVirtualTime { clock in
      let timeout = Timeout(.seconds(1), clock: clock)
      // The body's first sleep is older than the timer; its second one is not.
      for (suspensions, expected) in [
        (1, Ending.threw("Complaint")),
        (2, .timedOut(.seconds(1), underlying: "Complaint")),
      ] {
        let ending = await Ending.of {
          try await timeout.run {
            for _ in 0..<suspensions {
              await Body.deafSleep(clock, for: .milliseconds(1000 / suspensions))
            }
            throw Body.Complaint()
          }
        }
        #expect(ending == expected)
        #expect(clock.sleeperCount == 0)
      }
      #expect(timeout.snapshot().counts == [1, 0, 0])
    }
  }

  @Test("TO-3: a caller that is cancelled at the limit gets the body's error (Polly #3086)")
  func cancelledAtTheLimit() async throws {
    try await withVirtualTime { clock in
      let timeout = Timeout(.seconds(1), clock: clock)
      let call = Task(executorPreference: clock.executor) {
        await Ending.of {
          try await timeout.run { try await Body(manner: .obeys, clock: clock)() }
        }
      }
      _ = clock.schedule(at: clock.now.advanced(by: .seconds(1))) { call.cancel() }
      #expect(await call.value == .cancelled)
      #expect(timeout.snapshot().counts == [0, 0, 0])
      #expect(clock.sleeperCount == 0)
    }
  }

  @Test("TO-3: a caller that is cancelled already still runs its body, which sees it")
  func cancelledBefore() async throws {
    try await withVirtualTime { clock in
      let timeout = Timeout(.seconds(1), clock: clock)
      let call = Task(executorPreference: clock.executor) {
        unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
        return await Ending.of { try await timeout.run { Task.isCancelled ? 1 : 0 } }
      }
      #expect(await call.value == .value(1))
    }
  }
}
