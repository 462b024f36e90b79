import Synchronization
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
    // A thread that has already seen the counters open finds no word of their generation.
    #expect(counters.singleWord == 0)
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

  @Test(
    "CB-24: once the window has moved on, successes are counted without the lock again",
    arguments: [CircuitBreaker.Window.rolling(.seconds(10)), .interval(.seconds(1))])
  func movesOn(window: CircuitBreaker.Window) throws {
    let clock = SteppedClock()
    let breaker = CircuitBreaker(
      "any", tripping: .consecutiveFailures(5), over: window, clock: clock)
    for _ in 0..<5 {
      breaker.record(.success, of: try breaker.admit())
      #expect(breaker.hot.successesNotTaken == 1)
      clock.advance(by: .seconds(1))
      breaker.record(.success, of: try breaker.admit())
      #expect(breaker.hot.successesNotTaken == 0)
    }
    #expect(breaker.snapshot().totals == .init(successes: 10))
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
    breaker.hot.wantStripes()
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
  func setBoundary(_ instant: Int64) {
    hot.setTime(boundary: instant, clockOffset: 0, latest: .min)
  }
  func isWindowOver(at reading: Int64) -> Bool { hot.isWindowOver(at: reading) }
  var isLive: Bool { hot.isLive }
  func makeStripesIfWanted() { hot.makeStripesIfWanted() }
  func wantStripes() { hot.wantStripes() }
  var singleWord: UInt64 { hot.single.load(ordering: .relaxed) }
  func set(calls: UInt64, successes: UInt64, generation: UInt64) {
    hot.set(calls: calls, successes: successes, generation: generation)
  }
}

extension CircuitBreaker.HotCounters {
  /// Counts in the single word what no test has the time to count.
  fileprivate borrowing func set(calls: UInt64, successes: UInt64, generation: UInt64) {
    single.store((generation << 1 | 1) << 48 | calls << 28 | successes, ordering: .relaxed)
  }

  fileprivate var successesNotTaken: UInt64 {
    single.load(ordering: .relaxed) & (1 << 28 - 1)
  }
}
