import ResilienceTesting
import Testing

@testable import Resilience

@Suite("FB-2: last known good, what it keeps and tells", .timeLimit(.minutes(20)))
struct LastKnownGoodMemoryTests {
  typealias Memory = LastKnownGood<String, Int>

  struct Mishap: Error {}

  let clock = VirtualClock()

  // MARK: - By hand

  @Test("FB-2: what is remembered by hand is recalled, forgotten one by one, and all at once")
  func byHand() {
    let memory = Memory(clock: clock)
    for (number, key) in ["a", "b", "c"].enumerated() { memory.remember(number, for: key) }
    memory.remember(7, for: "a")
    clock.advance(by: .seconds(2))
    #expect(memory.recall("a") == .stale(7, age: .seconds(2)))
    memory.forget("a")
    memory.forget("never heard of")
    #expect(memory.recall("a") == nil)
    #expect(memory.recall("b") == .stale(1, age: .seconds(2)))
    memory.removeAll()
    #expect(memory.recall("b") == nil)
    memory.remember(8, for: "b")
    #expect(memory.recall("b") == .stale(8, age: .zero))
    #expect(memory.snapshot().count == 1)
  }

  // MARK: - Bounds

  @Test(
    "FB-2: when it is full the least recently used value leaves; serving and recalling are uses")
  func bounded() async throws {
    let memory = Memory(capacity: 3, clock: clock)
    for (number, key) in ["a", "b", "c"].enumerated() { memory.remember(number, for: key) }
    #expect(memory.recall("a") != nil)
    #expect(try await memory.run("b") { throw Mishap() } == .stale(1, age: .zero))
    // No use of anything.
    _ = memory.snapshot()
    #expect(try await memory.run("d") { 3 } == .fresh(3))
    #expect(memory.snapshot().count == 3)
    #expect(["c", "a", "b", "d"].map { memory.recall($0)?.value } == [nil, 0, 1, 3])
    // Remembered anew: a use, though its value has been there all the time.
    memory.remember(10, for: "a")
    memory.remember(4, for: "e")
    #expect(["b", "a", "d", "e"].map { memory.recall($0)?.value } == [nil, 10, 3, 4])
  }

  @Test("FB-2: a hundred thousand keys take no more than a thousand places")
  func manyKeys() {
    let memory = LastKnownGood<Int, Int>(clock: clock)
    for number in 0..<100_000 { memory.remember(number, for: number) }
    #expect(memory.snapshot().count == 1_000)
    #expect(memory.recall(98_999) == nil)
    #expect(memory.recall(99_000) == .stale(99_000, age: .zero))
  }

  @Test("FB-2: a memory for one value keeps the last")
  func single() {
    let memory = Memory(capacity: 1, clock: clock)
    for (number, key) in ["a", "b", "b", "a"].enumerated() { memory.remember(number, for: key) }
    #expect(memory.recall("a") == .stale(3, age: .zero))
    #expect(memory.recall("b") == nil)
    memory.forget("a")
    memory.remember(9, for: "b")
    #expect(memory.recall("b") == .stale(9, age: .zero))
  }

  // MARK: - What it tells

  @Test("FB-2: a snapshot has the settings, what is kept, and what calls got in all its life")
  func snapshot() async throws {
    let memory = Memory("users", capacity: 2, clock: clock)
    for number in 0..<5 { _ = try await memory.run("\(number % 4)") { number } }
    for key in ["0", "1", "3"] { _ = try? await memory.run(key) { throw Mishap() } }
    #expect(
      memory.snapshot()
        == .init(name: "users", count: 2, capacity: 2, fresh: 5, stale: 2, missed: 1))
    memory.removeAll()
    #expect(memory.recall("0") == nil)
    #expect(
      memory.snapshot()
        == .init(name: "users", count: 0, capacity: 2, fresh: 5, stale: 2, missed: 1))
    #expect(Memory().snapshot().name == "last-known-good")
    #expect(Memory().snapshot().capacity == 1_000)
  }

  @Test("FB-2: observers hear of stale values, with their age and what the call threw")
  func announces() async throws {
    let events = EventRecorder()
    let memory = Memory("users", clock: clock, observers: [events])
    let breaker = CircuitBreaker("breaker", clock: clock)
    _ = try await memory.run("a", through: breaker) { 1 }
    await clock.advance(by: .seconds(2))
    _ = try await memory.run("a", through: breaker) { throw Mishap() }
    _ = try await memory.run("a", through: breaker) {
      5
    } failingWhen: { _ in
      true
    }
    breaker.isolate()
    _ = try await memory.run("a", through: breaker) { 1 }
    _ = try? await memory.run("b", through: breaker) { 1 }
    _ = memory.recall("a")
    #expect(
      events.descriptions == [
        #"last known good "users": served a value 2.0 seconds old (Mishap())"#,
        #"last known good "users": served a value 2.0 seconds old (\#(FailedResultError()))"#,
        #"last known good "users": served a value 2.0 seconds old"#
          + #" (circuit breaker "breaker" refused the call: isolated)"#,
      ])
    let errors = events.events(of: LastKnownGoodEvent.self).compactMap { event in
      if case .servedStale(_, let error) = event.kind { error } else { nil }
    }
    #expect(errors.count == 3)
    #expect(errors[0] is Mishap && errors[1] is FailedResultError && errors[2] is CircuitOpenError)
  }

  /// Uses the memory that it observes.
  final class Meddler: ResilienceObserver {
    let memory = Shared<Memory?>(nil)

    func observe(_ event: any ResilienceEvent) { memory.value?.forget("a") }
  }

  @Test("FB-2: an observer may call back")
  func callsBack() async throws {
    let meddler = Meddler()
    let memory = Memory(clock: clock, observers: [meddler])
    meddler.memory.value = memory
    memory.remember(1, for: "a")
    #expect(try await memory.run("a") { throw Mishap() } == .stale(1, age: .zero))
    #expect(memory.recall("a") == nil)
    meddler.memory.value = nil
  }

  // MARK: - Configuration

  @Test("a configuration that arrives at run time is checked, with everything that is wrong")
  func validate() throws {
    try Memory.Configuration().validate()
    try Memory.Configuration(capacity: 1, maxAge: Duration(attoseconds: 1)).validate()
    try Memory.Configuration(capacity: .max, maxAge: Duration(attoseconds: .max)).validate()
    for (configuration, complaints) in [
      (Memory.Configuration(capacity: 0), ["capacity is 0; allowed: 1..."]),
      (.init(maxAge: .zero), ["maxAge is 0.0 seconds; allowed: above zero"]),
      (
        .init(capacity: -1, maxAge: .seconds(-1)),
        ["capacity is -1; allowed: 1...", "maxAge is -1.0 seconds; allowed: above zero"]
      ),
    ] {
      let error = #expect(throws: ConfigurationError.self) { try configuration.validate() }
      #expect(error?.violations.map(\.description) == complaints)
    }
    #expect("\(Memory.Configuration())" == "1000 values for 600.0 seconds")
  }

  @Test("a configuration that is wrong in source code stops the program")
  func stops() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = LastKnownGood<String, Int>("users", capacity: 0, maxAge: .zero)
    }
    let output = result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) } ?? ""
    #expect(
      output.contains(
        "Fatal error: LastKnownGood \"users\": capacity is 0; allowed: 1...; "
          + "maxAge is 0.0 seconds; allowed: above zero\n"))
  }
}
