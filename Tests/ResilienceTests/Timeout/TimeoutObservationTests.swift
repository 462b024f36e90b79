import ResilienceTesting
import Testing

@testable import Resilience

@Suite("X-1, X-3: timeouts tell what happens, and breakers understand", .timeLimit(.minutes(20)))
struct TimeoutObservationTests {
  @Test("X-3: events in order, with their limits; calls that end in time make none")
  func events() async throws {
    try await withVirtualTime { clock in
      let recorder = EventRecorder()
      let timeout = Timeout(.seconds(2), name: "call", clock: clock, observers: [recorder])
      _ = await Ending.of { try await timeout.run { 1 } }
      _ = await Ending.of {
        try await timeout.run { try await Body(manner: .obeys, clock: clock)() }
      }
      _ = await Ending.of {
        try await timeout.run { try await Body(manner: .deaf, clock: clock)() }
      }
      try await Deadline(in: .seconds(1), clock: clock).run {
        _ = await Ending.of {
          try await timeout.run { try await Body(manner: .obeys, clock: clock)() }
        }
        _ = await Ending.of { try await timeout.run { 1 } }
      }
      #expect(
        recorder.descriptions == [
          "timeout \"call\": timed out after 2.0 seconds",
          "timeout \"call\": late, limit 2.0 seconds",
          "timeout \"call\": timed out after 1.0 seconds",
          "timeout \"call\": rejected (the deadline has passed)",
        ])
      #expect(recorder.events.allSatisfy { $0.policy == "call" })
      #expect(timeout.snapshot().counts == [2, 1, 1])
    }
  }

  @Test("X-3: an observer may call back into the timeout, and is told of that afterwards")
  func reentrant() async throws {
    final class Caller: ResilienceObserver {
      let timeout = Shared<Timeout?>(nil)
      let heard = Shared<[String]>([])
      func observe(_ event: any ResilienceEvent) {
        heard.value.append("begins")
        // No lock is held: this would not return.
        let snapshot = timeout.value?.snapshot()
        if let timeout = timeout.value, heard.value.count < 6 {
          _ = try? timeout.allowance()
        }
        heard.value.append("ends \(snapshot?.rejected ?? 0)")
      }
    }
    let caller = Caller()
    caller.timeout.value = Timeout(.zero, observers: [caller])
    _ = await Ending.of { try await caller.timeout.value!.run { 1 } }
    #expect(
      caller.heard.value == [
        "begins", "ends 1", "begins", "ends 2", "begins", "ends 3", "begins", "ends 4",
      ])
    caller.timeout.value = nil
  }

  // MARK: - Breakers

  /// How a body ends in two seconds, with a breaker around the timeout and one inside.
  private static func ending(
    of body: Body, _ outside: Circuit, _ inside: Circuit, _ clock: VirtualClock
  ) async -> Ending {
    let timeout = Timeout(.seconds(2), clock: clock)
    return await Ending.of {
      try await outside.breaker.run {
        try await timeout.run { try await inside.breaker.run { try await body() } }
      }
    }
  }

  @Test("X-1: a timeout is a failure of the breaker around it and of the breaker inside")
  func breakers() async throws {
    try await withVirtualTime { clock in
      let (outside, inside) = (Circuit(on: clock), Circuit(on: clock))
      let ending = await Self.ending(of: Body(manner: .obeys, clock: clock), outside, inside, clock)
      #expect(ending == .timedOut(.seconds(2), underlying: "CancellationError"))
      #expect(outside.counts.failures == 1 && outside.counts.ignored == 0)
      #expect(inside.counts.failures == 1 && inside.counts.ignored == 0)
    }
  }

  @Test("X-1: so is one that an earlier deadline bounds")
  func breakersUnderDeadline() async throws {
    try await withVirtualTime { clock in
      let (outside, inside) = (Circuit(on: clock), Circuit(on: clock))
      let timeout = Timeout(.seconds(2), clock: clock)
      _ = await Ending.of {
        try await Deadline(in: .seconds(1), clock: clock).run {
          try await outside.breaker.run {
            try await timeout.run {
              try await inside.breaker.run { try await Body(manner: .obeys, clock: clock)() }
            }
          }
        }
      }
      #expect(outside.counts.failures == 1 && inside.counts.failures == 1)
    }
  }

  @Test("X-1: a call that its caller cancels is neutral to both", arguments: Body.Manner.allCases)
  func cancelled(_ manner: Body.Manner) async throws {
    guard manner != .answers, manner != .deaf else { return }
    try await withVirtualTime { clock in
      let (outside, inside) = (Circuit(on: clock), Circuit(on: clock))
      let timeout = Timeout(.seconds(20), clock: clock)
      let call = Task(executorPreference: clock.executor) {
        await Ending.of {
          try await outside.breaker.run {
            try await timeout.run {
              try await inside.breaker.run { try await Body(manner: manner, clock: clock)() }
            }
          }
        }
      }
      await clock.advance(by: .milliseconds(1500))
      call.cancel()
      _ = await call.value
      #expect(outside.counts.failures == 0 && outside.counts.ignored == 1)
      #expect(inside.counts.failures == 0 && inside.counts.ignored == 1)
      #expect(outside.running == 0 && inside.running == 0)
    }
  }

  @Test("X-1: a refusal for want of time is neutral to the breaker around it")
  func refused() async throws {
    let circuit = Circuit()
    let timeout = Timeout(.zero, clock: circuit.clock)
    let ending = await Ending.of {
      try await circuit.breaker.run { try await timeout.run { 1 } }
    }
    #expect(ending == .refused(.noTime, by: "timeout"))
    #expect(circuit.counts.failures == 0 && circuit.counts.ignored == 1)
  }

  @Test("TO-2: a late value succeeds in the breakers inside and outside")
  func late() async throws {
    try await withVirtualTime { clock in
      let (outside, inside) = (Circuit(on: clock), Circuit(on: clock))
      let ending = await Self.ending(of: Body(manner: .deaf, clock: clock), outside, inside, clock)
      #expect(ending == .value(4))
      #expect(outside.counts.successes == 1 && inside.counts.successes == 1)
    }
  }
}
