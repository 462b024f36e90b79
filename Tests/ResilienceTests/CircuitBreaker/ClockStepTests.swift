import Synchronization
import Testing

@testable import Resilience

@Suite("A clock that steps back wedges nothing and forgets nothing (resilience4j D1)")
struct ClockStepTests {
  private static let second: Int64 = 1_000_000_000
  private static let steps: [Int64] = [
    1, second / 2, second, second + 1, 60 * second, 3600 * second,
  ]
  private static let windows: [CircuitBreaker.Window] = [
    .sinceTransition, .interval(.seconds(10)), .rolling(.seconds(10), buckets: 10), .calls(20),
  ]

  // MARK: - Open and half-open

  @Test("CB-3: an open period goes on where it was", arguments: steps)
  func open(step: Int64) {
    var core = Self.core(.consecutiveFailures(1), openFor: .seconds(10))
    core.trip(for: nil, at: 100 * Self.second)
    #expect(Self.admits(&core, at: 104 * Self.second) == nil)
    let after = 104 * Self.second - step
    #expect(Self.admits(&core, at: after) == nil)

    let end = after + 6 * Self.second
    #expect(core.state(at: end - 1) == .open)
    #expect(Self.admits(&core, at: end - 1) == nil)
    #expect(core.state(at: end) == .halfOpen)
    #expect(Self.admits(&core, at: end) != nil)
  }

  @Test("CB-3: state says what a call would meet, however the clock jumps", arguments: 1...20)
  func stateIsTrue(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var core = Self.core(.consecutiveFailures(1), openFor: .seconds(10))
    var now = 100 * Self.second
    core.trip(for: nil, at: now)
    for _ in 0..<50 {
      now += .random(in: -4 * Self.second...2 * Self.second, using: &random)
      let state = core.settled(at: now).state(at: now)
      if Bool.random(using: &random) { continue }
      let isAdmitted = Self.admits(&core, at: now) != nil
      #expect(isAdmitted == (state == .halfOpen), "seed \(seed) at \(now)")
      if isAdmitted { core.trip(for: nil, at: now) }
    }
  }

  @Test("CB-9: a probe's lease goes on where it was", arguments: steps)
  func lease(step: Int64) {
    var core = Self.core(.consecutiveFailures(1), openFor: .seconds(1), probeLease: .seconds(10))
    core.trip(for: 0, at: 100 * Self.second)
    #expect(Self.admits(&core, at: 100 * Self.second) != nil)
    core.settle(at: 104 * Self.second)
    let after = 104 * Self.second - step
    #expect(core.settled(at: after).state(at: after) == .halfOpen)
    core.settle(at: after)

    let end = after + 6 * Self.second
    #expect(core.settled(at: end - 1).state(at: end - 1) == .halfOpen)
    #expect(core.settled(at: end).state(at: end) == .open)
    #expect(core.settled(at: end).totals.reopenings == 1)
    #expect(core.settled(at: end + Self.second).state(at: end + Self.second) == .halfOpen)
  }

  // MARK: - Closed

  @Test("CB-11: failures before and after the step are in one window", arguments: windows, steps)
  func window(window: CircuitBreaker.Window, step: Int64) throws {
    var core = Self.core(.consecutiveFailures(100), over: window)
    try WindowTests.call(&core, .failure, at: 103 * Self.second)
    try WindowTests.call(&core, .success, at: 104 * Self.second)
    let after = 104 * Self.second - step
    try WindowTests.call(&core, .failure, at: after)
    let all = CircuitBreaker.Counts(successes: 1, failures: 2, consecutiveFailures: 1)
    #expect(core.counts(at: core.time(at: after)) == all)

    // The window began at 100 s.
    let rest = 6 * Self.second
    let last = core.time(at: after + rest - 1)
    #expect(core.counts(at: last) == all)
    let end = core.time(at: after + rest)
    switch window {
    case .interval(.seconds(10)): #expect(core.counts(at: end) == .init())
    // The first bucket is over, and it was empty.
    default: #expect(core.counts(at: end) == all)
    }
  }

