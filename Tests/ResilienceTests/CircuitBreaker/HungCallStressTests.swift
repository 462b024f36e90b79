import Testing

@testable import Resilience

@Suite("Many threads on one breaker that watches for calls that hang")
struct HungCallStressTests {
  /// What the callers of a breaker know of their calls.
  private struct Known: Sendable {
    var admitted = 0
    var rejected = 0
  }

  @Test(
    "X-4, CB-16: however threads start and end calls, each leaves nothing behind when it ends",
    arguments: [
      CircuitBreaker.Window.sinceTransition, .rolling(.milliseconds(50)), .calls(20),
    ])
  func keepsEveryCall(window: CircuitBreaker.Window) async {
    let clock = SteppedClock()
    let breaker = CircuitBreaker(
      "any",
      tripping: .any(
        .consecutiveFailures(9, lasting: .milliseconds(4)), .failureRate(0.9, minimumCalls: 20),
        .when { $0.hung > 12 }),
      over: window, hungAfter: .milliseconds(1), hungCalls: 6,
      recovery: .init(openFor: .milliseconds(1), probes: 2, probation: .milliseconds(5)),
      clock: clock, seed: 16)

    let known = await withTaskGroup { group in
      for thread in 0..<4 {
        group.addTask { await Self.call(breaker, clock, Dice(seed: UInt64(thread))) }
      }
      return await group.reduce(into: Known()) { known, thread in
        known.admitted += thread.admitted
        known.rejected += thread.rejected
      }
    }

    let snapshot = breaker.snapshot()
    let totals = snapshot.totals
    #expect(snapshot.running == 0 && snapshot.counts.inFlight == 0 && snapshot.counts.hung == 0)
    #expect(totals.rejected == known.rejected)
    // A probe that lost its lease counts as a failure, and once more when it ends: as late.
    let ended = totals.successes + totals.failures + totals.ignored + totals.late
    #expect(ended >= known.admitted && ended <= known.admitted + totals.reopenings)
    #expect(totals.trips > 0 && totals.reopenings > 0 && totals.late > 0, "\(totals)")
    // Nothing of it is left.
    breaker.reset()
    let call = Call(breaker)
    #expect(breaker.snapshot().counts.hung == 0)
    clock.advance(by: .seconds(1))
    #expect(breaker.snapshot().counts.hung == 1)
    call.succeed()
  }

  /// Keeps some calls in flight, and ends them in any order.
  private static func call(
    _ breaker: CircuitBreaker, _ clock: SteppedClock, _ dice: Dice
  ) async -> Known {
    var dice = dice
    var known = Known()
    var calls: [Call] = []
    for step in 0..<6_000 {
      switch Int.random(in: 0..<10, using: &dice) {
      case ..<4 where calls.count < 8:
        let call = Call(breaker)
        if call.isAdmitted { calls.append(call) }
        known.admitted += call.isAdmitted ? 1 : 0
        known.rejected += call.isAdmitted ? 0 : 1
      case ..<8:
        guard let place = calls.indices.randomElement(using: &dice) else { continue }
        calls.remove(at: place).end(outcome(&dice, isFoul: step / 300 % 2 == 1))
      default:
        clock.advance(by: .microseconds(Int.random(in: 0...120, using: &dice)))
        let counts = breaker.snapshot().counts
        if !(0...counts.inFlight ~= counts.hung) { Issue.record("\(counts)") }
      }
      if step % 16 == 0 { await Task.yield() }
    }
    for call in calls { call.end(.success) }
    return known
  }

  private static func outcome(_ dice: inout Dice, isFoul: Bool) -> Outcome {
    let number = Int.random(in: 0..<100, using: &dice)
    return number < 15 ? .ignored : number < (isFoul ? 100 : 40) ? .failure : .success
  }
}
