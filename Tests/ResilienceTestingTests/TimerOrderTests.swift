import ResilienceTesting
import Testing

/// The clock's timers against a list that is searched, driven by synchronous actions.
@Suite("Order of timers")
struct TimerOrderTests {
  @Test("random timers, cancellations and advances agree with a naive list", arguments: 0..<40)
  func agreesWithModel(seed: UInt64) {
    var random = Random(state: seed)
    let clock = VirtualClock()
    let fired = Record<Int>()
    var model: [(instant: VirtualClock.Instant, label: Int, id: UInt64)] = []
    var expected: [Int] = []
    var settled: [UInt64] = []

    for label in 0..<600 {
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<6:
        // Few distinct instants, so that many are equal; some in the past.
        let delay = Duration.seconds(Int.random(in: -1...12, using: &random))
        let instant = clock.now.advanced(by: delay)
        let id = clock.schedule(at: instant) { fired(label) }
        model.append((instant, label, id))
      case 6..<8:
        if model.isEmpty { continue }
        let entry = model.remove(at: Int.random(in: 0..<model.count, using: &random))
        #expect(clock.cancelAction(entry.id))
        settled.append(entry.id)
      case 8:
        if let id = settled.randomElement(using: &random) { #expect(!clock.cancelAction(id)) }
      default:
        clock.advance(by: .seconds(Int.random(in: 0...4, using: &random)))
        let due = model.filter { $0.instant <= clock.now }
        model.removeAll { $0.instant <= clock.now }
        let ordered = due.sorted { ($0.instant, $0.label) < ($1.instant, $1.label) }
        expected += ordered.map(\.label)
        settled += ordered.map(\.id)
      }
      #expect(clock.sleeperCount == model.count)
    }
    #expect(fired.all == expected)
  }

  @Test("of many timers, most of them cancelled, those that are left fire in order")
  func manyCancelled() {
    let clock = VirtualClock()
    let fired = Record<Int>()
    let ids = (0..<10_000).map { label in
      clock.schedule(at: .start.advanced(by: .seconds(label &* 7919 % 1_000))) { fired(label) }
    }
    for label in ids.indices where label % 100 != 0 { #expect(clock.cancelAction(ids[label])) }
    #expect(clock.sleeperCount == 100)
    clock.advance(by: .seconds(1_000))
    let expected = stride(from: 0, to: 10_000, by: 100).sorted {
      ($0 &* 7919 % 1_000, $0) < ($1 &* 7919 % 1_000, $1)
    }
    #expect(fired.all == expected)
    #expect(clock.sleeperCount == 0)
    for id in ids { #expect(!clock.cancelAction(id)) }
  }

  @Test("an action sees its own instant, and what it schedules within the advance fires in it")
  func actionsSchedule() {
    let clock = VirtualClock()
    let trace = Trace()
    @Sendable func tick(_ left: Int) {
      trace("\(clock.now)")
      if left == 0 { return }
      _ = clock.schedule(at: clock.now.advanced(by: .seconds(1))) { tick(left - 1) }
    }
    tick(3)
    clock.advance(by: .seconds(10))
    #expect(trace.all == ["0.0 seconds", "1.0 seconds", "2.0 seconds", "3.0 seconds"])
    #expect(clock.now.offset == .seconds(10))
  }

  @Test("an action whose instant has passed fires at the next advance, and time does not go back")
  func pastAction() {
    let clock = VirtualClock()
    let trace = Trace()
    clock.advance(by: .seconds(5))
    _ = clock.schedule(at: .start) { trace("\(clock.now)") }
    #expect(trace.all == [])
    clock.advance(by: .zero)
    #expect(trace.all == ["5.0 seconds"])
  }

  @Test("an action announces itself as a sleeper does")
  func actionsArrive() async {
    let clock = VirtualClock()
    let waiting = Task { await clock.sleepers(atLeast: 1) }
    _ = clock.schedule(at: .start.advanced(by: .seconds(1))) {}
    await waiting.value
    #expect(clock.sleeperCount == 1)
  }

  @Test("10 000 sleepers wake in the order of their instants, equal ones in order of arrival")
  func manySleepers() async throws {
    let woken = Record<[Int]>()
    try await withVirtualTime { clock in
      try await withThrowingTaskGroup { group in
        for index in 0..<10_000 {
          let second = index &* 7919 % 100
          group.addTask {
            try await clock.sleep(for: .seconds(second))
            woken([second, index])
          }
        }
        try await group.waitForAll()
      }
    }
    let order = woken.all
    #expect(order.count == 10_000)
    #expect(zip(order, order.dropFirst()).allSatisfy { $0.lexicographicallyPrecedes($1) })
  }
}
