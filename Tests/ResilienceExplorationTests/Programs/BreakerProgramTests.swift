import Resilience
import ResilienceTesting
import Testing

@Suite("Calls on a half-open breaker, in every order of their suspensions")
struct BreakerProgramTests {
  @Test("CB-4: two calls that succeed: one is the probe, the other is refused or comes later")
  func successes() async throws {
    let endings = try await Endings { try await Self.program($0) }
    #expect(endings.schedules == 6)
    #expect(
      endings.all == [
        Ending(
          ["done", "refused"], .closed, .init(successes: 1, rejected: 1, trips: 1),
          .init(rejected: 1)),
        Ending(
          ["refused", "done"], .closed, .init(successes: 1, rejected: 1, trips: 1),
          .init(rejected: 1)),
        Ending(
          ["done", "done"], .closed, .init(successes: 2, trips: 1),
          .init(successes: 1, consecutiveSuccesses: 1)),
      ])
  }

  @Test("CB-2, CB-6: one succeeds and one fails: nothing is counted in another generation")
  func failure() async throws {
    let endings = try await Endings { try await Self.program($0, failing: [1]) }
    #expect(endings.schedules == 6)
    #expect(
      endings.all == [
        Ending(
          ["done", "refused"], .closed, .init(successes: 1, rejected: 1, trips: 1),
          .init(rejected: 1)),
        Ending(
          ["refused", "failed"], .open,
          .init(failures: 1, rejected: 1, trips: 1, reopenings: 1), .init(rejected: 1)),
        Ending(["done", "failed"], .open, .init(successes: 1, failures: 1, trips: 2)),
      ])
  }

  @Test(
    "CB-5, CB-6: a call that is cancelled, wherever, counts as nothing and gives back its slot",
    arguments: [(0, 562, 14), (1, 616, 15), (2, 562, 14)])
  func cancelled(victim: Int, schedules: Int, count: Int) async throws {
    let endings = try await Endings {
      try await Self.program($0, calls: 3, failing: [1], cancelling: victim)
    }
    #expect(endings.schedules == schedules)
    #expect(endings.all.count == count)
  }

  @Test("CB-6: a result that comes after a reset is late, and the next generation begins at zero")
  func reset() async throws {
    let endings = try await Endings { clock in
      let breaker = Self.halfOpen(clock)
      let told = await Cast.play(2, on: clock) { number in
        if number == 1 {
          breaker.reset()
          return "reset"
        }
        return await Self.call(breaker, on: Journal(), fails: true)
      }
      return try Ending(told, breaker)
    }
    #expect(endings.schedules == 4)
    #expect(
      endings.all == [
        Ending(["failed", "reset"], .closed, .init(failures: 1, trips: 1, reopenings: 1)),
        Ending(["failed", "reset"], .open, .init(failures: 1, trips: 2)),
        Ending(["failed", "reset"], .closed, .init(late: 1, trips: 1), .init(late: 1)),
      ])
  }

  @Test("CB-9: a probe that reports as its lease ends has failed, whoever notices")
  func lease() async throws {
    let endings = try await Endings { clock in
      let breaker = Self.halfOpen(clock)
      let told = await Cast.play(2, on: clock) { number in
        if number == 1 { try? await clock.sleep(for: .seconds(5)) }
        return await Self.told {
          try await breaker.run {
            if number == 0 { try await clock.sleep(for: .seconds(5)) }
            return "done"
          }
        }
      }
      return try Ending(told, breaker)
    }
    #expect(endings.schedules == 4)
    #expect(
      endings.all == [
        Ending(
          ["done", "refused"], .open,
          .init(failures: 1, rejected: 1, late: 1, trips: 1, reopenings: 1),
          .init(rejected: 1, late: 1))
      ])
  }
}

extension BreakerProgramTests {
  fileprivate struct Ending: Hashable, Sendable {
    let told: [String]
    let state: Resilience.CircuitBreaker.State
    let totals: Resilience.CircuitBreaker.Totals
    let counts: Resilience.CircuitBreaker.Counts

    init(
      _ told: [String], _ state: Resilience.CircuitBreaker.State,
      _ totals: Resilience.CircuitBreaker.Totals,
      _ counts: Resilience.CircuitBreaker.Counts = .init()
    ) {
      (self.told, self.state, self.totals, self.counts) = (told, state, totals, counts)
    }

    /// - Throws: if somebody still holds a place.
    init(_ told: [String], _ breaker: Resilience.CircuitBreaker) throws {
      let snapshot = breaker.snapshot()
      try Broken.unless(snapshot.running == 0, "X-4", "\(snapshot)")
      self.init(told, snapshot.state, snapshot.totals, snapshot.counts)
    }
  }

  private struct Unavailable: Error {}

  private static func program(
    _ clock: VirtualClock, calls: Int = 2, failing: Set<Int> = [], cancelling victim: Int? = nil
  ) async throws -> Ending {
    let breaker = halfOpen(clock)
    let probes = Journal<Int>()
    let told = await Cast.play(calls, on: clock, cancelling: victim) { number in
      await call(breaker, on: probes, fails: failing.contains(number))
    }
    try Broken.unless(!told.contains("two probes"), "CB-4", "\(told)")
    let ending = try Ending(told, breaker)
    let totals = ending.totals
    let ended = totals.successes + totals.failures + totals.ignored + totals.late + totals.rejected
    try Broken.unless(ended == calls, "CB-6", "of \(calls) calls counted: \(totals)")
    let failed = told.count { $0 == "failed" }
    try Broken.unless(totals.failures <= failed, "CB-5", "\(told), but \(totals)")
    return ending
  }

  /// Opens at a failure, stays open for ten seconds, and is half-open now.
  private static func halfOpen(_ clock: VirtualClock) -> Resilience.CircuitBreaker {
    let breaker = Resilience.CircuitBreaker(
      "users", tripping: .consecutiveFailures(1), over: .sinceTransition,
      recovery: .init(openFor: .seconds(10), probation: .zero, probeLease: .seconds(5)),
      clock: clock)
    breaker.trip(for: .zero)
    return breaker
  }

  /// - Parameter probes: goes up and down with the probes that run.
  private static func call(
    _ breaker: Resilience.CircuitBreaker, on probes: Journal<Int>, fails: Bool
  ) async -> String {
    await told {
      try await breaker.run {
        let isProbe = breaker.state == .halfOpen
        if isProbe { probes.note(1) }
        defer { if isProbe { probes.note(-1) } }
        guard probes.all.reduce(0, +) < 2 else { return "two probes" }
        await Task.yield()
        try Task.checkCancellation()
        if fails { throw Unavailable() }
        return "done"
      }
    }
  }

  private static func told(_ call: () async throws -> String) async -> String {
    do { return try await call() } catch is CancellationError {
      return "cancelled"
    } catch is Unavailable {
      return "failed"
    } catch { return "refused" }
  }
}
