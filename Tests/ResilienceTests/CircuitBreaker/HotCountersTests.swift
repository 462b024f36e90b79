import Testing

@testable import Resilience

@Suite("Counting without a lock")
struct HotCountersTests {
  private typealias Tally = CircuitBreaker.HotCounters.Tally

  @Test("CB-24: closed counters admit nothing and hold nothing")
  func closed() {
    let counters = Counters()
    #expect(counters.admit() == nil)
    #expect(!counters.succeed(0, generation: 0))
    #expect(!counters.isLive)
    #expect(counters.takeSuccesses() == Tally())
    #expect(counters.close() == Tally())
  }

  @Test("CB-24: successes are taken once, and calls in flight stay")
  func takesSuccesses() throws {
    let counters = Counters()
    counters.open(5)
    for _ in 0..<3 { #expect(counters.admit() == Admitted(generation: 5, index: 0)) }
    #expect(counters.succeed(0, generation: 5))
    #expect(counters.takeSuccesses() == Tally(successes: 1, inFlight: 2))
    #expect(counters.takeSuccesses() == Tally(inFlight: 2))
    #expect(counters.succeed(0, generation: 5))
    counters.endCall(0, generation: 5)
    #expect(counters.takeSuccesses() == Tally(successes: 1))
  }

  @Test("CB-6: closing takes everything that was counted, once")
  func closeTakesEverything() {
    let counters = Counters()
    counters.open(5)
    for _ in 0..<4 { _ = counters.admit() }
    #expect(counters.succeed(0, generation: 5))
    #expect(counters.close() == Tally(successes: 1, inFlight: 3))
    #expect(counters.close() == Tally())
    #expect(counters.admit() == nil)
    #expect(!counters.succeed(0, generation: 5))
    counters.open(6)
    #expect(counters.takeSuccesses() == Tally())
  }

  @Test(
    "CB-6: a call of an older generation changes nothing, also after as many as a tag tells apart")
  func staleGenerations() {
    let counters = Counters()
    for next: UInt64 in [6, 5 + 1 << 15, 5 + 1 << 16] {
      counters.open(5)
      _ = counters.admit()
      _ = counters.close()
      counters.open(next)
      _ = counters.admit()
      #expect(!counters.succeed(0, generation: 5))
      counters.endCall(0, generation: 5)
      #expect(counters.close() == Tally(inFlight: 1))
    }
  }

  @Test("CB-11: the window is over at exactly its boundary")
  func boundary() {
    let counters = Counters()
    #expect(!counters.isWindowOver(at: .max - 1))
    counters.setBoundary(100)
    #expect(!counters.isWindowOver(at: 99))
    #expect(counters.isWindowOver(at: 100))
    counters.setBoundary(-100)
    #expect(!counters.isWindowOver(at: -101))
    #expect(counters.isWindowOver(at: -100))
  }

  // MARK: - Stripes

  @Test("CB-26: stripes are made where two threads have met, and count like the single word")
  func stripes() throws {
    let counters = Counters()
    counters.open(5)
    let single = try #require(counters.admit())
    counters.wantStripes()
    #expect(counters.admit() == nil)
    // Who was admitted before may still end its call.
    #expect(counters.succeed(single.index, generation: 5))

    counters.makeStripesIfWanted()
    var indices: [CircuitBreaker.HotCounters.Index] = []
    for _ in 0..<5 { indices.append(try #require(counters.admit()).index) }
    #expect(indices.allSatisfy { 1...16 ~= $0 })
    #expect(counters.succeed(indices[0], generation: 5))
    counters.endCall(indices[1], generation: 5)
    #expect(counters.takeSuccesses() == Tally(successes: 2, inFlight: 3))
    #expect(counters.succeed(indices[2], generation: 5))
    #expect(counters.close() == Tally(successes: 1, inFlight: 2))
    #expect(!counters.succeed(indices[3], generation: 5))
    counters.open(6)
    #expect(!counters.succeed(indices[3], generation: 5))
    #expect(counters.admit() == Admitted(generation: 6, index: indices[0]))
    #expect(counters.close() == Tally(inFlight: 1))
  }

  @Test("CB-26: a breaker whose threads have met goes on by stripes")
  func stripesOfBreaker() throws {
    let breaker = CircuitBreaker("any", over: .sinceTransition)
    let before = try breaker.admit()
    breaker.hot.meet()
    let meanwhile = try breaker.admit()
    let after = try breaker.admit()
    #expect(before.ticket == .stripe(0))
    #expect(meanwhile.ticket == .core)
    #expect(after.ticket != .stripe(0) && after.ticket != .core)
    #expect(breaker.snapshot().counts == .init(inFlight: 3))
    for call in [before, meanwhile, after] { breaker.record(.success, of: call) }
    #expect(breaker.snapshot().counts == .init(successes: 3, consecutiveSuccesses: 3))
  }

  // MARK: - Full counters

  private static let mostCalls: UInt64 = 1 << 20 - 1
  private static let mostSuccesses: UInt64 = 1 << 28 - 1

  @Test("CB-24: the call after 1 048 575 in flight is counted under the lock")
  func fullOfCalls() throws {
    let counters = Counters()
    counters.open(5)
    counters.set(calls: Self.mostCalls - 1, successes: 7, generation: 5)
    #expect(counters.admit() != nil)
    #expect(counters.admit() == nil)
    #expect(counters.takeSuccesses() == Tally(successes: 7, inFlight: Int(Self.mostCalls)))
    counters.endCall(0, generation: 5)
    #expect(counters.admit() != nil)

    let breaker = CircuitBreaker("any", over: .sinceTransition)
    breaker.hot.set(calls: Self.mostCalls - 1, successes: 0, generation: 0)
    let last = try breaker.admit()
    let next = try breaker.admit()
    #expect(last.ticket == .stripe(0))
    #expect(next.ticket == .core)
    #expect(breaker.snapshot().running == 1 << 20)
    breaker.record(.success, of: next)
    breaker.record(.success, of: last)
    let counts = CircuitBreaker.Counts(
      successes: 2, consecutiveSuccesses: 2, inFlight: 1 << 20 - 2)
    #expect(breaker.snapshot().counts == counts)
  }

  @Test("CB-24: the success after 268 435 455 is counted under the lock, which takes them over")
  func fullOfSuccesses() throws {
    let counters = Counters()
    counters.open(5)
    counters.set(calls: 2, successes: Self.mostSuccesses - 1, generation: 5)
    #expect(counters.succeed(0, generation: 5))
    #expect(!counters.succeed(0, generation: 5))
    #expect(counters.takeSuccesses() == Tally(successes: Int(Self.mostSuccesses), inFlight: 1))
    #expect(counters.succeed(0, generation: 5))
    #expect(counters.takeSuccesses() == Tally(successes: 1))

    let breaker = CircuitBreaker("any", over: .sinceTransition)
    breaker.hot.set(calls: 0, successes: Self.mostSuccesses, generation: 0)
    for successes in [1 << 28, 1 << 28 + 1] {
      breaker.record(.success, of: try breaker.admit())
      let counts = CircuitBreaker.Counts(
        successes: successes, consecutiveSuccesses: successes)
      #expect(breaker.snapshot().counts == counts)
    }
  }
}

private struct Admitted: Equatable {
  let generation: UInt64
  let index: CircuitBreaker.HotCounters.Index
}

/// Counters that an expectation may copy.
private final class Counters: Sendable {
  private let hot = CircuitBreaker.HotCounters()

  func open(_ generation: UInt64) { hot.open(generation) }
  func close() -> CircuitBreaker.HotCounters.Tally { hot.close() }
  func takeSuccesses() -> CircuitBreaker.HotCounters.Tally { hot.takeSuccesses() }
  func admit() -> Admitted? {
    hot.admit().map { Admitted(generation: $0.generation, index: $0.index) }
  }
  func succeed(_ index: Int32, generation: UInt64) -> Bool {
    hot.succeed(index, generation: generation)
  }
  func endCall(_ index: Int32, generation: UInt64) { hot.endCall(index, generation: generation) }
  func setBoundary(_ reading: Int64) { hot.setBoundary(reading) }
  func isWindowOver(at reading: Int64) -> Bool { hot.isWindowOver(at: reading) }
  var isLive: Bool { hot.isLive }
  func makeStripesIfWanted() { hot.makeStripesIfWanted() }
  func wantStripes() { hot.meet() }
  func set(calls: UInt64, successes: UInt64, generation: UInt64) {
    hot.set(calls: calls, successes: successes, generation: generation)
  }
}

extension CircuitBreaker.HotCounters {
  /// What two threads do that meet on the single word; before other threads know of it.
  borrowing func meet() {
    write(1, to: 3)
  }

  /// Counts in the single word what no test has the time to count.
  fileprivate borrowing func set(calls: UInt64, successes: UInt64, generation: UInt64) {
    write((generation << 1 | 1) << 48 | calls << 28 | successes, to: 2)
  }

  /// Writes a word: 0 is `control`, 1 `boundary`, 2 `single` and 3 `stripes`.
  private borrowing func write(_ bits: UInt64, to word: Int) {
    // The four atomics are all there is; no other thread knows of these counters.
    precondition(MemoryLayout<Self>.size == 32)
    unsafe withUnsafePointer(to: self) { counters in
      let words = unsafe UnsafeMutableRawPointer(mutating: counters)
      unsafe words.storeBytes(of: bits, toByteOffset: word * 8, as: UInt64.self)
    }
  }
}

// MARK: - The whole breaker

@Suite("The whole breaker does what the naive model does")
struct WholeBreakerTests {
  @Test(
    "CB-1 to CB-19: with healthy calls counted outside the lock, every snapshot is the model's",
    arguments: CoreModelTests.WindowKind.allCases)
  func agrees(window kind: CoreModelTests.WindowKind) {
    for (number, settings) in kind.settings.enumerated() {
      let seed = UInt64(number + 1)
      var walk = CoreModelWalk(WholeBreaker(settings), settings, seed: seed, unit: kind.unit)
      if let mismatch = walk.walk(steps: 400) {
        Issue.record("\(kind), settings \(number), \(mismatch)\n\(settings)")
      }
    }
  }

  private struct Hint: RetryAfterHint {
    let retryAfter: Duration?
  }

  private struct WholeBreaker: ModelledBreaker {
    let timesCalls = true
    private let clock = SteppedClock()
    private let breaker: CircuitBreaker

    init(_ settings: NaiveBreaker.Settings) {
      breaker = CircuitBreaker("any", configuration: settings.configuration, clock: clock)
    }

    func admit(at now: Int64) -> CircuitBreaker.Core.Decision {
      clock.set(to: now)
      do { return .admitted(try breaker.admit()) } catch {
        guard let error = error as? CircuitOpenError else { return .rejected(.open) }
        // CB-23: computed when asked, and only for an open circuit.
        let openUntil = error.reason == .open ? breaker.snapshot().openUntil : nil
        #expect(error.retryAfter == openUntil?.remaining)
        return .rejected(error.reason)
      }
    }

    func record(
      _ report: CircuitBreaker.Report, of admission: CircuitBreaker.Admission, at now: Int64
    ) {
      clock.set(to: now)
      if report.outcome == .failure {
        breaker.record(
          Hint(retryAfter: .nanoseconds(report.retryAfter)) as any Error, of: admission)
      } else {
        breaker.record(report.outcome, of: admission)
      }
    }

    func control(_ control: BreakerControl, at now: Int64) {
      clock.set(to: now)
      switch control {
      case .enter(.isolated): breaker.isolate()
      case .enter(.disabled): breaker.disable()
      case .enter: breaker.observe()
      case .reset: breaker.reset()
      case .trip(let length): breaker.trip(for: length.map { .nanoseconds($0) })
      }
    }

    func reading(at now: Int64) -> NaiveBreaker.Reading {
      clock.set(to: now)
      let snapshot = breaker.snapshot()
      return NaiveBreaker.Reading(
        state: snapshot.state, counts: snapshot.counts, totals: snapshot.totals,
        generation: snapshot.generation, running: snapshot.running,
        openUntil: snapshot.openUntil.map { now + $0.remaining.saturatingNanoseconds },
        share: snapshot.admittedShare)
    }

    func takeNotices() -> [NaiveBreaker.Notice]? { nil }
  }
}
