import ResilienceTesting
import Testing

/// The examples of the documentation, word for word.
@Suite("Documentation")
struct DocumentationTests {
  @Test func retriesAfterOneSecond() async throws {
    try await withVirtualTime { clock in
      let fetch = Script([.fail(Unavailable()), .succeed("hello")], clock: clock)
      async let reply = fetchWithRetry(fetch, clock: clock)  // your code; it sleeps on the clock

      await clock.advance(by: .milliseconds(999))
      #expect(fetch.calls == 1)
      await clock.advance(by: .milliseconds(1))
      #expect(fetch.calls == 2)
      let text = try await reply
      #expect(text == "hello")
    }
  }

  @Test func withoutTheLoop() async throws {
    let clock = VirtualClock()
    let task = Task { try await poll(every: .seconds(10), clock: clock) }
    await clock.sleepers(atLeast: 1)
    await clock.advance(by: .seconds(10))
    try await task.value
  }

  @Test func timeout() async throws {
    try await withVirtualTime { clock in
      async let reply: Void = poll(every: .seconds(5), clock: clock)
      await clock.advance(by: .seconds(5))  // runs all that happens until then
      try await reply
    }
  }
}

private struct Unavailable: Error {}

private func fetchWithRetry(
  _ fetch: Script<String>, clock: any Clock<Duration>
) async throws -> String {
  do {
    return try await fetch()
  } catch {
    try await clock.sleep(for: .seconds(1))
    return try await fetch()
  }
}

private func poll(every duration: Duration, clock: any Clock<Duration>) async throws {
  try await clock.sleep(for: duration)
}
