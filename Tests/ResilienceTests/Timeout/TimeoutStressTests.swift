import ResilienceTesting
import Testing

@testable import Resilience

@Suite("TO-6, X-4: limits, ends and cancellations race on many threads", .timeLimit(.minutes(20)))
struct TimeoutStressTests {
  static func caller(_ number: Int, _ call: @escaping @Sendable () async throws -> Int) async
    -> Ending
  {
    let task = Task { await Ending.of(call) }
    // Every third is cancelled, about when it ends.
    if number.isMultiple(of: 3) {
      for _ in 0..<(number % 7) { await Task.yield() }
      task.cancel()
    }
    return await task.value
  }

  /// A body that ends about when its limit comes.
  static func spin(_ number: Int, heeding: Bool) async throws -> Int {
    let end = ContinuousClock.now + .microseconds(number % 5 * 50)
    while ContinuousClock.now < end, !(heeding && Task.isCancelled) { await Task.yield() }
    if number.isMultiple(of: 2) { throw Body.Complaint() }
    return number
  }

  @Test("each caller of an abandoning timeout ends once, and no abandoned body stays counted")
  func abandoning() async {
    let recorder = EventRecorder()
    let timeout = AbandoningTimeout(
      .microseconds(100), maxAbandoned: .max, observers: [recorder])
    var endings: [Ending: Int] = [:]
    for round in 0..<20 {
      await withTaskGroup(of: Ending.self) { group in
        for number in 0..<200 {
          group.addTask {
            await Self.caller(number + round) {
              try await timeout.run { try await Self.spin(number, heeding: number % 4 < 2) }
            }
          }
        }
        for await ending in group {
          if case .value = ending {
            endings[.value(0), default: 0] += 1
          } else {
            endings[ending, default: 0] += 1
          }
        }
      }
    }
    // The abandoned ones end soon.
    while timeout.snapshot().abandoned > 0 { await Task.yield() }
    let snapshot = timeout.snapshot()
    #expect(endings.values.reduce(0, +) == 4_000)
    #expect(snapshot.abandoned == 0 && snapshot.rejected == 0)
    let allowed: Set<Ending> = [
      .value(0), .cancelled, .threw("Complaint"),
      .timedOut(.microseconds(100), underlying: "nothing"),
    ]
    #expect(Set(endings.keys).isSubset(of: allowed))
    // A caller that was cancelled as well has got that error.
    #expect(
      endings[.timedOut(.microseconds(100), underlying: "nothing"), default: 0] <= snapshot.timedOut
    )
    var kinds: [String] {
      recorder.events(of: AbandoningTimeout.Event.self).map(\.kind.description)
        .filter { !$0.hasPrefix("rejected") }
    }
    let abandonments = snapshot.timedOut + snapshot.cancelled
    // What turns have left is delivered by the next.
    while kinds.count < 2 * abandonments {
      _ = await Ending.of { try await Deadline(in: .zero).run { try await timeout.run { 1 } } }
    }
    #expect(kinds.filter { $0 == "an abandoned operation ended" }.count == abandonments)
    #expect(kinds.count == 2 * abandonments)
    // Nobody ends before being abandoned.
    var open = 0
    for kind in kinds {
      open += kind == "an abandoned operation ended" ? -1 : 1
      if open < 0 { Issue.record("an end was told before its abandonment") }
    }
  }

  @Test("each call under a timeout ends once, with its body, and leaves no timer")
  func cooperative() async {
    // A clock of its own, so that nobody else sets timers in the queue.
    let timeout = Timeout(.microseconds(100), clock: PlainClock(ContinuousClock()))
    let limit = Duration.microseconds(100)
    var (answers, timedOut) = (0, 0)
    for round in 0..<20 {
      await withTaskGroup(of: Ending.self) { group in
        for number in 0..<200 {
          group.addTask {
            await Self.caller(number + round) {
              let inside = Shared(true)
              defer { if inside.value { Issue.record("the body goes on") } }
              return try await timeout.run {
                defer { inside.value = false }
                return try await Self.spin(number, heeding: true)
              }
            }
          }
        }
        for await ending in group {
          switch ending {
          case .value, .threw("Complaint"): answers += 1
          case .timedOut(limit, underlying: "Complaint"): timedOut += 1
          default: Issue.record("\(ending)")
          }
        }
      }
      #expect(timeout.shared.limit.timers.count == 0)
    }
    #expect(answers + timedOut == 4_000)
    #expect(timeout.snapshot().timedOut == timedOut)
    #expect(timeout.snapshot().rejected == 0)
  }
}
