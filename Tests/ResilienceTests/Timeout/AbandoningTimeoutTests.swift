import ResilienceTesting
import Testing

@testable import Resilience

@Suite("TO-6: a timeout that does not wait", .timeLimit(.minutes(20)))
struct AbandoningTimeoutTests {
  @TaskLocal static var tag = "none"

  typealias Snapshot = AbandoningTimeout.Snapshot

  static func snapshot(
    limit: Duration = .seconds(2), maxAbandoned: Int = 100, abandoned: Int = 0, timedOut: Int = 0,
    cancelled: Int = 0, rejected: Int = 0
  ) -> Snapshot {
    Snapshot(
      name: "abandoning-timeout", limit: limit, maxAbandoned: maxAbandoned, abandoned: abandoned,
      timedOut: timedOut, cancelled: cancelled, rejected: rejected)
  }

  @Test("an answer within the limit is the answer; so is an error; neither leaves a timer")
  func inTime() async throws {
    try await withVirtualTime { clock in
      let timeout = AbandoningTimeout(.seconds(5), clock: clock)
      for manner in [Body.Manner.deaf, .deafAndFails] {
        let ending = await Ending.of {
          try await timeout.run { try await Body(manner: manner, clock: clock)() }
        }
        #expect(ending == (manner == .deaf ? .value(4) : .threw("Complaint")))
        #expect(clock.sleeperCount == 0)
      }
      #expect(await Ending.of { try await timeout.run { 3 } } == .value(3))
      #expect(clock.sleeperCount == 0)
      #expect(timeout.snapshot() == Self.snapshot(limit: .seconds(5)))
      #expect(clock.foreignEnqueues == 0)
    }
  }

