import Resilience
import ResilienceTesting
import Testing

@Suite("FB-2: last known good", .timeLimit(.minutes(20)))
struct LastKnownGoodTests {
  typealias Memory = LastKnownGood<String, Int>

  struct Mishap: Error, Equatable {
    var number = 0
  }

  let clock = VirtualClock()
  let events = EventRecorder()
  let memory: Memory

  init() {
    memory = Memory("users", capacity: 3, maxAge: .seconds(10), clock: clock, observers: [events])
  }

  func refusing() -> CircuitBreaker {
    let breaker = CircuitBreaker("breaker", clock: clock)
    breaker.isolate()
    return breaker
  }

  func closed() -> CircuitBreaker {
    CircuitBreaker("breaker", over: .sinceTransition, clock: clock)
  }

  func counts() -> [Int] {
    let snapshot = memory.snapshot()
    return [snapshot.fresh, snapshot.stale, snapshot.missed]
  }

  // MARK: - What a call gets

  @Test("FB-2: a success is fresh and remembered; a failure gets it, and how old it is")
  func failure() async throws {
    #expect(try await memory.run("a", through: closed()) { 1 } == .fresh(1))
    await clock.advance(by: .seconds(3))
    let answer = try await memory.run("a", through: closed()) { throw Mishap() }
    #expect(answer == .stale(1, age: .seconds(3)))
    #expect(answer.value == 1)
    await clock.advance(by: .seconds(1))
    #expect(try await memory.run("a", through: closed()) { 2 } == .fresh(2))
    let later = try await memory.run("a", through: closed()) { throw Mishap() }
    #expect(later == .stale(2, age: .zero))
    #expect(counts() == [2, 2, 0])
  }

  @Test("FB-2: a refused call gets it, and its operation does not run")
  func refusal() async throws {
    memory.remember(1, for: "a")
    await clock.advance(by: .seconds(1))
    let answer = try await memory.run("a", through: refusing()) {
      Issue.record("the operation ran")
      return 2
    }
    #expect(answer == .stale(1, age: .seconds(1)))
    #expect(counts() == [0, 1, 0])
  }

