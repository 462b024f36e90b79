import Resilience
import ResilienceTesting
import Testing

/// The examples of "Exploring schedules", word for word.
@Suite("Exploring schedules: the guide")
struct ExplorationGuideTests {
  @Test("a lost update is found by a seed, which replays it")
  func lostUpdate() async throws {
    let twoVisits: @Sendable (VirtualClock) async throws -> Void = { clock in
      let store = Store()
      let counter = Counter(store: store)
      await withDiscardingTaskGroup { group in
        group.addTask { await counter.visit() }
        group.addTask {
          await renderPage()  // suspends a few times
          await counter.visit()
        }
      }
      if await store.read("visits") != 2 { throw LostUpdate() }
    }
    try await withVirtualTime { clock in try await twoVisits(clock) }  // passes
    let error = await #expect(throws: ScheduleError.self) {
      try await exploreSchedules(seeds: 0..<1_000, twoVisits)  // throws a ScheduleError
    }
    #expect(error?.schedule == .shuffled(seed: 1))
    await #expect(throws: LostUpdate.self) {
      try await withVirtualTime(order: .shuffled(seed: 1), twoVisits)  // throws LostUpdate
    }
  }

  @Test("with the repair, every schedule passes")
  func repaired() async throws {
    let schedules = try await exploreSchedules(.exhaustively(limit: 10_000)) { clock in
      let counter = AtomicCounter()
      await withDiscardingTaskGroup { group in
        for _ in 1...3 { group.addTask { await counter.visit() } }
      }
      if await counter.visits != 3 { throw LostUpdate() }
    }
    #expect(schedules >= 6)
  }

  @Test("a call that is cancelled at each of its suspensions gives its permit back")
  func cancelledAtEachPoint() async throws {
    let schedules = try await exploreSchedules(.exhaustively()) { clock in
      let permits = Permits(1)
      let reply = clock.choose(from: [Duration.zero, .seconds(1), .seconds(2)])
      let call = Task(executorPreference: clock.executor) {
        try await permits.use { try await clock.sleep(for: reply) }
      }
      let patience = clock.choose(from: [Duration.zero, .seconds(1), .seconds(2)])
      try await clock.sleep(for: patience)
      call.cancel()
      _ = await call.result
      if permits.free != 1 { throw Leaked() }
    }
    #expect(schedules > 9)
  }
}

private func renderPage() async {
  for _ in 1...3 { await Task.yield() }
}

private actor Store {
  private var values: [String: Int] = [:]
  func read(_ key: String) -> Int { values[key, default: 0] }
  func write(_ value: Int, to key: String) { values[key] = value }
}

private struct Counter {
  let store: Store

  func visit() async {
    let visits = await store.read("visits")
    await Task.yield()  // a request, a log line, anything that suspends
    await store.write(visits + 1, to: "visits")
  }
}

private struct LostUpdate: Error {}
private struct Leaked: Error {}

private actor AtomicCounter {
  private(set) var visits = 0
  func visit() { visits += 1 }
}

/// Counts who is in.
private final class Permits: Sendable {
  private let state: Lock<Int>
  var free: Int { state.withLock { $0 } }

  init(_ count: Int) {
    state = Lock(count)
  }

  func use(_ body: () async throws -> Void) async throws {
    state.withLock { $0 -= 1 }
    defer { state.withLock { $0 += 1 } }
    try await body()
  }
}