  @Test("CB-11: buckets that were filled before the step leave in their turn", arguments: steps)
  func buckets(step: Int64) throws {
    var core = Self.core(.consecutiveFailures(100), over: .rolling(.seconds(10), buckets: 10))
    try WindowTests.call(&core, .failure, at: 100 * Self.second)
    try WindowTests.call(&core, .failure, at: 104 * Self.second)
    let after = 104 * Self.second - step
    core.settle(at: after)
    func failures(after seconds: Int64) -> Int {
      let reading = after + seconds * Self.second
      return core.counts(at: core.time(at: reading)).failures
    }
    #expect([5, 6, 9, 10].map(failures) == [2, 1, 1, 0])
  }

  @Test("CB-11: a window that was over stays over when the clock steps back a little")
  func staysOver() throws {
    for window in [CircuitBreaker.Window.interval(.seconds(10)), .rolling(.seconds(10))] {
      var core = Self.core(.consecutiveFailures(100), over: window)
      try WindowTests.call(&core, .success, at: 100 * Self.second)
      // Somebody looks, but nobody calls.
      core.settle(at: 110 * Self.second)
      #expect(core.counts(at: core.time(at: 110 * Self.second - 1)).successes == 0)
    }
  }

  @Test(
    "CB-15: a streak whose first call began before the step opens the circuit", arguments: steps)
  func streak(step: Int64) throws {
    var core = Self.core(.consecutiveFailures(3, lasting: .seconds(3)))
    let call = try #require(Self.admits(&core, at: 100 * Self.second))
    let after = 100 * Self.second - step
    _ = core.record(.init(outcome: .failure), of: call, at: after)
    // It lasts for 10 s on the clock as it is now.
    for tick in 1...Int64(10) where core.state == .closed {
      try WindowTests.call(&core, .failure, at: after + tick * Self.second)
    }
    #expect(core.state == .open)
  }

  @Test(
    "CB-15: a streak after the step lasts as long as the clock says",
    arguments: [second + 1, 3600 * second])
  func streakAfterwards(step: Int64) throws {
    var core = Self.core(.consecutiveFailures(2, lasting: .seconds(3)))
    try WindowTests.call(&core, .success, at: 103 * Self.second)
    let after = 103 * Self.second - step
    core.settle(at: after)
    for (elapsed, state) in [
      (0, CircuitBreaker.State.closed), (3 * Self.second - 1, .closed), (3 * Self.second, .open),
    ] {
      try WindowTests.call(&core, .failure, at: after + elapsed)
      #expect(core.state == state)
    }
  }

  // MARK: - The whole breaker

  @Test("CB-23: retryAfter follows the clock when it steps back", arguments: steps)
  func retryAfter(step: Int64) throws {
    let clock = SteppedClock()
    let breaker = CircuitBreaker("any", over: .sinceTransition, clock: clock)
    clock.advance(by: .seconds(100))
    breaker.trip(for: .seconds(10))
    #expect(try Self.rejection(of: breaker).retryAfter == .seconds(10))
    clock.advance(by: .seconds(4))
    #expect(try Self.rejection(of: breaker).retryAfter == .seconds(6))
    clock.advance(by: .nanoseconds(-step))
    let rest = 6 * Self.second
    #expect(try Self.rejection(of: breaker).retryAfter == .nanoseconds(rest))
    #expect(breaker.snapshot().openUntil?.remaining == .nanoseconds(rest))
  }

  @Test(
    "Calls that are counted without a lock are counted on after the step", arguments: windows, steps
  )
  func healthyCalls(window: CircuitBreaker.Window, step: Int64) throws {
    let clock = SteppedClock()
    let breaker = CircuitBreaker(
      "any", tripping: .failureRate(0.5, minimumCalls: 20), over: window, clock: clock)
    for _ in 0..<5 { breaker.tryAcquire()?.succeed() }
    clock.advance(by: .nanoseconds(-step))
    for _ in 0..<5 { breaker.tryAcquire()?.succeed() }
    #expect(breaker.snapshot().counts == .init(successes: 10, consecutiveSuccesses: 10))
    for _ in 0..<10 {
      #expect(breaker.state == .closed)
      breaker.tryAcquire()?.fail()
    }
    #expect(breaker.state == .open)
    #expect(breaker.snapshot().totals == .init(successes: 10, failures: 10, trips: 1))
  }