  @Test("FB-2: where nothing is known, the error passes as it is")
  func unknown() async throws {
    memory.remember(1, for: "other")
    await #expect(throws: Mishap(number: 7)) {
      try await memory.run("a", through: closed()) { throw Mishap(number: 7) }
    }
    await #expect(throws: CircuitOpenError.self) {
      try await memory.run("a", through: refusing()) { 2 }
    }
    #expect(counts() == [0, 0, 2])
    #expect(events.descriptions == [])
  }

  @Test("FB-2: a value that counts as a failure is not remembered, and only the last resort")
  func failingValue() async throws {
    let breaker = closed()
    func call(_ value: Int) async throws -> Memory.Answer {
      var asked = 0
      defer { #expect(asked == 1) }
      return try await memory.run("a", through: breaker) {
        value
      } failingWhen: { value in
        asked += 1
        return value >= 500
      }
    }
    #expect(try await call(503) == .fresh(503))
    #expect(memory.recall("a") == nil)
    #expect(try await call(200) == .fresh(200))
    await clock.advance(by: .seconds(2))
    #expect(try await call(503) == .stale(200, age: .seconds(2)))
    #expect(memory.recall("a") == .stale(200, age: .seconds(2)))
    #expect(counts() == [1, 1, 1])
    #expect(breaker.snapshot().counts == .init(successes: 1, failures: 2, consecutiveFailures: 1))
  }

  @Test("FB-2: without a policy it is the same")
  func withoutPolicy() async throws {
    #expect(try await memory.run("a") { 1 } == .fresh(1))
    await clock.advance(by: .seconds(1))
    #expect(try await memory.run("a") { throw Mishap() } == .stale(1, age: .seconds(1)))
    let failing = try await memory.run("a") {
      5
    } failingWhen: {
      $0 == 5
    }
    #expect(failing == .stale(1, age: .seconds(1)))
    let unknown = try await memory.run("b") {
      5
    } failingWhen: {
      $0 == 5
    }
    #expect(unknown == .fresh(5))
    await #expect(throws: Mishap()) { try await memory.run("b") { throw Mishap() } }
    #expect(counts() == [1, 2, 2])
  }

  /// Runs the operation elsewhere.
  struct Concurrent: ConcurrentPolicy {
    func execute<Success: Sendable>(
      _ execution: Execution,
      concurrently operation: @escaping @Sendable (Execution) async throws -> Graded<Success>
    ) async throws -> Graded<Success> {
      try await Task { try await operation(execution) }.value
    }
  }

  @Test("FB-2: through a policy that runs operations concurrently it is the same")
  func concurrentPolicy() async throws {
    #expect(try await memory.run("a", through: Concurrent()) { 1 } == .fresh(1))
    await clock.advance(by: .seconds(1))
    let failed = try await memory.run("a", through: Concurrent()) { throw Mishap() }
    #expect(failed == .stale(1, age: .seconds(1)))
    let failing = try await memory.run("a", through: Concurrent()) {
      5
    } failingWhen: {
      $0 == 5
    }
    #expect(failing == .stale(1, age: .seconds(1)))
    await #expect(throws: Mishap()) {
      try await memory.run("b", through: Concurrent()) { throw Mishap() }
    }
    #expect(counts() == [1, 2, 1])
  }

  // MARK: - Who gave up

  /// Calls in a task that is cancelled while the operation runs.
  func callAndGiveUp(
    _ operation: @escaping @Sendable () throws -> Int
  ) async -> Result<Memory.Answer, any Error> {
    await Task { [memory, breaker = closed()] in
      try await memory.run("a", through: breaker) {
        unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
        return try operation()
      } failingWhen: {
        $0 >= 500
      }
    }.result
  }

  @Test("FB-2: a caller that gave up gets what there is: the error, or its value")
  func cancelled() async throws {
    memory.remember(1, for: "a")
    let thrown = await callAndGiveUp { throw Mishap(number: 3) }
    #expect(throws: Mishap(number: 3)) { try thrown.get() }
    let failing = await callAndGiveUp { 503 }
    #expect(try failing.get() == .fresh(503))
    #expect(memory.recall("a") == .stale(1, age: .zero))
    #expect(counts() == [0, 0, 0])
    let good = await callAndGiveUp { 200 }
    #expect(try good.get() == .fresh(200))
    #expect(memory.recall("a") == .stale(200, age: .zero))
    #expect(counts() == [1, 0, 0])
    #expect(events.descriptions == [])
  }

  @Test("FB-2: an operation that throws CancellationError by itself has failed")
  func cancelledInside() async throws {
    memory.remember(1, for: "a")
    let answer = try await memory.run("a", through: closed()) { throw CancellationError() }
    #expect(answer == .stale(1, age: .zero))
  }

  // MARK: - Age

  @Test("FB-2: at exactly its maximum age a value is served, a nanosecond later it is gone")
  func maximumAge() async throws {
    memory.remember(1, for: "a")
    await clock.advance(by: .seconds(10))
    #expect(memory.recall("a") == .stale(1, age: .seconds(10)))
    let last = try await memory.run("a", through: refusing()) { 2 }
    #expect(last == .stale(1, age: .seconds(10)))
    await clock.advance(by: .nanoseconds(1))
    #expect(memory.snapshot().count == 1)
    await #expect(throws: CircuitOpenError.self) {
      try await memory.run("a", through: refusing()) { 2 }
    }
    #expect(memory.snapshot().count == 0)
    memory.remember(3, for: "a")
    #expect(memory.recall("a") == .stale(3, age: .zero))
  }

  @Test("FB-2: serving a value does not make it younger")
  func servingKeepsAge() async throws {
    memory.remember(1, for: "a")
    for second in 1...10 {
      await clock.advance(by: .seconds(1))
      let answer = try await memory.run("a") { throw Mishap() }
      #expect(answer == .stale(1, age: .seconds(second)))
    }
    await clock.advance(by: .seconds(1))
    await #expect(throws: Mishap()) { try await memory.run("a") { throw Mishap() } }
  }

  @Test("FB-2: after a year of idling nothing is served, and all works as before")
  func year() async throws {
    for (number, key) in ["a", "b", "c"].enumerated() { memory.remember(number, for: key) }
    await clock.advance(by: .seconds(365 * 86_400))
    #expect(["a", "b", "c"].map { memory.recall($0) } == [nil, nil, nil])
    #expect(memory.snapshot().count == 0)
    #expect(try await memory.run("a") { 1 } == .fresh(1))
    #expect(memory.recall("a") == .stale(1, age: .zero))
  }

  @Test("FB-2: a maximum age of any size works, from an attosecond on")
  func extremes() {
    for (maxAge, served) in [
      (Duration(attoseconds: 1), Duration.nanoseconds(1)), (.nanoseconds(1), .nanoseconds(1)),
      (Duration(attoseconds: .max), .nanoseconds(Int64.max)),
    ] {
      let clock = VirtualClock()
      let memory = Memory(maxAge: maxAge, clock: clock)
      memory.remember(1, for: "a")
      clock.advance(by: served)
      #expect(memory.recall("a") == .stale(1, age: served))
      clock.advance(by: .nanoseconds(1))
      #expect((memory.recall("a") == nil) == (served == .nanoseconds(1)))
    }
  }

  @Test("FB-2: a clock that steps back stands still, and values age on from there")
  func stepBack() {
    let clock = SteppedClock()
    let memory = Memory(maxAge: .seconds(10), clock: clock)
    clock.advance(by: .seconds(100))
    memory.remember(1, for: "a")
    clock.advance(by: .seconds(4))
    #expect(memory.recall("a") == .stale(1, age: .seconds(4)))
    clock.advance(by: .seconds(-50))
    #expect(memory.recall("a") == .stale(1, age: .seconds(4)))
    memory.remember(2, for: "b")
    clock.advance(by: .seconds(6))
    #expect(memory.recall("a") == .stale(1, age: .seconds(10)))
    #expect(memory.recall("b") == .stale(2, age: .seconds(6)))
    clock.advance(by: .nanoseconds(1))
    #expect(memory.recall("a") == nil)
  }

  // MARK: - Order

  @Test("FB-2: of two calls that overlap the one that completes later is remembered")
  func overlapping() async throws {
    for (first, second) in [(3, 1), (1, 3)] {
      try await withVirtualTime { clock in
        let memory = Memory(clock: clock)
        async let one = memory.run("a") {
          try await clock.sleep(for: .seconds(first))
          return first
        }
        async let other = memory.run("a") {
          try await clock.sleep(for: .seconds(second))
          return second
        }
        let answers = try await [one, other]
        #expect(answers == [.fresh(first), .fresh(second)])
        try await clock.sleep(for: .seconds(5))
        #expect(memory.recall("a") == .stale(3, age: .seconds(5)))
      }
    }
  }
}
