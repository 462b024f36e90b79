import Resilience
import ResilienceTesting
import Testing

@testable import ResilienceSimulation

@Suite("The clock of a client")
struct ClientClockTests {
  /// Writes down, in virtual time, when things happen.
  private final class Log: Sendable {
    private let base: VirtualClock
    private let lock = ResilienceSimulation.Lock([String]())

    init(_ base: VirtualClock) { self.base = base }

    func note(_ event: String) {
      lock.withLock { $0.append("\(event) at \(base.now)") }
    }

    var lines: [String] { lock.withLock { $0 } }
  }

  @Test("a step changes what the clock shows, and moves no timer")
  func step() async throws {
    try await withVirtualTime { base in
      let (clock, log) = (ClientClock(base), Log(base))
      let start = clock.now
      _ = clock.schedule(at: start.advanced(by: .seconds(10))) { log.note("timer") }
      let sleeper = Task(executorPreference: base.executor) {
        try await clock.sleep(for: .seconds(12))
        log.note("sleeper")
      }
      try await base.sleep(for: .seconds(1))
      clock.step(by: .seconds(3_600))
      #expect(start.duration(to: clock.now) == .seconds(3_601))
      // Set after the step, by what the clock shows now.
      _ = clock.schedule(at: start.advanced(by: .seconds(3_605))) { log.note("new timer") }
      clock.step(by: .seconds(-7_200))
      #expect(start.duration(to: clock.now) == .seconds(-3_599))
      try await sleeper.value
      #expect(
        log.lines == [
          "new timer at 5.0 seconds", "timer at 10.0 seconds", "sleeper at 12.0 seconds",
        ])
    }
  }

  @Test("what is due while the process stands still is due when it runs again, in its order")
  func pause() async throws {
    try await withVirtualTime { base in
      let (clock, log) = (ClientClock(base), Log(base))
      for second in [2, 1, 20] {
        _ = clock.schedule(at: clock.now.advanced(by: .seconds(second))) {
          log.note("timer \(second)")
        }
      }
      let sleeper = Task(executorPreference: base.executor) {
        try await clock.sleep(for: .seconds(3))
        log.note("sleeper")
      }
      clock.pause(until: .init(offset: .seconds(10)))
      #expect(clock.isPaused)
      try await sleeper.value
      #expect(!clock.isPaused)
      try await base.sleep(until: .init(offset: .seconds(30)))
      #expect(
        log.lines == [
          "timer 1 at 10.0 seconds", "timer 2 at 10.0 seconds", "sleeper at 10.0 seconds",
          "timer 20 at 20.0 seconds",
        ])
    }
  }

  @Test("time goes on while the process stands still")
  func timeInPause() async throws {
    try await withVirtualTime { base in
      let clock = ClientClock(base)
      let start = clock.now
      clock.pause(until: .init(offset: .seconds(10)))
      try await base.sleep(for: .seconds(4))
      #expect(start.duration(to: clock.now) == .seconds(4))
      await clock.untilRunning()
      #expect(start.duration(to: clock.now) == .seconds(10))
      await clock.untilRunning()
      #expect(start.duration(to: clock.now) == .seconds(10))
    }
  }

  @Test("a pause that is prolonged defers timers again, a shorter one nothing")
  func prolonged() async throws {
    try await withVirtualTime { base in
      let (clock, log) = (ClientClock(base), Log(base))
      _ = clock.schedule(at: clock.now.advanced(by: .seconds(1))) { log.note("timer") }
      clock.pause(until: .init(offset: .seconds(5)))
      clock.pause(until: .init(offset: .seconds(3)))
      try await base.sleep(for: .seconds(2))
      clock.pause(until: .init(offset: .seconds(8)))
      await clock.untilRunning()
      // Timers that were set for the end of a pause come before it is known to be over.
      try await base.sleep(for: .seconds(1))
      #expect(log.lines == ["timer at 8.0 seconds"])
    }
  }

  @Test("a process that stands still does not notice that it is cancelled")
  func cancelledInPause() async throws {
    try await withVirtualTime { base in
      let (clock, log) = (ClientClock(base), Log(base))
      let waiter = Task(executorPreference: base.executor) {
        await clock.untilRunning()
        log.note("waiter")
      }
      let sleeper = Task(executorPreference: base.executor) {
        do { try await clock.sleep(for: .seconds(60)) } catch { log.note("sleeper") }
      }
      clock.pause(until: .init(offset: .seconds(10)))
      try await base.sleep(for: .seconds(1))
      waiter.cancel()
      sleeper.cancel()
      await waiter.value
      await sleeper.value
      #expect(log.lines.sorted() == ["sleeper at 10.0 seconds", "waiter at 10.0 seconds"])
    }
  }

  @Test("a sleeper of a process that runs notices at once that it is cancelled")
  func cancelled() async throws {
    try await withVirtualTime { base in
      let (clock, log) = (ClientClock(base), Log(base))
      let sleeper = Task(executorPreference: base.executor) {
        do { try await clock.sleep(for: .seconds(60)) } catch { log.note("\(error)") }
      }
      try await base.sleep(for: .seconds(1))
      sleeper.cancel()
      await sleeper.value
      #expect(log.lines == ["CancellationError() at 1.0 seconds"])
      #expect(base.sleeperCount == 0)
    }
  }

  @Test("a timer that is taken back does not come")
  func cancelledTimer() async throws {
    try await withVirtualTime { base in
      let (clock, log) = (ClientClock(base), Log(base))
      let timer = clock.schedule(at: clock.now.advanced(by: .seconds(1))) { log.note("timer") }
      #expect(clock.cancelAction(timer))
      #expect(!clock.cancelAction(timer))
      try await base.sleep(for: .seconds(2))
      #expect(log.lines == [])
    }
  }

  @Test("arithmetic is held at the ends of what a duration can say")
  func saturation() async throws {
    let (longest, shortest) = (Duration(attoseconds: .max), Duration(attoseconds: .min))
    try await withVirtualTime { base in
      try await base.sleep(for: .seconds(1))
      let clock = ClientClock(base)
      let start = clock.now
      let last = start.advanced(by: longest)
      #expect(last.advanced(by: .seconds(1)) == last)
      #expect(start.advanced(by: shortest).duration(to: last) == longest)
      clock.step(by: longest)
      clock.step(by: longest)
      #expect(clock.now == last)
      clock.step(by: shortest)
      clock.step(by: shortest)
      #expect(clock.now < start)
      let log = Log(base)
      _ = clock.schedule(at: last) { log.note("never") }
      try await base.sleep(for: .seconds(1))
      #expect(log.lines == [])
    }
  }
}
