import Resilience
import ResilienceTesting
import Synchronization
import Testing

/// The two ways in which a breaker counts calls. They may differ in nothing but their cost.
enum Counting: CaseIterable, CustomTestStringConvertible, Sendable {
  /// Nobody observes: the calls of a healthy circuit are counted without the lock.
  case unobserved

  /// Somebody observes: every call takes the lock.
  case observed

  var testDescription: String {
    switch self {
    case .unobserved: "unobserved"
    case .observed: "observed"
    }
  }
}

/// A breaker in virtual time, as a test uses it.
struct Circuit: Sendable {
  let clock: VirtualClock
  let breaker: CircuitBreaker

  /// Hears nothing where nobody observes.
  let recorder: EventRecorder

  let counting: Counting

  init(
    _ counting: Counting = .observed,
    tripping: CircuitBreaker.TripCondition = .consecutiveFailures(3),
    over window: CircuitBreaker.Window = .sinceTransition,
    hungAfter: Duration? = nil,
    hungCalls: Int = 2,
    recovery: CircuitBreaker.Recovery = .plain,
    on clock: VirtualClock = VirtualClock(),
    seed: UInt64? = nil
  ) {
    let recorder = EventRecorder()
    self.clock = clock
    self.recorder = recorder
    self.counting = counting
    breaker = CircuitBreaker(
      "users", tripping: tripping, over: window, hungAfter: hungAfter, hungCalls: hungCalls,
      recovery: recovery, clock: clock, seed: seed,
      observers: counting == .observed ? [recorder] : [])
  }
}

extension CircuitBreaker.Recovery {
  /// Half a minute open, one probe, no probation: what most rules need.
  static let plain = Self(openFor: .seconds(30), probation: .zero)
}

extension CircuitBreaker.TripCondition {
  /// Not in a test's lifetime.
  static let never = consecutiveFailures(.max)
}

extension Duration {
  /// The smallest step of time that a breaker knows.
  static let tick = Duration.nanoseconds(1)
}

// MARK: - Reading

extension Circuit {
  var counts: CircuitBreaker.Counts { breaker.snapshot().counts }
  var totals: CircuitBreaker.Totals { breaker.snapshot().totals }
  var state: CircuitBreaker.State { breaker.state }
  var running: Int { breaker.snapshot().running }

  /// The time that is left until the circuit's deadline, if it is open.
  var openFor: Duration? { breaker.snapshot().openUntil?.remaining }

  /// The changes of state that the observer heard of.
  var changes: [CircuitBreaker.StateChange] {
    recorder.events(of: CircuitBreaker.Event.self).compactMap { event in
      if case .stateChanged(let change) = event.kind { change } else { nil }
    }
  }

  /// The counts with which an observing breaker would have opened.
  var wouldHaveOpened: [CircuitBreaker.Counts] {
    recorder.events(of: CircuitBreaker.Event.self).compactMap { event in
      if case .wouldHaveOpened(_, let counts) = event.kind { counts } else { nil }
    }
  }

  /// Checks all that the observer has heard since this was last asked; nothing where nobody
  /// observes.
  func expectEvents(_ expected: String..., sourceLocation: SourceLocation = #_sourceLocation) {
    guard counting == .observed else { return }
    let heard = recorder.events(of: CircuitBreaker.Event.self).map { $0.kind.description }
    #expect(heard == expected, sourceLocation: sourceLocation)
    recorder.clear()
  }
}

// MARK: - Calling

extension Circuit {
  /// Opens the circuit and waits until the next call is a probe. Nothing is heard of it.
  func becomeHalfOpen() {
    breaker.trip()
    while let openFor { advance(by: openFor) }
    recorder.clear()
  }

  /// Brings the circuit into a state, from any other.
  func enter(_ state: CircuitBreaker.State) {
    switch state {
    case .closed: breaker.reset()
    case .open: breaker.trip()
    case .halfOpen:
      becomeHalfOpen()
      ignore()
    case .isolated: breaker.isolate()
    case .disabled: breaker.disable()
    case .observing: breaker.observe()
    }
  }

  func advance(by duration: Duration) {
    clock.advance(by: duration)
  }

  /// Starts calls that stay in flight.
  func start(
    _ count: Int = 1, sourceLocation: SourceLocation = #_sourceLocation
  ) -> [Call] {
    (0..<count).map { _ in call(sourceLocation) }
  }

  func succeed(
    _ count: Int = 1, taking duration: Duration = .zero,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    for _ in 0..<count {
      let call = call(sourceLocation)
      advance(by: duration)
      call.succeed()
    }
  }

  func fail(
    _ count: Int = 1, taking duration: Duration = .zero, with error: (any Error)? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    for _ in 0..<count {
      let call = call(sourceLocation)
      advance(by: duration)
      call.fail(error)
    }
  }

  func ignore(_ count: Int = 1, sourceLocation: SourceLocation = #_sourceLocation) {
    for _ in 0..<count { call(sourceLocation).ignore() }
  }

  /// Makes one call, which must be refused.
  ///
  /// - Returns: the error that refused it.
  @discardableResult
  func refusal(
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> CircuitOpenError {
    try await #require(throws: CircuitOpenError.self, sourceLocation: sourceLocation) {
      try await breaker.run {}
    }
  }

  /// Makes one call, which must be refused.
  func expectRefused(sourceLocation: SourceLocation = #_sourceLocation) {
    guard let permit = breaker.tryAcquire() else { return }
    permit.ignore()
    Issue.record("the call was admitted", sourceLocation: sourceLocation)
  }

  private func call(_ sourceLocation: SourceLocation) -> Call {
    let call = Call(breaker)
    if !call.isAdmitted {
      Issue.record("the call was refused", sourceLocation: sourceLocation)
    }
    return call
  }
}

/// A call in flight. Permits cannot be copied and arrays copy, so it holds one for them.
final class Call {
  private var permit: CircuitBreaker.Permit?
  let isAdmitted: Bool

  init(_ breaker: CircuitBreaker) {
    permit = breaker.tryAcquire()
    isAdmitted = permit != nil
  }

  deinit {
    // The optimizer ends a variable's life with its last use, and a permit's death is a report.
    if permit != nil { Issue.record("a call was dropped before it ended") }
  }

  func succeed() { permit.take()?.succeed() }
  func fail(_ error: (any Error)? = nil) { permit.take()?.fail(error) }
  func ignore() { permit.take()?.ignore() }

  func end(_ outcome: Outcome) {
    switch outcome {
    case .success: succeed()
    case .failure: fail()
    case .ignored: ignore()
    }
  }
}

/// What an operation throws when its dependency is down.
struct Unavailable: Error {}

/// A value that a test shares with a closure or an observer.
final class Shared<Value: Sendable>: Sendable {
  private let lock: Lock<Value>

  init(_ value: Value) { lock = Lock(value) }

  var value: Value {
    get { lock.withLock { $0 } }
    set { lock.withLock { $0 = newValue } }
  }

  func change(_ body: (inout Value) -> Void) { lock.withLock { body(&$0) } }
}

/// Chance that is the same in every run.
struct Dice: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    // Knuth's MMIX generator; the upper half of its state is the better one.
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state >> 32 | state << 32
  }
}
