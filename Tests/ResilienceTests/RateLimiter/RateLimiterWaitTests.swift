import Resilience
import ResilienceTesting
import Testing

@Suite("Rate limiter: waiting")
struct RateLimiterWaitTests {
  @Test("X-5: who waits is served in the order of coming, each as its token comes")
  func order() async throws {
    try await withVirtualTime { clock in
      let gate = Gate(burst: 2, maxWait: .seconds(10), on: clock)
      gate.takeAll()
      await withTaskGroup(of: Void.self) { group in
        for name in ["a", "b", "c"] { await group.start(gate, name) }
        #expect(gate.waiting == 3)
        await clock.advance(by: .seconds(10))
      }
      #expect(gate.takeNotes() == ["a at 1.0", "b at 2.0", "c at 3.0"])
      #expect(gate.totals == .init(admitted: 5, waited: 3, noTokens: 1))
      #expect(clock.sleeperCount == 0)
      #expect(
        gate.told == ["rejected (no tokens in time)"]
          + (1...3).map { "served after \(Duration.seconds($0))" })
    }
  }

  @Test("X-5: nobody who comes later overtakes, not even for one token that is there")
  func noBarging() async throws {
    try await withVirtualTime { clock in
      let gate = Gate(burst: 3, maxWait: .seconds(10), on: clock)
      gate.takeAll()
      await withTaskGroup(of: Void.self) { group in
        await group.start(gate, "three", 3)
        await clock.advance(by: .milliseconds(1500))
        #expect(gate.available == 1)
        #expect(!gate.limiter.tryAcquire())
        await group.start(gate, "one")
        #expect(gate.waiting == 2)
        await clock.advance(by: .seconds(10))
      }
      #expect(gate.takeNotes() == ["three at 3.0", "one at 4.0"])
    }
  }

  @Test("RL-3: a wait that does not fit is refused at once, with when to come back")
  func doomed() async throws {
    try await withVirtualTime { clock in
      let gate = Gate(maxWait: .seconds(2), on: clock)
      gate.takeAll()
      await withTaskGroup(of: Void.self) { group in
        await group.start(gate, "a")
        // A wait of exactly as long as it may be.
        await group.start(gate, "b")
        let error = await gate.refusal()
        #expect(error?.reason == .noTokens)
        #expect(error?.retryAfter == .seconds(1))
        #expect(await gate.refusal(maxWait: .zero)?.retryAfter == .seconds(3))
        #expect(await gate.refusal(maxWait: .milliseconds(2999))?.retryAfter == .milliseconds(1))
        #expect(clock.now.offset == .zero)
        // Then it fits.
        await clock.advance(by: .seconds(1))
        await group.start(gate, "c")
        await clock.advance(by: .seconds(10))
      }
      #expect(gate.takeNotes() == ["a at 1.0", "b at 2.0", "c at 3.0"])
    }
  }

  @Test("RL-3: an acquire that cannot succeed does not park for its patience (resilience4j 1.5)")
  func parked() async throws {
    try await withVirtualTime { clock in
      let gate = Gate(.init(1, per: .seconds(3600)), on: clock)
      gate.takeAll()
      let error = await gate.refusal(maxWait: .milliseconds(300))
      #expect(error?.reason == .noTokens)
      #expect(error?.retryAfter == .seconds(3600) - .milliseconds(300))
      #expect(clock.now.offset == .zero)
      #expect(clock.sleeperCount == 0)
    }
  }

  @Test("RL-3: the deadline bounds the wait; who would be served at it is refused")
  func deadline() async throws {
    try await withVirtualTime { clock in
      let gate = Gate(maxWait: .seconds(60), on: clock)
      gate.takeAll()
      for (limit, isServed) in [(Duration.seconds(1), false), (.seconds(1) + .tick, true)] {
        let error = try await Deadline(in: limit, clock: clock).run { await gate.refusal() }
        #expect(error?.reason == (isServed ? nil : .deadlineExpired))
        // When its token is there: with another deadline that would do.
        #expect(error?.retryAfter == (isServed ? nil : .seconds(1)))
        #expect(clock.now.offset == (isServed ? .seconds(1) : .zero))
      }
      #expect(gate.totals == .init(admitted: 2, waited: 1, noTokens: 1, deadlineExpired: 1))
    }
  }

  @Test("RL-3: a deadline that is later than its patience does not matter")
  func laterDeadline() async throws {
    try await withVirtualTime { clock in
      let gate = Gate(maxWait: .milliseconds(500), on: clock)
      gate.takeAll()
      let error = try await Deadline(in: .seconds(5), clock: clock).run { await gate.refusal() }
      #expect(error?.reason == .noTokens)
      #expect(error?.retryAfter == .milliseconds(500))
    }
  }

  @Test("RL-3: a negative patience is none")
  func negativePatience() async throws {
    try await withVirtualTime { clock in
      let gate = Gate(maxWait: .seconds(60), on: clock)
      gate.takeAll()
      #expect(await gate.refusal(maxWait: .seconds(-1))?.retryAfter == .seconds(1))
    }
  }

  @Test("X-4: run waits, then runs; a refusal carries one word and is shared until the next token")
  func run() async throws {
    try await withVirtualTime { clock in
      let gate = Gate(maxWait: .seconds(1), on: clock)
      gate.takeAll()
      let value = try await gate.limiter.run { clock.now.offset }
      #expect(value == .seconds(1))
      #expect(MemoryLayout<RateLimitedError>.size == MemoryLayout<Int>.size)
    }
  }
}
