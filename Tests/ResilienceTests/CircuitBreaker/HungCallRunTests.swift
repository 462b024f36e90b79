import ResilienceTesting
import Testing

@testable import Resilience

@Suite("Circuit breaker: calls that hang, as a caller meets them")
struct HungCallRunTests {
  private struct Outcomes: Sendable {
    var firstRefusal: Duration?
    var waitedInVain = 0
  }

  struct Watch: Sendable {
    let hungAfter: Duration?
    let opensAt: Duration
    let waitInVain: Int
  }

  /// Ten calls a second, and a dependency that does not answer any more from 5 s on.
  @Test(
    "CB-16: a dependency that only hangs opens the circuit after `hungAfter`, not after its timeouts",
    arguments: [
      Watch(hungAfter: nil, opensAt: .milliseconds(15_600), waitInVain: 106),
      Watch(hungAfter: .milliseconds(500), opensAt: .milliseconds(5_700), waitInVain: 7),
    ])
  func blackHole(_ watch: Watch) async throws {
    let outcomes = try await withVirtualTime { clock in
      let breaker = CircuitBreaker("users", hungAfter: watch.hungAfter, clock: clock, seed: 1)
      return await withTaskGroup { group in
        for number in 0..<160 {
          group.addTask {
            let arrival = Duration.milliseconds(100 * number)
            try? await clock.sleep(for: arrival)
            do {
              try await breaker.run {
                guard arrival >= .seconds(5) else { return }
                try await clock.sleep(for: .seconds(10))
                throw TimeoutError(limit: .seconds(10))
              }
              return (nil as Duration?, false)
            } catch is CircuitOpenError {
              return (arrival, false)
            } catch {
              return (nil, true)
            }
          }
        }
        return await group.reduce(into: Outcomes()) { outcomes, call in
          outcomes.firstRefusal = [outcomes.firstRefusal, call.0].compactMap(\.self).min()
          outcomes.waitedInVain += call.1 ? 1 : 0
        }
      }
    }
    #expect(outcomes.firstRefusal == watch.opensAt)
    // And the probes of ten seconds.
    let probes = outcomes.waitedInVain - watch.waitInVain
    #expect((0...10).contains(probes))
  }

  @Test("CB-16: 100 000 calls that hang open the circuit, and each is accounted for when it ends")
  func manyHang() {
    let count = 100_000
    let circuit = Circuit(
      .unobserved, tripping: .never, hungAfter: .milliseconds(500), hungCalls: count)
    var calls: [Call] = []
    for number in 1..<count {
      calls += circuit.start()
      if number % 100 == 0 { circuit.advance(by: .microseconds(100)) }
    }
    circuit.advance(by: .seconds(1))
    calls += circuit.start()
    #expect(circuit.counts == .init(inFlight: count, hung: count - 1))
    #expect(circuit.state == .closed)
    circuit.advance(by: .seconds(1))
    circuit.expectRefused()
    for call in calls { call.fail() }
    #expect(circuit.counts == .init(rejected: 1, late: count))
    #expect(circuit.running == 0)
  }

  @Test(
    "CB-16, CB-24: where nothing watches, nothing is kept, and calls are counted without the lock")
  func costsNothingWhereOff() throws {
    let plain = CircuitBreaker("users")
    #expect(try plain.admit().ticket == .stripe(0))
    #expect(plain.reading { core, _ in core.watch.isEmpty })
    let watching = CircuitBreaker("users", hungAfter: .seconds(1))
    #expect(try watching.admit().ticket == .watched(after: 0))
  }

  @Test("PL-2, CB-16: the settings say so")
  func description() {
    let breaker = CircuitBreaker(
      "users", tripping: .consecutiveFailures(5), over: .sinceTransition,
      hungAfter: .milliseconds(500), hungCalls: 3)
    #expect(
      breaker.layers.map(\.settings) == [
        "trips at 5 failures in a row or 3 calls hung after 0.5 seconds, "
          + "over since the last transition; \(CircuitBreaker.Recovery())"
      ])
  }
}
