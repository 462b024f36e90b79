import Resilience
import ResilienceTesting
import Testing

@testable import ResilienceSimulation

@Suite("Changes of circuits' states")
struct StateChangeTests {
  /// Circuit breakers that one failure opens for exactly 10 s, on a client's clock.
  private final class Bench: ResilienceObserver {
    let base = VirtualClock()
    let clock: ClientClock
    private let changes = ResilienceSimulation.Lock(StateChanges())
    private let isAfterwards = ResilienceSimulation.Lock(false)

    init() { clock = ClientClock(base) }

    func breaker(_ name: String = "a") -> CircuitBreaker {
      CircuitBreaker(
        name, tripping: .consecutiveFailures(1),
        recovery: .init(openFor: .constant(.seconds(10))), clock: clock, seed: 1,
        observers: [self])
    }

    func observe(_ event: any ResilienceEvent) {
      guard let event = event as? CircuitBreaker.Event, case .stateChanged(let change) = event.kind
      else { return }
      let isAfterwards = isAfterwards.withLock { $0 }
      changes.withLock {
        $0.note(change, of: event.policy, isAfterwards: isAfterwards, at: base.now)
      }
    }

    func endTrouble() { isAfterwards.withLock { $0 = true } }

    /// Trips, those afterwards, failed probes, those afterwards, early probes.
    var counts: [Int] {
      let counts = changes.withLock { $0.counts }
      return [
        counts.trips, counts.tripsAfterwards, counts.failedProbes, counts.failedProbesAfterwards,
        counts.earlyProbes,
      ]
    }
  }

  private static func fail(_ breaker: CircuitBreaker) throws {
    guard let permit = breaker.tryAcquire() else { throw Unadmitted() }
    permit.fail()
  }

  private static func succeed(_ breaker: CircuitBreaker) throws {
    guard let permit = breaker.tryAcquire() else { throw Unadmitted() }
    permit.succeed()
  }

  private struct Unadmitted: Error {}

  @Test("a closed circuit that opens is a trip, a half-open one a failed probe")
  func trips() throws {
    let bench = Bench()
    let breaker = bench.breaker()
    try Self.fail(breaker)
    #expect(bench.counts == [1, 0, 0, 0, 0])
    bench.base.advance(by: .seconds(10))
    try Self.fail(breaker)
    #expect(bench.counts == [1, 0, 1, 0, 0])
    bench.base.advance(by: .seconds(10))
    try Self.succeed(breaker)
    #expect(breaker.state == .closed)
    #expect(bench.counts == [1, 0, 1, 0, 0])
  }

  @Test("after the trouble they are counted once more")
  func afterwards() throws {
    let bench = Bench()
    let (one, other) = (bench.breaker("a"), bench.breaker("b"))
    try Self.fail(one)
    bench.endTrouble()
    bench.base.advance(by: .seconds(10))
    try Self.fail(one)
    try Self.fail(other)
    #expect(bench.counts == [2, 1, 1, 1, 0])
  }

  @Test("a probe before the end of the open period is early")
  func early() throws {
    let bench = Bench()
    let breaker = bench.breaker()
    try Self.fail(breaker)
    bench.base.advance(by: .seconds(9))
    // Moves the end without announcing it: the only way to make a breaker probe too soon.
    breaker.trip(for: .zero)
    try Self.fail(breaker)
    #expect(bench.counts == [1, 0, 1, 0, 1])
    bench.base.advance(by: .seconds(10))
    try Self.succeed(breaker)
    #expect(bench.counts == [1, 0, 1, 0, 1])
  }

  @Test("a probe is not early whose open period is over by the client's clock, which has jumped")
  func steppedForward() throws {
    let bench = Bench()
    let breaker = bench.breaker()
    try Self.fail(breaker)
    bench.clock.step(by: .seconds(3_600))
    try Self.succeed(breaker)
    #expect(bench.counts == [1, 0, 0, 0, 0])
  }

  @Test("nor is one whose open period is over by the real clock alone")
  func steppedBack() throws {
    let bench = Bench()
    let breaker = bench.breaker()
    try Self.fail(breaker)
    bench.clock.step(by: .seconds(-3_600))
    bench.base.advance(by: .seconds(10))
    breaker.trip(for: .zero)
    try Self.succeed(breaker)
    #expect(bench.counts == [1, 0, 0, 0, 0])
  }

  @Test("a person who closes an open circuit sends no probe")
  func reset() throws {
    let bench = Bench()
    let breaker = bench.breaker()
    try Self.fail(breaker)
    breaker.reset()
    #expect(breaker.state == .closed)
    #expect(bench.counts == [1, 0, 0, 0, 0])
  }

  @Test("each breaker has its own open period")
  func several() throws {
    let bench = Bench()
    let (one, other) = (bench.breaker("a"), bench.breaker("b"))
    try Self.fail(one)
    bench.base.advance(by: .seconds(9))
    try Self.fail(other)
    bench.base.advance(by: .seconds(1))
    try Self.succeed(one)
    #expect(bench.counts == [2, 0, 0, 0, 0])
  }
}
