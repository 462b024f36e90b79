import Testing

@Suite("The rate limiter, in every order of its steps")
struct LimiterStepTests {
  @Test("RL-2: of three calls one gets the one token there is")
  func burst() {
    let exploration = explored([Self.take, Self.take, Self.take])
    #expect(exploration.flaw == nil)
    #expect(exploration.states == 1_200)
    #expect(
      exploration.endings == [
        Ending(["taken", "refused", "refused"], .init(admitted: 1, noTokens: 2)),
        Ending(["refused", "taken", "refused"], .init(admitted: 1, noTokens: 2)),
        Ending(["refused", "refused", "taken"], .init(admitted: 1, noTokens: 2)),
      ])
  }

  @Test("RL-6: a change of the burst in the middle of a call gives out nothing twice")
  func change() {
    let exploration = explored([Self.take, Self.take, Self.grow])
    #expect(exploration.flaw == nil)
    #expect(exploration.states == 8_918)
    #expect(
      exploration.endings == [
        Ending(["taken", "refused", "grown"], .init(admitted: 1, noTokens: 1)),
        Ending(["refused", "taken", "grown"], .init(admitted: 1, noTokens: 1)),
      ])
  }

  @Test("RL-5: a token is taken or drained, not both")
  func drain() {
    let exploration = explored([Self.take, Self.take, Self.drain])
    #expect(exploration.flaw == nil)
    #expect(exploration.states == 3_416)
    #expect(
      exploration.endings == [
        Ending(["taken", "refused", "drained"], .init(admitted: 1, noTokens: 1)),
        Ending(["refused", "taken", "drained"], .init(admitted: 1, noTokens: 1)),
        Ending(["refused", "refused", "drained"], .init(noTokens: 2)),
      ])
  }

  @Test("a machine that breaks its promises is found out")
  func faults() throws {
    let threads = [Self.take, Self.take]
    let sound = explored(threads)
    let found = explored(threads, on: .compareExchangeInHalves, allowing: sound.endings)
    let counterexample = try #require(found.counterexample)
    #expect(counterexample.steps.count == 14, "\(counterexample)")
  }
}

extension LimiterStepTests {
  fileprivate struct Ending: Hashable, Sendable {
    let told: [String]
    let available: Int
    let totals: RateLimiter.Totals

    init(_ told: [String], available: Int = 0, _ totals: RateLimiter.Totals) {
      (self.told, self.available, self.totals) = (told, available, totals)
    }
  }

  private typealias Thread = @Sendable (RateLimiter) -> String

  private static let take: Thread = { limiter in limiter.tryAcquire() ? "taken" : "refused" }

  private static let grow: Thread = { limiter in
    limiter.setRate(.perSecond(1), burst: 2)
    return "grown"
  }

  private static let drain: Thread = { limiter in
    limiter.drain()
    return "drained"
  }

  private func explored(
    _ threads: [Thread], on fault: Machine.Fault = .none, allowing allowed: Set<Ending>? = nil
  ) -> StepExploration<Ending> {
    let program = StepProgram(
      subject: { RateLimiter("users", .perSecond(1), burst: 1, clock: StillClock()) },
      threads: threads.map { thread in { limiter in thread(limiter) } },
      ending: { limiter, told in
        let snapshot = limiter.snapshot()
        return Ending(told, available: snapshot.available, snapshot.totals)
      },
      allows: { allowed?.contains($0) ?? true })
    return program.explored(on: fault)
  }
}
