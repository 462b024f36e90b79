import ResilienceTesting
import Testing

@testable import Resilience

/// Defects of others. One of them does not even compile here: to give back what one does not hold
/// (failsafe Q3, which waits for ever; resilience4j, which then admits more than its limit). There is
/// no such method; a place is given back by the permit that holds it, which is consumed.
@Suite("Bulkhead: what others got wrong", .timeLimit(.minutes(20)))
struct BulkheadAnchorTests {
  struct Mishap: Error {}

  @Test("an operation that fails in the middle gives its place back (failsafe P02)")
  func failing() async throws {
    try await withVirtualTime { clock in
      let bulkhead = Bulkhead(limit: 1, clock: clock)
      for _ in 1...10 {
        await #expect(throws: Mishap.self) {
          try await bulkhead.run {
            try await clock.sleep(for: .seconds(1))
            throw Mishap()
          }
        }
      }
      #expect(bulkhead.snapshot().inFlight == 0)
      #expect(bulkhead.snapshot().totals == .init(admitted: 10))
    }
  }

  @Test("a full bulkhead inside does not open a circuit breaker (failsafe P24)")
  func insideBreaker() async throws {
    try await withVirtualTime { clock in
      let breaker = CircuitBreaker("users", clock: clock)
      let bulkhead = Bulkhead(limit: 1, queue: 1, maxWait: .milliseconds(1), clock: clock)
      let occupants = Occupants(bulkhead, 1, #_sourceLocation)
      for call in 0..<1000 {
        let error = await #expect(throws: BulkheadFullError.self) {
          try await breaker.run { try await bulkhead.run {} }
        }
        #expect(error?.reason == .waitedTooLong, "\(call)")
      }
      #expect(breaker.state == .closed)
      #expect(breaker.snapshot().counts == .init(ignored: 1000))
      occupants.leave()
    }
  }

  /// When the deadline of a call passes, on its way into a full bulkhead.
  enum Passing: CaseIterable, Sendable {
    case before, whileItWaits, asItIsServed
  }

  @Test(
    "nor does one that makes calls wait until their deadline cancels them",
    arguments: Passing.allCases)
  func cancelledByDeadline(_ passing: Passing) async throws {
    try await withVirtualTime { clock in
      let breaker = CircuitBreaker("users", clock: clock)
      let hull = Hull(on: clock)
      let occupants = hull.occupy()
      // The deadline's clock is its own, so that the timer of the bulkhead does not come first.
      let other = VirtualClock()
      let task = Task(executorPreference: clock.executor) {
        try? await Deadline(in: .seconds(1), clock: other).run {
          if passing == .before { try? await clock.sleep(for: .seconds(2)) }
          do {
            try await breaker.run { try await hull.bulkhead.run { hull.note("runs") } }
          } catch let error as BulkheadFullError { hull.note("\(error.reason)") }
        }
      }
      await clock.advance(by: .milliseconds(500))
      if passing == .asItIsServed { occupants.leave() }
      other.jump(by: .seconds(1))
      task.cancel()
      await task.value
      #expect(hull.log == ["0.5 seconds: the deadline has passed"])
      #expect(breaker.snapshot().counts == .init(ignored: 1))
      #expect(
        hull.totals
          == (passing == .asItIsServed
            ? .init(admitted: 2, waited: 1, deadlineExpired: 1)
            : .init(admitted: 1, deadlineExpired: 1)))
      if passing != .asItIsServed { occupants.leave() }
      #expect(hull.inFlight == 0)
    }
  }

  @Test("a retry does not repeat what a full bulkhead refuses")
  func insideRetry() async throws {
    let bulkhead = Bulkhead(limit: 1)
    let occupants = Occupants(bulkhead, 1, #_sourceLocation)
    await #expect(throws: BulkheadFullError.self) {
      try await Retry(backoff: .none, budget: nil).run { try await bulkhead.run {} }
    }
    #expect(bulkhead.snapshot().totals.full == 1)
    occupants.leave()
  }

  @Test("a place is held until awaited work has ended, not until it has begun (Kitura)")
  func earlyRelease() async throws {
    try await withVirtualTime { clock in
      let hull = Hull(limit: 2, on: clock)
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<10 {
          group.addTask {
            try? await hull.bulkhead.run {
              async let answer: Void = clock.sleep(for: .seconds(1))
              hull.note("\(hull.inFlight)")
              try await answer
            }
          }
        }
      }
      let later = (1..<5).flatMap { ["\($0).0 seconds: 2", "\($0).0 seconds: 2"] }
      #expect(hull.log == ["0.0 seconds: 1", "0.0 seconds: 2"] + later)
      #expect(clock.now.offset == .seconds(5))
    }
  }

  @Test("shrinking returns at once, however many calls are in flight (resilience4j)")
  func shrinking() async throws {
    try await withVirtualTime { clock in
      let hull = Hull(limit: 3, queue: 3, on: clock)
      let occupants = hull.occupy(3)
      hull.bulkhead.limit = 1
      #expect(hull.bulkhead.limit == 1)
      #expect(hull.inFlight == 3)
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await hull.call("a") }
        for inFlight in [2, 1] {
          await clock.advance(by: .seconds(1))
          occupants.leave()
          #expect(hull.inFlight == inFlight)
          #expect(hull.waiting == 1)
          #expect(!hull.hasRoom())
        }
        await clock.advance(by: .seconds(1))
        occupants.leave()
        #expect(hull.inFlight == 1 && hull.waiting == 0)
        await group.waitForAll()
      }
      #expect(hull.log == ["3.0 seconds: a runs"])
      #expect(hull.inFlight == 0)
    }
  }
}
