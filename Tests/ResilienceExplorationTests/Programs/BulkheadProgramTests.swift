import Resilience
import ResilienceTesting
import Testing

@Suite("Calls in a bulkhead, in every order of their suspensions")
struct BulkheadProgramTests {
  @Test("BH-1, X-5: one is inside, one waits, the third is refused or comes later")
  func three() async throws {
    let endings = try await Endings { try await Self.program($0) }
    #expect(endings.schedules == 84)
    #expect(
      endings.all == [
        Ending(["done", "done", "done"], .init(admitted: 3)),
        Ending(["done", "done", "done"], .init(admitted: 3, waited: 1)),
        Ending(["done", "done", "done"], .init(admitted: 3, waited: 2)),
        Ending(["refused", "done", "done"], .init(admitted: 2, waited: 1, full: 1)),
        Ending(["done", "refused", "done"], .init(admitted: 2, waited: 1, full: 1)),
        Ending(["done", "done", "refused"], .init(admitted: 2, waited: 1, full: 1)),
      ])
  }

  @Test(
    "X-4: whoever is cancelled, wherever, nothing is lost and nobody forgotten", arguments: 0...2)
  func cancelled(victim: Int) async throws {
    let endings = try await Endings { try await Self.program($0, cancelling: victim) }
    #expect(endings.schedules == 990)
    #expect(endings.all.count == 16)
  }

  @Test("BH-3: a wait that ends as its place comes free is refused, and the place is not lost")
  func lastInstant() async throws {
    let endings = try await Endings { clock in
      let bulkhead = Resilience.Bulkhead(limit: 1, queue: 1, maxWait: .seconds(1), clock: clock)
      let told = await Cast.play(2, on: clock) { _ in
        await Self.told {
          try await bulkhead.run { try await clock.sleep(for: .seconds(1)) }
          return "done after \(clock.now)"
        }
      }
      return Ending(told, try Self.emptied(bulkhead))
    }
    #expect(endings.schedules == 8)
    #expect(
      endings.all == [
        Ending(["done after 1.0 seconds", "refused"], .init(admitted: 1, waitedTooLong: 1)),
        Ending(["refused", "done after 1.0 seconds"], .init(admitted: 1, waitedTooLong: 1)),
      ])
  }
}

extension BulkheadProgramTests {
  fileprivate struct Ending: Hashable, Sendable {
    let told: [String]
    let totals: Resilience.Bulkhead.Totals

    init(_ told: [String], _ totals: Resilience.Bulkhead.Totals) {
      (self.told, self.totals) = (told, totals)
    }
  }

  private static func program(
    _ clock: VirtualClock, cancelling victim: Int? = nil
  ) async throws -> Ending {
    let bulkhead = Resilience.Bulkhead(limit: 1, queue: 1, clock: clock)
    let (arrivals, starts, ends) = (Journal<Int>(), Journal<Int>(), Journal<Int>())
    let told = await Cast.play(3, on: clock, cancelling: victim) { number in
      await Self.told {
        arrivals.note(number)
        return try await bulkhead.run {
          starts.note(number)
          let inside = starts.all.count - ends.all.count
          await Task.yield()
          ends.note(number)
          return inside == 1 ? "done" : "\(inside) inside"
        }
      }
    }
    let served = arrivals.all.filter { starts.all.contains($0) }
    try Broken.unless(!told.contains("2 inside"), "BH-1", "more inside than the limit: \(told)")
    try Broken.unless(starts.all == served, "X-5", "\(starts.all) overtook \(served)")
    return Ending(told, try emptied(bulkhead))
  }

  private static func told(_ call: () async throws -> String) async -> String {
    do { return try await call() } catch is CancellationError { return "cancelled" } catch {
      return "refused"
    }
  }

  private static func emptied(
    _ bulkhead: Resilience.Bulkhead
  ) throws -> Resilience.Bulkhead.Totals {
    let snapshot = bulkhead.snapshot()
    try Broken.unless(snapshot.inFlight == 0 && snapshot.waiting == 0, "X-4", "\(snapshot)")
    return snapshot.totals
  }
}
