import Resilience
import ResilienceTesting
import Testing

@Suite("exploreSchedules")
struct ExplorationTests {
  // MARK: Counting

  @Test("n tasks of one job have n! schedules, each another", arguments: 0...6)
  func permutations(tasks: Int) async throws {
    let orders = Record<[Int]>()
    let count = try await exploreSchedules(.exhaustively()) { _ in
      let order = Record<Int>()
      await withDiscardingTaskGroup { group in
        for task in 0..<tasks { group.addTask { order(task) } }
      }
      orders(order.all)
    }
    #expect(count == (1...max(1, tasks)).reduce(1, *))
    #expect(Set(orders.all).count == count)
    #expect(orders.all.count == count)
    #expect(orders.all.first == Array(0..<tasks))
    #expect(orders.all.last == (0..<tasks).reversed())
  }

  @Test("two tasks of k jobs each have (2k choose k) schedules", arguments: 1...6)
  func interleavings(jobs: Int) async throws {
    let traces = Record<[String]>()
    let count = try await exploreSchedules(.exhaustively()) { _ in
      let trace = Trace()
      await withDiscardingTaskGroup { group in
        for name in ["a", "b"] {
          group.addTask {
            for job in 1...jobs {
              trace(name)
              if job < jobs { await Task.yield() }
            }
          }
        }
      }
      traces(trace.all)
    }
    #expect(count == (1...jobs).reduce(1) { $0 * (jobs + $1) / $1 })
    #expect(Set(traces.all).count == count)
  }

  @Test("three tasks of two jobs each have 6! / 2^3 schedules")
  func multinomial() async throws {
    let count = try await exploreSchedules(.exhaustively()) { _ in
      await withDiscardingTaskGroup { group in
        for _ in 1...3 { group.addTask { await Task.yield() } }
      }
    }
    #expect(count == 90)
  }

  @Test("n sleepers of one instant wake in n! orders, those of n instants in one")
  func sleepers() async throws {
    // The tasks go to sleep in one order only: each is started by the one before.
    @Sendable func sleeper(_ left: Int, _ gap: Duration, _ clock: VirtualClock) async {
      guard left > 0 else { return }
      await withDiscardingTaskGroup { group in
        group.addTask { try? await clock.sleep(until: .start.advanced(by: .seconds(9) + gap * left)) }
        await Task.yield()
        await sleeper(left - 1, gap, clock)
      }
    }
    let counts = try await [Duration.zero, .seconds(1)].asyncMap { gap in
      try await exploreSchedules(.exhaustively()) { clock in
        try await clock.sleep(for: .seconds(1))
        await sleeper(3, gap, clock)
      }
    }
    #expect(counts == [6, 1])
  }

  @Test("a choice among options multiplies the schedules")
  func options() async throws {
    let chosen = Record<String>()
    let count = try await exploreSchedules(.exhaustively()) { clock in
      chosen("\(clock.choose(from: "ab"))\(clock.choose(from: [1, 2, 3]))\(clock.choose(from: [0]))")
    }
    #expect(count == 6)
    #expect(chosen.all == ["a10", "a20", "a30", "b10", "b20", "b30"])
  }

  @Test("a sleeper that is cancelled at its last instant has woken before, or has not, or is late")
  func cancellationOfTheDue() async throws {
    let endings = Record<String>()
    let count = try await exploreSchedules(.exhaustively()) { clock in
      let sleeper = Task(executorPreference: clock.executor) {
        do {
          try await clock.sleep(for: .seconds(1))
          endings(Task.isCancelled ? "awake, and cancelled" : "awake")
        } catch {
          endings("cancelled")
        }
      }
      await Task.yield()
      try await clock.sleep(for: .seconds(1))
      sleeper.cancel()
      await sleeper.value
    }
    #expect(count == endings.all.count)
    #expect(Set(endings.all) == ["awake", "awake, and cancelled", "cancelled"])
  }

  // MARK: Finding

  /// Reads, waits for somebody, and writes what it has read, plus one.
  actor Cache {
    var visits = 0

    func visit() async {
      let before = visits
      await Task.yield()
      visits = before + 1
    }
  }

  struct LostUpdate: Error, Equatable {}

  @Sendable static func twoVisits(_ clock: VirtualClock) async throws {
    let cache = Cache()
    await withDiscardingTaskGroup { group in
      for _ in 1...2 {
        group.addTask {
          // Far enough apart in the order of arrival.
          for _ in 0..<clock.foreignEnqueues { await Task.yield() }
          await cache.visit()
        }
      }
    }
    if await cache.visits != 2 { throw LostUpdate() }
  }

  @Test("a lost update is found by seeds and exhaustively, and each schedule repeats it alone")
  func findsLostUpdates() async throws {
    for explore in [Self.bySeeds, Self.exhaustively] {
      let error = try #require(await explore(Self.twoVisits))
      #expect(error.failure is LostUpdate)
      for _ in 0..<3 {
        await #expect(throws: LostUpdate()) {
          try await withVirtualTime(order: error.schedule, Self.twoVisits)
        }
      }
      #expect(error.description == "")
    }
  }

  static func bySeeds(_ body: @escaping @Sendable (VirtualClock) async throws -> Void) async
    -> ScheduleError?
  {
    await #expect(throws: ScheduleError.self) {
      try await exploreSchedules(seeds: 0..<1_000, body)
    }
  }

  static func exhaustively(_ body: @escaping @Sendable (VirtualClock) async throws -> Void) async
    -> ScheduleError?
  {
    await #expect(throws: ScheduleError.self) {
      try await exploreSchedules(.exhaustively(), body)
    }
  }
}

extension Array {
  fileprivate func asyncMap<T>(_ transform: (Element) async throws -> T) async rethrows -> [T] {
    var result: [T] = []
    for element in self { result.append(try await transform(element)) }
    return result
  }
}