  @Test(
    "it returns at the limit though the body goes on; the body is cancelled, counted, and dropped",
    arguments: [Body.Manner.deaf, .deafAndFails])
  func abandons(_ manner: Body.Manner) async throws {
    try await withVirtualTime { clock in
      let recorder = EventRecorder()
      let timeout = AbandoningTimeout(.seconds(2), clock: clock, observers: [recorder])
      let wasCancelled = Shared(false)
      let ending = await Ending.of {
        try await timeout.run {
          defer { wasCancelled.value = Task.isCancelled }
          return try await Body(manner: manner, clock: clock)()
        }
      }
      #expect(ending == .timedOut(.seconds(2), underlying: "nothing"))
      #expect(clock.now.offset == .seconds(2))
      #expect(timeout.snapshot() == Self.snapshot(abandoned: 1, timedOut: 1))
      await clock.advance(by: .seconds(1))
      #expect(timeout.snapshot() == Self.snapshot(abandoned: 1, timedOut: 1))
      await clock.advance(by: .seconds(1))
      #expect(timeout.snapshot() == Self.snapshot(timedOut: 1))
      #expect(wasCancelled.value)
      #expect(clock.sleeperCount == 0)
      #expect(clock.foreignEnqueues == 0)
      #expect(
        recorder.descriptions == [
          "abandoning timeout \"abandoning-timeout\": abandoned after 2.0 seconds",
          "abandoning timeout \"abandoning-timeout\": an abandoned operation ended",
        ])
    }
  }

  @Test("the body inherits task-locals, priority and the task executor, and sees the deadline")
  func inherits() async throws {
    try await withVirtualTime { clock in
      let timeout = AbandoningTimeout(.seconds(5), clock: clock)
      try await Self.$tag.withValue("caller") {
        let priority = Task.currentPriority
        try await timeout.run { [priority] in
          #expect(Self.tag == "caller")
          #expect(Task.currentPriority >= priority)
          #expect(Deadline.current?.remaining == .seconds(5))
          try await clock.sleep(for: .seconds(1))
          #expect(Deadline.current?.remaining == .seconds(4))
        }
        let ending = await Ending.of {
          try await Deadline(in: .seconds(3), clock: clock).run {
            try await timeout.run {
              #expect(Deadline.current?.remaining == .seconds(3))
              return try await Body(manner: .deaf, clock: clock)()
            }
          }
        }
        #expect(ending == .timedOut(.seconds(3), underlying: "nothing"))
      }
      #expect(Deadline.current == nil)
      #expect(clock.foreignEnqueues == 0)
    }
  }

  @Test("as many as maxAbandoned may go on; then calls are refused until one ends")
  func full() async throws {
    try await withVirtualTime { clock in
      let recorder = EventRecorder()
      let timeout = AbandoningTimeout(
        .milliseconds(100), maxAbandoned: 2, clock: clock, observers: [recorder])
      func call() async -> Ending {
        await Ending.of { try await timeout.run { try await Body(manner: .deaf, clock: clock)() } }
      }
      let limit = Duration.milliseconds(100)
      #expect(await call() == .timedOut(limit, underlying: "nothing"))
      #expect(await call() == .timedOut(limit, underlying: "nothing"))
      #expect(await call() == .tooManyAbandoned)
      #expect(
        timeout.snapshot()
          == Self.snapshot(limit: limit, maxAbandoned: 2, abandoned: 2, timedOut: 2, rejected: 1))
      await clock.advance(to: .init(offset: .milliseconds(4050)))
      #expect(await call() == .timedOut(limit, underlying: "nothing"))
      await clock.advance(by: .seconds(5))
      #expect(
        timeout.snapshot()
          == Self.snapshot(limit: limit, maxAbandoned: 2, timedOut: 3, rejected: 1))
      #expect(
        recorder.events(of: AbandoningTimeout.Event.self).map(\.kind.description) == [
          "abandoned after 0.1 seconds", "abandoned after 0.1 seconds",
          "rejected (2 abandoned operations go on)", "an abandoned operation ended",
          "an abandoned operation ended", "abandoned after 0.1 seconds",
          "an abandoned operation ended",
        ])
    }
  }

  @Test("a refusal says who refused, and is neutral to a breaker")
  func refusal() async throws {
    try await withVirtualTime { clock in
      let circuit = Circuit(on: clock)
      let timeout = AbandoningTimeout(.seconds(1), maxAbandoned: 1, name: "slow", clock: clock)
      _ = await Ending.of {
        try await timeout.run { try await Body(manner: .deaf, clock: clock)() }
      }
      do {
        try await circuit.breaker.run { try await timeout.run {} }
        Issue.record("the body ran")
      } catch let error as TooManyAbandonedError {
        #expect(error.policy == "slow" && error.maxAbandoned == 1)
        #expect(error.reason == .tooManyAbandoned && error.retryAfter == nil)
        #expect(
          "\(error)" == "abandoning timeout \"slow\" refused the call: 1 abandoned operations go on"
        )
      }
      #expect(circuit.counts.ignored == 1 && circuit.counts.failures == 0)
    }
  }

  @Test(
    "TO-5: no time, no call", arguments: [Duration.zero, .seconds(-1), Duration(attoseconds: .min)])
  func noTime(limit: Duration) async throws {
    let clock = VirtualClock()
    let timeout = AbandoningTimeout(limit, clock: clock)
    let ending = await Ending.of {
      try await timeout.run {
        Issue.record("the body ran")
        return 1
      }
    }
    #expect(ending == .refused(.noTime, by: "abandoning-timeout"))
    let expired = await Ending.of {
      try await Deadline(in: .zero, clock: clock).run {
        try await AbandoningTimeout(.seconds(1), clock: clock).run { 1 }
      }
    }
    #expect(expired == .refused(.deadlineExpired, by: "abandoning-timeout"))
    #expect(timeout.snapshot() == Self.snapshot(limit: limit, rejected: 1))
  }

  @Test("huge and tiny limits hold")
  func extremes() async throws {
    try await withVirtualTime { clock in
      for limit in [Duration.seconds(Int64.max), Duration(attoseconds: .max)] {
        let value = try await AbandoningTimeout(limit, clock: clock).run {
          try await Body(manner: .obeys, clock: clock)()
        }
        #expect(value == 4)
      }
      let start = clock.now
      let ending = await Ending.of {
        try await AbandoningTimeout(Duration(attoseconds: 1), clock: clock).run {
          try await Body(manner: .deaf, clock: clock)()
        }
      }
      #expect(ending == .timedOut(Duration(attoseconds: 1), underlying: "nothing"))
      #expect(start.duration(to: clock.now) == .nanoseconds(1))
    }
  }

  @Test("a maxAbandoned below one is a mistake in source code")
  func misconfigured() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = AbandoningTimeout(.seconds(1), maxAbandoned: 0, name: "slow")
    }
    let output = result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) } ?? ""
    #expect(output.contains("AbandoningTimeout \"slow\": maxAbandoned is 0; allowed: 1..."))
  }

  @Test("settings that arrive at run time are checked before")
  func configuration() throws {
    typealias Configuration = AbandoningTimeout.Configuration
    let error = #expect(throws: ConfigurationError.self) {
      try Configuration(.seconds(1), maxAbandoned: 0).validate()
    }
    #expect(
      error?.violations == [.init(parameter: "maxAbandoned", value: "0", allowed: "1...")])
    let configuration = Configuration(.seconds(1))
    try configuration.validate()
    #expect(configuration == Configuration(.seconds(1), maxAbandoned: 100))
    let timeout = AbandoningTimeout(configuration: configuration, name: "slow")
    #expect(timeout.limit == .seconds(1))
    #expect(timeout.maxAbandoned == 100)
    #expect(timeout.layers.map(\.settings) == [configuration.description])
  }
}
