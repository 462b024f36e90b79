import Resilience
import ResilienceTesting
import Testing

@Suite("Timeout")
struct TimeoutTests {
  private struct Refused: Error {}

  @Test("TO-1, TO-2: at the limit the body is cancelled, and its error is inside the timeout's")
  func timesOut() async throws {
    try await withVirtualTime { clock in
      let timeout = Timeout(.seconds(2), clock: clock)
      let script = Script<Int>([.succeed(1, after: .seconds(5))], clock: clock)
      do {
        _ = try await timeout.run { try await script() }
        Issue.record("no error")
      } catch let error as TimeoutError {
        #expect(error.limit == .seconds(2))
        #expect(error.underlying is CancellationError)
      }
      #expect(clock.now.offset == .seconds(2))
      #expect(clock.sleeperCount == 0)
    }
  }

  @Test("TO-1: an answer within the limit is the answer, and leaves no timer")
  func answers() async throws {
    try await withVirtualTime { clock in
      let timeout = Timeout(.seconds(2), clock: clock)
      let script = Script<Int>([.succeed(1, after: .seconds(1))], clock: clock)
      let value = try await timeout.run { try await script() }
      #expect(value == 1)
      #expect(clock.now.offset == .seconds(1))
      #expect(clock.sleeperCount == 0)
    }
  }

  @Test("real time")
  func real() async throws {
    let timeout = Timeout(.milliseconds(20))
    let start = ContinuousClock.now
    do {
      try await timeout.run { try await Task.sleep(for: .seconds(10)) }
      Issue.record("no error")
    } catch { #expect(error is TimeoutError) }
    #expect(ContinuousClock.now - start < .seconds(5))
  }
}

actor Home {
  func check() async throws {
    let me: any Actor = self
    let timeout = Timeout(.seconds(2))
    try await timeout.run {
      me.preconditionIsolated()
      await Task.yield()
      me.preconditionIsolated()
      try await Task.sleep(for: .milliseconds(2))
      me.preconditionIsolated()
    }
    me.preconditionIsolated()
  }
  @Test func iso() async throws { try await Home().check() }
}
