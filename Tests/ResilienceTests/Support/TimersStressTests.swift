import ResilienceTesting
import Testing

@testable import Resilience

@Suite("TO-4: timers on many threads", .timeLimit(.minutes(20)))
struct TimersStressTests {
  /// Lets other tasks go on until it is so.
  static func wait(until condition: () -> Bool) async {
    while !condition() { await Task.yield() }
  }

  @Test("each fires once, unless it was taken back in time; then never")
  func realTime() async {
    let timers = Timers(on: ContinuousClock(), isShared: true)
    for _ in 0..<10 {
      let alarms = await withTaskGroup(of: (kept: [Alarm], taken: [Alarm], raced: [Alarm]).self) {
        group in
        for part in 0..<4 {
          group.addTask {
            var dice = Dice(seed: UInt64(part))
            var (kept, taken, raced) = ([Alarm](), [Alarm](), [Alarm]())
            for number in 0..<500 {
              let alarm = Alarm()
              let soon = timers.source.now() + Int64.random(in: -10_000...300_000, using: &dice)
              switch number % 3 {
              case 0:
                kept.append(alarm)
                _ = timers.set(alarm, at: soon)
              case 1:
                taken.append(alarm)
                timers.cancel(timers.set(alarm, at: soon + .seconds(3_600)))
              default:
                raced.append(alarm)
                let token = timers.set(alarm, at: soon)
                if number % 2 == 0 { await Task.yield() }
                timers.cancel(token)
              }
            }
            return (kept, taken, raced)
          }
        }
        return await group.reduce(into: []) { $0.append($1) }
      }
      let kept = alarms.flatMap(\.kept)
      await Self.wait { kept.allSatisfy { $0.calls > 0 } }
      await Self.wait { timers.count == 0 }
      #expect(kept.allSatisfy { $0.calls == 1 })
      #expect(alarms.flatMap(\.taken).allSatisfy { $0.calls == 0 })
      #expect(alarms.flatMap(\.raced).allSatisfy { $0.calls <= 1 })
    }
  }

  @Test(
    "earlier and earlier timers from many threads leave one task that sleeps, and at the end none")
  func noPile() async {
    for round in 0..<50 {
      let clock = VirtualClock()
      let timers = Timers(on: PlainClock(clock))
      let alarms = await withTaskGroup(of: [Alarm].self) { group in
        for part in 0..<4 {
          group.addTask {
            (0..<100).map { number in
              let alarm = Alarm()
              _ = timers.set(alarm, at: .seconds(Int64(1_000 - 4 * number - part)))
              return alarm
            }
          }
        }
        // Now and then the clock moves while a task is being replaced.
        for _ in 0..<20 {
          clock.jump(by: .seconds(round % 3 * 20))
          await Task.yield()
        }
        return await group.reduce(into: []) { $0 += $1 }
      }
      await Self.wait { clock.sleeperCount <= 1 }
      clock.jump(by: .seconds(2_000))
      await Self.wait {
        clock.jump(by: .nanoseconds(1))
        return alarms.allSatisfy { $0.calls == 1 }
      }
      await Self.wait { clock.sleeperCount == 0 }
      #expect(timers.count == 0)
    }
  }
}
