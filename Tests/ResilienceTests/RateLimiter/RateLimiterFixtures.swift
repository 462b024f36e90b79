import Resilience
import ResilienceTesting
import Testing

/// A limiter in virtual time, as a test uses it.
struct Gate: Sendable {
  let clock: VirtualClock
  let events: EventRecorder
  let limiter: RateLimiter

  /// Who came through, or was refused, and at which second.
  private let notes = Shared<[String]>([])

  init(
    _ rate: RateLimiter.Rate = .perSecond(1), burst: Int = 1, maxWait: Duration = .zero,
    on clock: VirtualClock = VirtualClock()
  ) {
    let events = EventRecorder()
    self.clock = clock
    self.events = events
    limiter = RateLimiter(
      "users", rate, burst: burst, maxWait: maxWait, clock: clock, observers: [events])
  }

  var snapshot: RateLimiter.Snapshot { limiter.snapshot() }
  var totals: RateLimiter.Totals { limiter.snapshot().totals }
  var available: Int { limiter.snapshot().available }
  var waiting: Int { limiter.snapshot().waiting }

  /// What the observer heard.
  var told: [String] { events.events(of: RateLimiter.Event.self).map { $0.kind.description } }

  /// What became of the calls since this was last asked.
  func takeNotes() -> [String] {
    let taken = notes.value
    notes.value = []
    return taken
  }

  /// Takes as many tokens as it can get, one by one.
  @discardableResult
  func takeAll() -> Int {
    var taken = 0
    while limiter.tryAcquire() { taken += 1 }
    return taken
  }

  /// What a call for tokens throws.
  func refusal(_ tokens: Int = 1, maxWait: Duration? = nil) async -> RateLimitedError? {
    do {
      try await limiter.acquire(tokens, maxWait: maxWait)
      return nil
    } catch { return error as? RateLimitedError }
  }

  /// Calls for tokens, and notes what became of it.
  func call(_ name: String, _ tokens: Int = 1, maxWait: Duration? = nil) async {
    do {
      try await limiter.acquire(tokens, maxWait: maxWait)
      note(name)
    } catch let error as RateLimitedError {
      note("\(name): \(error.reason)")
    } catch { note("\(name): cancelled") }
  }

  private func note(_ text: String) {
    notes.value.append("\(text) at \(clock.now.offset / .seconds(1))")
  }
}

extension TaskGroup where ChildTaskResult == Void {
  /// Starts a call, and lets it come to its wait.
  mutating func start(
    _ gate: Gate, _ name: String, _ tokens: Int = 1, maxWait: Duration? = nil
  ) async {
    addTask { await gate.call(name, tokens, maxWait: maxWait) }
    await gate.clock.advance(by: .zero)
  }
}
