import ResilienceTesting
import Testing

@testable import Resilience

@Suite("Hedge: settings, snapshot and events")
struct HedgeConfigurationTests {
  private static func mistakes(in configuration: Hedge.Configuration) -> [String] {
    do throws(ConfigurationError) {
      try configuration.validate()
      return []
    } catch {
      return error.violations.map { "\($0)" }
    }
  }

  @Test("what is wrong is listed at once")
  func violations() {
    #expect(
      Self.mistakes(in: .init(delay: .percentile(0, window: 0, minimum: 0), maxHedges: -1)) == [
        "delay(percentile:) is 0.0; allowed: above 0, at most 1",
        "delay(window:) is 0; allowed: 1...10000",
        "delay(minimum:) is 0; allowed: at least 1, at most the window",
        "maxHedges is -1; allowed: 0...10",
      ])
    #expect(
      Self.mistakes(in: .init(delay: .fixed(.seconds(-1)), maxHedges: 11)) == [
        "delay(fixed:) is -1.0 seconds; allowed: zero or more", "maxHedges is 11; allowed: 0...10",
      ])
  }

  @Test("each mistake alone", arguments: [-1.0, 0, 1.000001, .nan, .infinity, -.infinity])
  func percentile(_ percentile: Double) {
    #expect(
      Self.mistakes(in: .init(delay: .percentile(percentile))) == [
        "delay(percentile:) is \(percentile); allowed: above 0, at most 1"
      ])
  }

  @Test("a minimum beyond the window would never hedge")
  func minimum() {
    #expect(
      Self.mistakes(in: .init(delay: .percentile(window: 10, minimum: 11))) == [
        "delay(minimum:) is 11; allowed: at least 1, at most the window"
      ])
  }

  @Test("what can work is valid, at its extremes too")
  func valid() {
    let configurations: [Hedge.Configuration] = [
      .init(), .init(delay: .fixed(.zero), maxHedges: 0), .init(maxHedges: 10),
      .init(delay: .fixed(Duration(attoseconds: .max))),
      .init(delay: .percentile(.leastNonzeroMagnitude, window: 1, minimum: 1)),
      .init(delay: .percentile(1, window: 10_000, minimum: 10_000)),
    ]
    for configuration in configurations {
      #expect(Self.mistakes(in: configuration) == [])
      #expect(Hedge(configuration: configuration).configuration == configuration)
    }
  }

  @Test("a mistake in source code stops the program, and says what is allowed")
  func stops() async throws {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      _ = Hedge("users", delay: .fixed(.seconds(-1)), maxHedges: 11)
    }
    let output = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    #expect(output.contains("Hedge \"users\""))
    #expect(output.contains("delay(fixed:) is -1.0 seconds; allowed: zero or more"))
    #expect(output.contains("maxHedges is 11; allowed: 0...10"))
  }

  @Test("defaults are those that the documentation states, and read well in a log")
  func defaults() {
    #expect(
      Hedge().layers == [
        PolicyLayer(
          role: .hedge, name: "hedge",
          settings: "1 hedge, after percentile 0.98 of the last 100 latencies, from 20 on, "
            + #"budget "hedge" (0.0125 of the successes in 10.0 seconds, at least 5)"#)
      ])
    #expect(Hedge(configuration: .init()).layers == Hedge().layers)
    #expect(
      Hedge(delay: .fixed(.ms(50)), maxHedges: 2, budget: nil).layers.map(\.description) == [
        #"hedge "hedge" (2 hedges, after 0.05 seconds, no budget)"#
      ])
  }

  @Test("a snapshot is passive, and says what is known")
  func snapshot() async throws {
    try await withVirtualTime { clock in
      let trial = HedgeTrial(
        delay: .percentile(0.5, window: 20, minimum: 10), tokens: nil, on: clock)
      let hedge = trial.hedge
      #expect(
        hedge.snapshot()
          == .init(
            name: "users", delay: nil, median: nil, isPaused: false, inFlight: 0, totals: .init(),
            budget: nil))
      try await trial.succeed(10, taking: .nanoseconds(1500))
      try await hedge.run {
        #expect(hedge.snapshot().inFlight == 1)
        #expect(!hedge.isEvictable)
      }
      let snapshot = Hedge.Snapshot(
        name: "users", delay: .nanoseconds(1500), median: .nanoseconds(1500), isPaused: false,
        inFlight: 0, totals: .init(calls: 11), budget: nil)
      #expect(hedge.snapshot() == snapshot)
      #expect(hedge.snapshot() == snapshot)
      #expect(hedge.isEvictable)
    }
  }

  @Test("X-3: an observer may call back into the policy")
  func reentrant() async throws {
    final class Caller: ResilienceObserver {
      let hedge = Shared<Hedge?>(nil)
      let seen = Shared<[Int]>([])

      func observe(_ event: any ResilienceEvent) {
        guard let snapshot = hedge.value?.snapshot() else { return }
        seen.value.append(snapshot.totals.hedges)
      }
    }
    try await withVirtualTime { clock in
      let caller = Caller()
      let hedge = Hedge("users", delay: .fixed(.ms(1)), clock: clock, observers: [caller])
      caller.hedge.value = hedge
      let script = Script<Int>([.hang, .succeed(1)], clock: clock)
      _ = try await hedge.run { try await script() }
      #expect(caller.seen.value == [1, 1])
      caller.hedge.value = nil
    }
  }

  @Test("an event is a line for a log")
  func events() async throws {
    try await withVirtualTime { clock in
      let trial = HedgeTrial(on: clock)
      _ = await trial.call(.hang, .succeed(1))
      #expect(
        trial.events.descriptions == [
          "hedge \"users\": hedge 1 after 0.1 seconds",
          "hedge \"users\": hedge 1 answered after 0.1 seconds",
        ])
      let kinds: [Hedge.Event.Kind] = [
        .paused(median: .seconds(3), usual: .seconds(1)),
        .resumed(median: .seconds(1), usual: .seconds(1)),
      ]
      #expect(
        kinds.map(\.description) == [
          "paused (median 3.0 seconds, usually 1.0 seconds)",
          "resumed (median 1.0 seconds, usually 1.0 seconds)",
        ])
    }
  }
}
