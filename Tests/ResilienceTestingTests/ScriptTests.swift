import ResilienceTesting
import Testing

@Suite("Script")
struct ScriptTests {
  @Test("each call does the next step; the last one repeats")
  func steps() async throws {
    try await withVirtualTime { clock in
      let script = Script(
        [.succeed(1), .fail(Mishap()), .succeed(3, after: .seconds(2))], clock: clock)
      let first = try await script()
      #expect(first == 1)
      await #expect(throws: Mishap()) { try await script() }
      #expect(clock.now == .start)
      let third = try await script()
      #expect(third == 3)
      #expect(clock.now.offset == .seconds(2))
      let fourth = try await script()
      #expect(fourth == 3)
      #expect(clock.now.offset == .seconds(4))
      #expect(script.calls == 4)
    }
  }

  @Test("a hanging step and a delay end with cancellation")
  func cancellation() async throws {
    try await withVirtualTime(.manually) { clock in
      let script = Script<Int>([.hang, .fail(Mishap(), after: .seconds(1))], clock: clock)
      let outcomes = await withTaskGroup { group in
        for _ in 1...2 {
          group.addTask {
            do { return "\(try await script())" } catch { return "\(type(of: error))" }
          }
        }
        await clock.advance(by: .zero)
        #expect(script.calls == 2)
        group.cancelAll()
        return await group.reduce(into: []) { $0.append($1) }
      }
      #expect(outcomes == ["CancellationError", "CancellationError"])
    }
  }

  @Test("an empty script hangs")
  func empty() async {
    let script = Script<Int>([], clock: VirtualClock())
    let task = Task { try await script() }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }
}
