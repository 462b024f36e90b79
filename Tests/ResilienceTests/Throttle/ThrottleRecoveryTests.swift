import ResilienceTesting
import Testing

@testable import Resilience

@Suite("Throttle: coming back", .timeLimit(.minutes(20)))
struct ThrottleRecoveryTests {
  @Test(
    "TH-1: 95 % are answered within four windows after an outage of a minute",
    arguments: [20, 50, 200], [1, 2, 3])
  func recovery(perSecond: Int, seed: Int) {
    let traffic = Traffic(perSecond: perSecond, seed: UInt64(seed))
    #expect(traffic.call(for: .seconds(20), isHealthy: true) == 1)
    traffic.call(for: .seconds(60), isHealthy: false)
    traffic.call(for: .seconds(35), isHealthy: true)
    #expect(traffic.call(for: .seconds(5), isHealthy: true) >= 0.95)
    #expect(traffic.throttle.snapshot().rejectionShare == 0)
  }

  @Test("TH-1: in an outage a tenth of the calls gets through", arguments: 1...5)
  func outage(seed: Int) {
    let traffic = Traffic(perSecond: 100, seed: UInt64(seed))
    traffic.call(for: .seconds(20), isHealthy: true)
    traffic.call(for: .seconds(20), isHealthy: false)
    let before = traffic.throttle.snapshot().totals.failures
    traffic.call(for: .seconds(40), isHealthy: false)
    let failures = traffic.throttle.snapshot().totals.failures - before
    #expect((340...460).contains(failures))
  }

  @Test("TH-1: without a limit it locks the dependency out long after it is well", arguments: 1...2)
  func lockOut(seed: Int) {
    let traffic = Traffic(perSecond: 500, maxRejection: 1, seed: UInt64(seed))
    traffic.call(for: .seconds(20), isHealthy: true)
    traffic.call(for: .seconds(60), isHealthy: false)
    #expect(traffic.call(for: .seconds(40), isHealthy: true) < 0.5)
  }

  @Test("TH-1: a dependency that answers half of its calls is left alone")
  func half() {
    let traffic = Traffic(perSecond: 100, seed: 1)
    var answered = 0
    for call in 0..<1_000 {
      guard let permit = traffic.throttle.tryAcquire() else { continue }
      answered += 1
      if call.isMultiple(of: 2) { permit.succeed() } else { permit.fail() }
      traffic.clock.advance(by: .milliseconds(10))
    }
    #expect(answered == 1_000)
  }

  @Test("TH-1: calls that hang until their timeout are seen as soon as the first one fails")
  func hanging() async throws {
    try await withVirtualTime { clock in
      let throttle = Throttle(clock: clock, seed: 1)
      let pipeline = Pipeline {
        throttle
        Timeout(.seconds(5), clock: clock)
      }
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<100 {
          group.addTask {
            try? await pipeline.run { try await clock.sleep(for: .seconds(3600)) }
          }
          await clock.advance(by: .milliseconds(50))
        }
        #expect(throttle.snapshot().totals.rejected == 0)
        await clock.advance(by: .milliseconds(100))
        let snapshot = throttle.snapshot()
        #expect(snapshot.totals.failures == 3)
        #expect(snapshot.inFlight == 97)
        #expect(snapshot.requests == 100)
        #expect(snapshot.rejectionShare == 0.9)
        group.cancelAll()
      }
      #expect(throttle.snapshot().inFlight == 0)
    }
  }
}
