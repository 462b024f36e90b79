import Resilience
import ResilienceTesting
import Testing

@Suite("Retry")
struct RetryTests {
  private struct Broken: Error {}

  @Test("RT-1: it tries as often as it may, and throws the last error")
  func tries() async throws {
    try await withVirtualTime { clock in
      let events = EventRecorder()
      let retry = Retry(
        maxAttempts: 3, backoff: .constant(.seconds(1), jitter: .none),
        budget: RetryBudget(minimumCapacity: 10, clock: clock), clock: clock, observers: [events])
      let script = Script<Int>([.fail(Broken())], clock: clock)
      do {
        _ = try await retry.run { try await script() }
        Issue.record("no error")
      } catch { #expect(error is Broken) }
      #expect(script.calls == 3)
      #expect(clock.now.offset == .seconds(2))
      #expect(events.descriptions == [])
    }
  }
  @Test func nested() async throws {
    try await withVirtualTime { clock in
      func make() -> Retry { Retry(maxAttempts: 3, backoff: .none, budget: nil, clock: clock) }
      let (a, b, c) = (make(), make(), make())
      let script = Script<Int>([.fail(Broken())], clock: clock)
      do {
        _ = try await a.run { try await b.run { try await c.run { try await script() } } }
        Issue.record("no error")
      } catch { #expect(error is Broken) }
      #expect(script.calls == 3)
    }
  }
}
