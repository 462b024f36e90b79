import Resilience
import ResilienceTesting
import Testing

@Suite("Calls that wait for a rate limiter, in every order of their suspensions")
struct LimiterProgramTests {
  @Test("RL-2, X-5: three calls get their tokens one by one, in the order in which they came")
  func three() async throws {
    let endings = try await Endings { try await Self.program($0) }
    #expect(endings.schedules == 6)
    let told = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
    #expect(
      endings.all
        == Set(
          told.map { seconds in
            Ending(seconds.map { "at \($0).0 seconds" }, .init(admitted: 3, waited: 2))
          }))
  }

  @Test(
    "RL-4: whoever is cancelled, wherever, costs those behind him nothing", arguments: 0...2)
  func cancelled(victim: Int) async throws {
    let endings = try await Endings { clock in
      let delay = clock.choose(from: [Duration.zero, .milliseconds(500), .seconds(1), .seconds(2)])
      return try await Self.program(clock, cancelling: victim, after: delay)
    }
    #expect(endings.schedules == 218)
    #expect(endings.all.count == 8)
  }

  @Test("X-5: who comes for one token does not overtake him who waits for two")
  func different() async throws {
    let endings = try await Endings { clock in
      let limiter = Resilience.RateLimiter(
        .perSecond(1), burst: 2, maxWait: .seconds(10), clock: clock)
      let told = await Cast.play(3, on: clock) { number in
        do {
          // One token has come by then, and the first who waits needs two.
          if number == 2 { try await clock.sleep(for: .seconds(1)) }
          try await limiter.acquire(number == 2 ? 1 : 2)
          return "at \(clock.now)"
        } catch { return "refused" }
      }
      return Ending(told, limiter.snapshot().totals)
    }
    #expect(endings.schedules == 6)
    #expect(
      endings.all == [
        Ending(
          ["at 0.0 seconds", "at 2.0 seconds", "at 3.0 seconds"], .init(admitted: 3, waited: 2)),
        Ending(
          ["at 2.0 seconds", "at 0.0 seconds", "at 3.0 seconds"], .init(admitted: 3, waited: 2)),
      ])
  }
}

extension LimiterProgramTests {
  fileprivate struct Ending: Hashable, Sendable {
    let told: [String]
    let totals: Resilience.RateLimiter.Totals

    init(_ told: [String], _ totals: Resilience.RateLimiter.Totals) {
      (self.told, self.totals) = (told, totals)
    }
  }

  private static func program(
    _ clock: VirtualClock, cancelling victim: Int? = nil, after delay: Duration = .zero
  ) async throws -> Ending {
    let limiter = Resilience.RateLimiter(
      .perSecond(1), burst: 1, maxWait: .seconds(10), clock: clock)
    let (arrivals, grants, times) = (Journal<Int>(), Journal<Int>(), Journal<Duration>())
    let told = await Cast.play(3, on: clock, cancelling: victim, after: delay) { number in
      do {
        if !Task.isCancelled { arrivals.note(number) }
        try await limiter.acquire()
        grants.note(number)
        times.note(VirtualClock.Instant.start.duration(to: clock.now))
        return "at \(clock.now)"
      } catch is CancellationError { return "cancelled" } catch { return "refused" }
    }
    let served = arrivals.all.filter { grants.all.contains($0) }
    try Broken.unless(grants.all == served, "X-5", "\(grants.all) overtook \(served)")
    let seconds = times.all.indices.map { Duration.seconds($0) }
    try Broken.unless(times.all == seconds, "RL-4", "granted at \(times.all)")
    try Broken.unless(limiter.snapshot().waiting == 0, "X-4", "\(limiter.snapshot())")
    return Ending(told, limiter.snapshot().totals)
  }
}