  @Test(
    "CB-11: calls that are counted without a lock leave the window in their turn", arguments: steps)
  func healthyCallsLeave(step: Int64) {
    let clock = SteppedClock()
    let breaker = CircuitBreaker("any", over: .rolling(.seconds(10)), clock: clock)
    clock.advance(by: .seconds(100))
    breaker.tryAcquire()?.fail()
    clock.advance(by: .nanoseconds(-step))
    breaker.tryAcquire()?.fail()

    breaker.tryAcquire()?.succeed()
    clock.advance(by: .seconds(9))
    breaker.tryAcquire()?.succeed()
    #expect(breaker.snapshot().counts.successes == 2)
    clock.advance(by: .seconds(1))
    #expect(breaker.snapshot().counts.successes == 1)
    clock.advance(by: .seconds(9))
    #expect(breaker.snapshot().counts.successes == 0)
  }

  @Test("A predicate that takes its time does not make the breaker's time run ahead")
  func slowPredicate() {
    let clock = SteppedClock()
    let breaker = Lazy<CircuitBreaker>()
    let made = CircuitBreaker(
      "any",
      tripping: .when { _ in
        // Five seconds pass, and somebody else's call ends in them.
        clock.advance(by: .seconds(5))
        breaker.value?.tryAcquire()?.succeed()
        return true
      },
      over: .calls(10), recovery: .init(openFor: .seconds(2)), clock: clock)
    breaker.value = made
    made.tryAcquire()?.fail()
    breaker.value = nil
    #expect(made.state == .open)
    #expect(made.snapshot().openUntil?.remaining == .seconds(2))
    clock.advance(by: .seconds(2) - .nanoseconds(1))
    #expect(!made.admitsCall)
    clock.advance(by: .nanoseconds(1))
    #expect(made.admitsCall)
  }

  @Test(
    "CB-15: calls that start after the step, before the breaker notices, do not look long",
    arguments: steps)
  func startsAfterTheStep(step: Int64) throws {
    let clock = SteppedClock()
    let breaker = CircuitBreaker(
      "any",
      tripping: .any(
        .consecutiveFailures(6, lasting: .seconds(3)),
        .slowCallRate(1, slowerThan: .seconds(3), minimumCalls: 1)),
      clock: clock)
    clock.advance(by: .seconds(100))
    breaker.tryAcquire()?.fail()
    breaker.tryAcquire()?.succeed()
    clock.advance(by: .nanoseconds(-step))
    let calls = try (0..<6).map { _ in try breaker.admit() }
    breaker.tryAcquire()?.fail()
    clock.advance(by: .milliseconds(10))
    for call in calls { breaker.record(.failure, of: call) }
    #expect(breaker.state == .closed)
    let counts = CircuitBreaker.Counts(successes: 1, failures: 8, consecutiveFailures: 7)
    #expect(breaker.snapshot().counts == counts)
  }

  @Test("A clock that has run for 292 years does not stop the program")
  func endOfTime() async {
    await #expect(processExitsWith: .success) {
      let clock = SteppedClock()
      let breaker = CircuitBreaker("any", clock: clock)
      clock.advance(by: .nanoseconds(Int64.max))
      for _ in 0..<3 { breaker.tryAcquire()?.fail() }
      _ = breaker.snapshot()
    }
  }

  // MARK: -

  private static func core(
    _ tripping: CircuitBreaker.TripCondition, over window: CircuitBreaker.Window = .sinceTransition,
    openFor: CircuitBreaker.OpenDuration = .seconds(10), probeLease: Duration = .seconds(30)
  ) -> CircuitBreaker.Core {
    let recovery = CircuitBreaker.Recovery(
      openFor: openFor, probation: .zero, probeLease: probeLease)
    return CircuitBreaker.Core(
      .init(.init(tripping: tripping, over: window, recovery: recovery)), seed: 0,
      at: 100 * second)
  }

  private static func admits(
    _ core: inout CircuitBreaker.Core, at now: Int64
  ) -> CircuitBreaker.Admission? {
    if case .admitted(let call) = core.admit(at: now) { call } else { nil }
  }

  private static func rejection(of breaker: CircuitBreaker) throws -> CircuitOpenError {
    let error = #expect(throws: CircuitOpenError.self) { _ = try breaker.admit() }
    return try #require(error)
  }
}

/// Something that is made later.
private final class Lazy<Value: Sendable>: Sendable {
  private let stored = Mutex<Value?>(nil)

  var value: Value? {
    get { stored.withLock { $0 } }
    set { stored.withLock { $0 = newValue } }
  }
}
