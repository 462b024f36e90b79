import Resilience
import ResilienceTesting

/// A hedge in virtual time, as a test uses it: after 100 ms, and ten tokens.
struct HedgeTrial: Sendable {
  let clock: VirtualClock
  let events: EventRecorder
  let hedge: Hedge

  /// - Parameter tokens: what the budget starts with; `nil` for no budget.
  init(
    delay: Hedge.Delay = .fixed(.milliseconds(100)), maxHedges: Int = 1, tokens: Int? = 10,
    classify: (@Sendable (any Error) -> Outcome?)? = nil, on clock: VirtualClock
  ) {
    let events = EventRecorder()
    self.clock = clock
    self.events = events
    hedge = Hedge(
      "users", delay: delay, maxHedges: maxHedges,
      budget: tokens.map { RetryBudget(minimumCapacity: $0, clock: clock) }, classify: classify,
      clock: clock, observers: [events])
  }

  var totals: Hedge.Totals { hedge.snapshot().totals }

  /// Tokens that are gone for good.
  var spent: Int? { hedge.budget?.spent }

  /// What the observer heard.
  var told: [String] { events.events(of: Hedge.Event.self).map { $0.kind.description } }

  /// How a call that does these steps ends, and when.
  func call(_ steps: Script<Int>.Step...) async -> Ended {
    let script = Script(steps, clock: clock)
    return await ended(script) { try await hedge.run { try await script() } }
  }

  /// How a call ends, and when.
  func ended(
    _ script: Script<Int>, _ call: () async throws -> Int
  ) async -> Ended {
    let start = clock.now
    let ending = await Ending.of(call)
    return Ended(
      ending: ending, after: start.duration(to: clock.now), attempts: script.calls)
  }

  /// So many calls that take this long.
  func succeed(_ count: Int, taking latency: Duration) async throws {
    for _ in 0..<count {
      try await hedge.run { [clock] in try await clock.sleep(for: latency) }
    }
  }
}

/// How a call ended, when, and after how many attempts.
struct Ended: Hashable, Sendable {
  let ending: Ending
  let after: Duration
  var attempts = 1
}

extension Duration {
  static func ms(_ milliseconds: Int) -> Duration { .milliseconds(milliseconds) }
}
