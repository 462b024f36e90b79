import Testing

@Suite("The breaker, in every order of its steps")
struct BreakerStepTests {
  @Test("CB-10: two successes are counted, each once")
  func successes() {
    let exploration = BreakerSteps(.succeed, .succeed).explored()
    #expect(exploration.flaw == nil)
    #expect(exploration.states == 322)
    #expect(
      exploration.endings == [
        Ending(
          ["success in 0", "success in 0"], .closed, .init(successes: 2),
          .init(successes: 2, consecutiveSuccesses: 2))
      ])
  }

  @Test("CB-6: a success before the opening is counted, and one after it is late")
  func opening() {
    let exploration = BreakerSteps(.succeed, .fail).explored()
    #expect(exploration.flaw == nil)
    #expect(exploration.states == 2_310)
    #expect(
      exploration.endings == [
        Ending(
          ["success in 0", "failure in 0"], .open, .init(successes: 1, failures: 1, trips: 1)),
        Ending(
          ["success in 0", "failure in 0"], .open, .init(failures: 1, late: 1, trips: 1),
          .init(late: 1)),
        Ending(
          ["refused", "failure in 0"], .open, .init(failures: 1, rejected: 1, trips: 1),
          .init(rejected: 1)),
      ])
  }

  @Test("CB-14: over an opening and a reset nothing is lost, counted twice, or counted elsewhere")
  func openingAndReset() {
    let exploration = BreakerSteps(.succeed, .fail, .reset).explored()
    #expect(exploration.flaw == nil)
    #expect(exploration.states == 29_325)
    #expect(exploration.endings == Self.openingsAndResets)
  }

  @Test("CB-19: a reset of a closed circuit clears its counts, and calls in flight still count")
  func reset() {
    let exploration = BreakerSteps(.succeed, .reset).explored()
    #expect(exploration.flaw == nil)
    #expect(exploration.states == 129)
    #expect(
      exploration.endings == [
        Ending(["success in 0", "reset"], .closed, .init(successes: 1)),
        Ending(
          ["success in 0", "reset"], .closed, .init(successes: 1),
          .init(successes: 1, consecutiveSuccesses: 1)),
      ])
  }

  @Test("X-4: an abandoned call gives its place back, on either side of the opening")
  func abandoned() {
    let exploration = BreakerSteps(.abandon, .fail).explored()
    #expect(exploration.flaw == nil)
    #expect(exploration.states == 1_363)
    #expect(
      exploration.endings == [
        Ending(["ignored in 0", "failure in 0"], .open, .init(failures: 1, ignored: 1, trips: 1)),
        Ending(
          ["ignored in 0", "failure in 0"], .open, .init(failures: 1, late: 1, trips: 1),
          .init(late: 1)),
        Ending(
          ["refused", "failure in 0"], .open, .init(failures: 1, rejected: 1, trips: 1),
          .init(rejected: 1)),
      ])
  }

  @Test("CB-3, CB-4: of two calls that find an open period over, one is the probe")
  func probes() {
    let exploration = BreakerSteps(.succeed, .succeed, isProbing: true).explored()
    #expect(exploration.flaw == nil)
    #expect(exploration.states == 203)
    let together = CircuitBreaker.Totals(successes: 1, rejected: 1, trips: 1)
    let inTurn = CircuitBreaker.Totals(successes: 2, trips: 1)
    let counted = CircuitBreaker.Counts(successes: 1, consecutiveSuccesses: 1)
    #expect(
      exploration.endings == [
        Ending(["success in 2", "refused"], .closed, together, .init(rejected: 1)),
        Ending(["refused", "success in 2"], .closed, together, .init(rejected: 1)),
        Ending(["success in 2", "success in 3"], .closed, inTurn, counted),
        Ending(["success in 3", "success in 2"], .closed, inTurn, counted),
      ])
  }

  @Test(
    "a machine that breaks its promises is found out",
    arguments: [
      (Machine.Fault.compareExchangeInHalves, BreakerSteps(.succeed, .succeed), 18),
      (.exchangeInHalves, BreakerSteps(.succeed, .fail), 24),
      (.changeInHalves, BreakerSteps(.succeed, .fail), 24),
      (.tagNotCompared, BreakerSteps(.succeed, .fail, .reset), 35),
    ])
  func faults(fault: Machine.Fault, program: BreakerSteps, steps: Int) throws {
    let sound = program.explored()
    let found = program.explored(on: fault, allowing: sound.endings).counterexample
    let counterexample = try #require(found)
    #expect(counterexample.steps.count == steps, "\(counterexample)")
  }

  private typealias Ending = BreakerSteps.Ending

  private static let openingsAndResets: Set<Ending> = [
    // The reset comes first, or last, or the call that fails is in between.
    Ending(
      ["success in 0", "failure in 0", "reset"], .open,
      .init(successes: 1, failures: 1, trips: 1)),
    Ending(
      ["success in 0", "failure in 0", "reset"], .open, .init(failures: 1, late: 1, trips: 1),
      .init(late: 1)),
    Ending(
      ["success in 0", "failure in 0", "reset"], .closed,
      .init(successes: 1, failures: 1, trips: 1)),
    Ending(
      ["success in 0", "failure in 0", "reset"], .closed, .init(failures: 1, late: 1, trips: 1),
      .init(late: 1)),
    // The circuit was open, or has been and is closed again.
    Ending(
      ["refused", "failure in 0", "reset"], .open, .init(failures: 1, rejected: 1, trips: 1),
      .init(rejected: 1)),
    Ending(
      ["refused", "failure in 0", "reset"], .closed, .init(failures: 1, rejected: 1, trips: 1),
      .init(rejected: 1)),
    Ending(
      ["success in 2", "failure in 0", "reset"], .closed,
      .init(successes: 1, failures: 1, trips: 1), .init(successes: 1, consecutiveSuccesses: 1)),
  ]
}
