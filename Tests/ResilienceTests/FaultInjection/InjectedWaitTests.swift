import ResilienceTesting
import Testing

@testable import Resilience

@Suite("Fault injection: latencies and hangs", .timeLimit(.minutes(20)))
struct InjectedWaitTests {
  @Test("FI-1: latencies add up, before the operation or what comes in its place")
  func latencies() async throws {
    try await withVirtualTime { clock in
      let chaos = Chaos(
        [
          .latency(.seconds(1), rate: 1), .latency(.seconds(7), rate: 0),
          .latency(.milliseconds(500), rate: 1),
        ], clock: clock)
      let started = try await chaos.faults.run { clock.now }
      #expect(started == .init(offset: .milliseconds(1_500)))
      #expect(chaos.faults.snapshot() == Chaos.totals(calls: 1, latencies: 1))
      chaos.faults.setFaults([.latency(.seconds(2), rate: 1), .error(rate: 1) { Injected() }])
      #expect(await chaos.call() == "injected 1")
      #expect(clock.now == .init(offset: .milliseconds(3_500)))
      #expect(
        chaos.recorder.descriptions.map { $0.dropFirst("fault injection \"chaos\": ".count) } == [
          "injected a latency of 1.5 seconds", "faults changed",
          "injected a latency of 2.0 seconds", "injected an error (injected 1)",
        ])
    }
  }

  @Test("FI-1: a latency of any length is waited for, and the sum of many does not trap")
  func longLatencies() async throws {
    try await withVirtualTime { clock in
      let longest = Duration(attoseconds: .max)
      let chaos = Chaos(
        [.latency(longest, rate: 1), .latency(longest, rate: 1)], clock: clock)
      try await expectCancelled(chaos, clock, after: .seconds(86_400 * 365))
    }
  }

  @Test("FI-1: cancellation ends a latency at once, and the operation does not run")
  func cancelledLatency() async throws {
    try await withVirtualTime { clock in
      let chaos = Chaos([.latency(.seconds(60), rate: 1)], clock: clock)
      try await expectCancelled(chaos, clock, after: .seconds(5))
      #expect(chaos.faults.snapshot() == Chaos.totals(calls: 1, latencies: 1))
    }
  }

  @Test("FI-1: a call hangs until it is cancelled, and moves no virtual clock")
  func hang() async throws {
    try await withVirtualTime { clock in
      let chaos = Chaos([.hang(rate: 1)], clock: clock)
      try await expectCancelled(chaos, clock, after: .seconds(5))
      #expect(chaos.faults.snapshot() == Chaos.totals(calls: 1, hangs: 1))
      #expect(chaos.recorder.descriptions == ["fault injection \"chaos\": injected a hang"])
    }
  }

  @Test("FI-1: whoever is cancelled before does not hang, wait or run")
  func cancelledBefore() async throws {
    for fault in [FaultInjection.Fault.hang(rate: 1), .latency(.seconds(1), rate: 1)] {
      try await withVirtualTime { clock in
        let chaos = Chaos([fault], clock: clock)
        try await expectCancelled(chaos, clock, after: nil)
      }
    }
  }

  /// A call that waits must end at once when it is cancelled, with nothing left behind.
  private func expectCancelled(
    _ chaos: Chaos, _ clock: VirtualClock, after wait: Duration?
  ) async throws {
    let runs = Shared(0)
    await withTaskGroup(of: Void.self) { group in
      if wait == nil { group.cancelAll() }
      group.addTask {
        do {
          try await chaos.faults.run { runs.value += 1 }
          Issue.record("the call ended")
        } catch { #expect(error is CancellationError) }
        #expect(clock.now == .init(offset: wait ?? .zero))
      }
      guard let wait else { return }
      await clock.advance(by: wait)
      #expect(chaos.faults.snapshot().waiting == 1)
      #expect(!chaos.faults.isEvictable)
      group.cancelAll()
    }
    #expect(runs.value == 0)
    #expect(chaos.faults.snapshot().waiting == 0)
    #expect(chaos.faults.isEvictable)
    #expect(clock.sleeperCount == 0)
  }

  @Test("FI-1: disabling lets the calls that hang go on, those that are late wait out their time")
  func release() async throws {
    try await withVirtualTime { clock in
      let chaos = Chaos([.hang(rate: 1)], clock: clock)
      async let first = chaos.call()
      async let second = chaos.call()
      await clock.advance(by: .seconds(1))
      chaos.faults.setFaults([.latency(.seconds(10), rate: 1)])
      async let late = chaos.call()
      await clock.advance(by: .seconds(1))
      #expect(chaos.faults.snapshot().waiting == 3)
      chaos.faults.isEnabled = false
      #expect(await [first, second] == ["answer", "answer"])
      #expect(clock.now == .init(offset: .seconds(2)))
      #expect(await late == "answer")
      #expect(clock.now == .init(offset: .seconds(11)))
      #expect(
        chaos.faults.snapshot()
          == Chaos.totals(isEnabled: false, calls: 3, latencies: 1, hangs: 2))
    }
  }

  @Test("FI-1: a call that is let go and cancelled at once is cancelled")
  func releasedAndCancelled() async throws {
    try await withVirtualTime { clock in
      let chaos = Chaos([.hang(rate: 1)], clock: clock)
      await withTaskGroup { group in
        group.addTask { #expect(await chaos.call() == "\(CancellationError())") }
        await clock.advance(by: .seconds(1))
        chaos.faults.isEnabled = false
        group.cancelAll()
      }
    }
  }

  @Test("FI-1: a timeout outside ends what is injected")
  func timeout() async throws {
    for fault in [FaultInjection.Fault.hang(rate: 1), .latency(.seconds(60), rate: 1)] {
      try await withVirtualTime { clock in
        let chaos = Chaos([fault], clock: clock)
        let timeout = Timeout(.seconds(2), clock: clock)
        do {
          try await timeout.run { try await chaos.faults.run {} }
          Issue.record("an answer")
        } catch { #expect(error is TimeoutError) }
        #expect(clock.now == .init(offset: .seconds(2)))
        #expect(chaos.faults.snapshot().waiting == 0)
      }
    }
  }

  @Test("FI-1: switching while calls hang and are cancelled leaves nobody behind")
  func contention() async {
    let faults = FaultInjection([.hang(rate: 1)])
    await withTaskGroup { group in
      for _ in 0..<50 {
        group.addTask { _ = try? await faults.run {} }
      }
      group.addTask {
        for _ in 0..<20 {
          faults.isEnabled = false
          await Task.yield()
          faults.isEnabled = true
        }
        faults.isEnabled = false
      }
      await group.next()
      group.cancelAll()
    }
    #expect(faults.snapshot().waiting == 0)
  }
}
