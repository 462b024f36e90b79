import Synchronization
import Testing

@testable import Resilience

@Suite("Many threads on one breaker")
struct BreakerStressTests {
  /// What the callers of a breaker know of their calls.
  private struct Tally: Hashable, Sendable {
    var admitted = 0
    var rejected = 0
    var successes = 0
    var failures = 0
    var ignored = 0

    static func += (left: inout Tally, right: Tally) {
      left.admitted += right.admitted
      left.rejected += right.rejected
      left.successes += right.successes
      left.failures += right.failures
      left.ignored += right.ignored
    }
  }

  private enum Calls: CaseIterable, Sendable { case run, permit, handedOver }

  // MARK: - Exact totals

  @Test(
    "CB-26: every outcome is counted exactly once, however many threads report",
    arguments: [
      CircuitBreaker.Window.sinceTransition, .rolling(.seconds(10)), .interval(.seconds(60)),
      .calls(50),
    ], [2, 8])
  func countsExactly(window: CircuitBreaker.Window, threads: Int) async {
    let breaker = CircuitBreaker(
      "any", tripping: .failureRate(1, minimumCalls: 1_000_000_000), over: window,
      clock: SteppedClock())
    let known = await Self.call(breaker, threads: threads, percentFailing: 20) { $0 < 2_000 }
    #expect(known.rejected == 0)
    let snapshot = breaker.snapshot()
    #expect(
      snapshot.totals
        == .init(
          successes: known.successes, failures: known.failures, ignored: known.ignored))
    #expect(snapshot.running == 0 && snapshot.counts.inFlight == 0)
    if window != .calls(50) {
      #expect(snapshot.counts.successes == known.successes)
      #expect(snapshot.counts.failures == known.failures)
      #expect(snapshot.counts.ignored == known.ignored)
    }
  }

  @Test("CB-26: successes alone, on threads that do nothing else, are counted exactly")
  func countsSuccesses() async throws {
    let breaker = CircuitBreaker("any", over: .sinceTransition)
    var all = 0
    // Until two of them have met; which they need not, if they have but one core.
    for _ in 0..<20 where try breaker.isCountedBySingleWord() {
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<4 {
          group.addTask { for _ in 0..<50_000 { breaker.tryAcquire()?.succeed() } }
        }
      }
      all += 4 * 50_000
      let counts = breaker.snapshot().counts
      #expect(counts.successes == all)
      #expect(counts.inFlight == 0)
    }
  }

  // MARK: - While everything happens at once

  @Test(
    "X-4, CB-6: while it trips, recovers and is controlled by hand, no call is lost or counted twice",
    arguments: [
      CircuitBreaker.Window.sinceTransition, .rolling(.milliseconds(50)),
      .interval(.milliseconds(30)), .calls(20),
    ],
    [2, 6])
  func keepsEveryCall(window: CircuitBreaker.Window, threads: Int) async {
    let clock = SteppedClock()
    let breaker = CircuitBreaker(
      "any",
      tripping: .any(.consecutiveFailures(8), .failureRate(0.6, minimumCalls: 15)),
      over: window,
      recovery: .init(
        openFor: .exponential(from: .milliseconds(1), factor: 2, cap: .milliseconds(4)),
        probes: 2, probation: .milliseconds(5), probeLease: .seconds(86_400)),
      clock: clock, seed: 26)
    // Six threads count in stripes from the beginning, two when they have met.
    if threads > 2 { breaker.hot.wantStripes() }
    let end = End()

    let known = await withTaskGroup(of: Tally.self) { group in
      group.addTask {
        await Self.disturb(breaker, clock)
        end.come()
        return Tally()
      }
      group.addTask {
        await Self.watch(breaker, until: end)
        return Tally()
      }
      group.addTask {
        await Self.call(breaker, threads: threads, percentFailing: 30) { _ in !end.hasCome }
      }
      return await group.reduce(into: Tally()) { $0 += $1 }
    }

    let snapshot = breaker.snapshot()
    let totals = snapshot.totals
    #expect(snapshot.running == 0 && snapshot.counts.inFlight == 0)
    #expect(totals.rejected == known.rejected)
    #expect(totals.successes + totals.failures + totals.ignored + totals.late == known.admitted)
    #expect(totals.successes <= known.successes)
    #expect(totals.failures <= known.failures)
    #expect(totals.ignored <= known.ignored)
    // All of it has happened.
    #expect(totals.trips > 5 && totals.reopenings > 5 && totals.late > 5 && totals.rejected > 5)
    #expect(snapshot.generation > 100)
  }

  @Test("CB-24: a breaker that has recovered counts without the lock again")
  func recovers() async throws {
    let clock = SteppedClock()
    let breaker = CircuitBreaker(
      "any", tripping: .consecutiveFailures(1), over: .sinceTransition,
      recovery: .init(openFor: .seconds(1), probation: .zero), clock: clock)
    for _ in 0..<20 {
      breaker.tryAcquire()?.fail()
      clock.advance(by: .seconds(1))
      // One of them is the probe; those that come after it has succeeded are ordinary calls.
      _ = await Self.call(breaker, threads: 3, percentFailing: 0) { $0 < 30 }
      #expect(breaker.state == .closed)
      let isCountedOutside = breaker.hot.isLive
      #expect(isCountedOutside)
      #expect(breaker.snapshot().running == 0)
    }
    #expect(breaker.snapshot().totals.trips == 20)
  }

  // MARK: - What the threads do

  private static func call(
    _ breaker: CircuitBreaker, threads: Int, percentFailing: Int,
    while goesOn: @escaping @Sendable (_ calls: Int) -> Bool
  ) async -> Tally {
    await withTaskGroup(of: Tally.self) { group in
      for thread in 0..<threads {
        group.addTask {
          var random = SplitMix64(seed: UInt64(thread))
          var known = Tally()
          var time = thread
          while goesOn(time - thread) {
            let outcome = outcome(percentFailing, &random)
            let call = await call(breaker, outcome, Calls.allCases[time % Calls.allCases.count])
            known += call
            time += 1
            // Who is refused must not keep the clock from going on.
            if call.rejected > 0 { await Task.yield() }
          }
          return known
        }
      }
      return await group.reduce(into: Tally()) { $0 += $1 }
    }
  }

  private static func outcome(_ percentFailing: Int, _ random: inout SplitMix64) -> Outcome {
    let number = Int.random(in: 0..<100, using: &random)
    return number < percentFailing ? .failure : number < 95 ? .success : .ignored
  }

  private struct Failure: Error {}

  private static func call(
    _ breaker: CircuitBreaker, _ outcome: Outcome, _ calls: Calls
  ) async -> Tally {
    let isAdmitted =
      switch calls {
      case .run: await run(breaker, outcome)
      case .permit: reportPermit(of: breaker, outcome)
      case .handedOver: await handPermitOver(of: breaker, outcome)
      }
    guard isAdmitted else { return Tally(rejected: 1) }
    return Tally(
      admitted: 1, successes: outcome == .success ? 1 : 0, failures: outcome == .failure ? 1 : 0,
      ignored: outcome == .ignored ? 1 : 0)
  }

  private static func run(_ breaker: CircuitBreaker, _ outcome: Outcome) async -> Bool {
    do {
      try await breaker.run {
        await Task.yield()
        switch outcome {
        case .success: break
        case .failure: throw Failure()
        case .ignored: throw CancellationError()
        }
      }
      return true
    } catch { return !(error is CircuitOpenError) }
  }

  private static func reportPermit(of breaker: CircuitBreaker, _ outcome: Outcome) -> Bool {
    guard let permit = breaker.tryAcquire() else { return false }
    report(permit, outcome)
    return true
  }

  /// Lets another task end the call.
  private static func handPermitOver(
    of breaker: CircuitBreaker, _ outcome: Outcome
  ) async -> Bool {
    guard let permit = breaker.tryAcquire() else { return false }
    let box = Mutex<CircuitBreaker.Permit?>(permit)
    async let other: Void = {
      if let permit = box.withLock({ $0.take() }) { report(permit, outcome) }
    }()
    await other
    return true
  }

  private static func report(_ permit: consuming CircuitBreaker.Permit, _ outcome: Outcome) {
    switch outcome {
    case .success: permit.succeed()
    case .failure: permit.fail()
    case .ignored: break  // Abandoned.
    }
  }

  private static func disturb(
    _ breaker: CircuitBreaker, _ clock: SteppedClock
  ) async {
    var random = SplitMix64(seed: 3)
    for _ in 0..<3_000 {
      clock.advance(by: .microseconds(Int.random(in: 0...900, using: &random)))
      switch Int.random(in: 0..<60, using: &random) {
      case 0: breaker.reset()
      case 1: breaker.trip(for: .milliseconds(1))
      case 2:
        breaker.isolate()
        breaker.reset()
      case 3:
        breaker.observe()
        await Task.yield()
        breaker.reset()
      default: break
      }
      await Task.yield()
    }
  }

  /// Whatever happens, totals only grow and nothing is negative.
  private static func watch(
    _ breaker: CircuitBreaker, until end: End
  ) async {
    var before = breaker.snapshot()
    while !end.hasCome {
      let now = breaker.snapshot()
      let isSound =
        now.generation >= before.generation && now.totals.isNotLess(than: before.totals)
        && now.counts.inFlight >= 0 && now.running >= now.counts.inFlight
        && now.counts.successes <= now.totals.successes && 0.125...1 ~= now.admittedShare
        && now.counts.rejected == now.totals.rejected && now.counts.late == now.totals.late
        && (now.state == .open) == (now.openUntil != nil)
      if !isSound { Issue.record("\(before)\nthen\n\(now)") }
      before = now
      await Task.yield()
    }
  }
}

/// The end of a test, for those who go on until it comes.
private final class End: Sendable {
  private let flag = Atomic<Bool>(false)

  var hasCome: Bool { flag.load(ordering: .relaxed) }
  func come() { flag.store(true, ordering: .relaxed) }
}

extension CircuitBreaker {
  fileprivate func isCountedBySingleWord() throws -> Bool {
    let call = try admit()
    defer { record(.ignored, of: call) }
    return call.ticket == .stripe(0)
  }
}

extension CircuitBreaker.Totals {
  fileprivate func isNotLess(than other: Self) -> Bool {
    zip(numbers, other.numbers).allSatisfy { $0 >= $1 }
  }

  private var numbers: [Int] {
    [successes, failures, ignored, slow, rejected, late, trips, reopenings]
  }
}
