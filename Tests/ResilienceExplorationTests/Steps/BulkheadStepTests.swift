import Testing

@Suite("The bulkhead, in every order of its steps")
struct BulkheadStepTests {
  @Test("BH-1, X-5: of two calls one waits if they meet, and is woken")
  func two() {
    let exploration = BulkheadSteps(.call, .call).explored()
    #expect(exploration.flaw == nil)
    #expect(exploration.states == 304)
    #expect(
      exploration.endings == [
        Ending(["1 inside", "1 inside"], .init(admitted: 2)),
        Ending(["1 inside", "1 inside"], .init(admitted: 2, waited: 1)),
      ])
  }

  @Test("X-4, X-5: of three calls that meet one is refused, and nobody sleeps for ever")
  func three() {
    let exploration = BulkheadSteps(.call, .call, .call).explored()
    #expect(exploration.flaw == nil)
    #expect(exploration.states == 18_152)
    #expect(
      exploration.endings == [
        Ending(["1 inside", "1 inside", "1 inside"], .init(admitted: 3)),
        Ending(["1 inside", "1 inside", "1 inside"], .init(admitted: 3, waited: 1)),
        Ending(["1 inside", "1 inside", "1 inside"], .init(admitted: 3, waited: 2)),
        Ending(["refused", "1 inside", "1 inside"], .init(admitted: 2, waited: 1, full: 1)),
        Ending(["1 inside", "refused", "1 inside"], .init(admitted: 2, waited: 1, full: 1)),
        Ending(["1 inside", "1 inside", "refused"], .init(admitted: 2, waited: 1, full: 1)),
      ])
  }

  @Test("X-4: a call that is cancelled as it is served has its place, or holds nothing")
  func cancellation() {
    let exploration = BulkheadSteps(.call, .cancellableCall, .cancel).explored()
    #expect(exploration.flaw == nil)
    #expect(exploration.states == 1_362)
    #expect(
      exploration.endings == [
        Ending(["1 inside", "1 inside", "nobody waits"], .init(admitted: 2)),
        Ending(["1 inside", "1 inside", "nobody waits"], .init(admitted: 2, waited: 1)),
        Ending(["1 inside", "1 inside", "cancels"], .init(admitted: 2, waited: 1)),
        Ending(["1 inside", "cancelled", "cancels"], .init(admitted: 1, cancelled: 1)),
      ])
  }

  @Test("BH-4: growth serves whoever waits, and nobody who came first is overlooked")
  func growth() {
    let exploration = BulkheadSteps(.call, .call, .grow).explored()
    #expect(exploration.flaw == nil)
    #expect(exploration.states == 30_760)
    let headcounts = [
      ["1 inside", "1 inside"], ["1 inside", "2 inside"], ["2 inside", "1 inside"],
    ]
    #expect(
      exploration.endings
        == Set(
          headcounts.flatMap { told in
            [0, 1].map { waited in
              Ending(told + ["grown"], limit: 2, .init(admitted: 2, waited: waited))
            }
          }))
  }

  @Test(
    "a machine that breaks its promises is found out",
    arguments: [
      (Machine.Fault.compareExchangeInHalves, BulkheadSteps(.call, .call), 14),
      (.changeInHalves, BulkheadSteps(.call, .call), 16),
    ])
  func faults(fault: Machine.Fault, program: BulkheadSteps, steps: Int) throws {
    let sound = program.explored()
    let found = program.explored(on: fault, allowing: sound.endings).counterexample
    let counterexample = try #require(found)
    #expect(counterexample.steps.count == steps, "\(counterexample)")
  }

  private typealias Ending = BulkheadSteps.Ending
}
