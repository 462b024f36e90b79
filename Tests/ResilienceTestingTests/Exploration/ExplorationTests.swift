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

  @Test("two tasks of k yields each have (2n choose n) schedules", arguments: 0...4)
  func interleavings(yields: Int) async throws {
    let count = try await exploreSchedules(.exhaustively()) { _ in
      await withDiscardingTaskGroup { group in
        for _ in 1...2 {
          group.addTask { for _ in 0..<yields { await Task.yield() } }
        }
      }
    }
    let jobs = 1 + Self.jobsOfAYield * yields
    #expect(count == (1...jobs).reduce(1) { $0 * (jobs + $1) / $1 })
  }

  /// One that comes back from the executor, and one that comes back from `Task.yield`.
  static let jobsOfAYield = 2

  @Test("three tasks of one yield each have (3n)! / n!^3 schedules")
  func multinomial() async throws {
    let count = try await exploreSchedules(.exhaustively()) { _ in
      await withDiscardingTaskGroup { group in
        for _ in 1...3 { group.addTask { await Task.yield() } }
      }
    }
    #expect(count == 1_680)
  }

  @Test(
    "n sleepers of one instant wake in n! orders, those of n instants in one", arguments: [0, 1])
  func sleepers(gap: Int) async throws {
    let orders = Record<[Int]>()
    let count = try await exploreSchedules(.exhaustively()) { clock in
      let order = Record<Int>()
      await withDiscardingTaskGroup { group in
        for task in 1...4 {
          group.addTask {
            try? await clock.sleep(for: .seconds(9 + gap * task))
            order(task)
          }
        }
      }
      orders(order.all)
    }
    // They go to sleep in any order, too.
    #expect(count == (gap == 0 ? 24 * 24 : 24))
    #expect(Set(orders.all).count == (gap == 0 ? 24 : 1))
  }

  @Test("a choice among options multiplies the schedules")
  func options() async throws {
    let chosen = Record<String>()
    let count = try await exploreSchedules(.exhaustively()) { clock in
      chosen(
        "\(clock.choose(from: "ab"))\(clock.choose(from: [1, 2, 3]))\(clock.choose(from: [0]))")
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

  /// In order of arrival the second visit begins long after the first has ended.
  @Sendable static func twoVisits(_ clock: VirtualClock) async throws {
    let cache = Cache()
    await withDiscardingTaskGroup { group in
      for visitor in 0...1 {
        group.addTask {
          for _ in 0..<2 * visitor { await Task.yield() }
          await cache.visit()
        }
      }
    }
    if await cache.visits != 2 { throw LostUpdate() }
  }

  @Test("a lost update is found by seeds and exhaustively, and each schedule repeats it alone")
  func findsLostUpdates() async throws {
    try await withVirtualTime { try await Self.twoVisits($0) }
    let errors = try await [
      #require(explorationError { try await exploreSchedules(seeds: 0..<1_000, Self.twoVisits) }),
      #require(explorationError { try await exploreSchedules(.exhaustively(), Self.twoVisits) }),
    ]
    for error in errors {
      #expect(error.failure is LostUpdate)
      for _ in 0..<3 {
        await #expect(throws: LostUpdate()) {
          try await withVirtualTime(order: error.schedule, Self.twoVisits)
        }
      }
    }
    #expect(
      errors.map(\.description) == [
        """
        A schedule fails, after 0 that pass: LostUpdate()
          Replay it alone: withVirtualTime(order: .shuffled(seed: 0)) { clock in … }
        """,
        """
        A schedule fails, after 2 that pass: LostUpdate()
          Replay it alone: withVirtualTime(order: .replaying([0, 0, 0, 0, 0, 0, 0, 0, 1])) { clock \
        in … }
        """,
      ])
  }

  // MARK: What cannot be explored

  @Test("more schedules than the limit are an error, which says how many passed")
  func limit() async throws {
    @Sendable func program(_ clock: VirtualClock) { _ = clock.choose(from: 0..<24) }
    #expect(try await exploreSchedules(.exhaustively(limit: 24), program) == 24)
    for limit in [-1, 0, 1, 23] {
      let error = try await #require(
        explorationError { try await exploreSchedules(.exhaustively(limit: limit), program) })
      guard case .limit(limit) = error.reason else {
        Issue.record(error)
        return
      }
      #expect(error.passed == max(0, limit))
      #expect(error.description.hasPrefix("There are more than \(limit) schedules"))
    }
  }

  @Test(
    "a body that keeps state between runs is not deterministic, whether it has fewer choices or more"
  )
  func keepsState() async throws {
    for grows in [true, false] {
      let runs = Lock(0)
      let error = try await #require(
        explorationError {
          try await exploreSchedules(.exhaustively()) { clock in
            let run = runs.withLock { runs in
              runs += 1
              return runs
            }
            _ = clock.choose(from: 0..<(grows ? 3 + run : 9 - run))
            _ = clock.choose(from: 0..<2)
          }
        })
      guard case .diverged = error.reason else {
        Issue.record(error)
        return
      }
      #expect(error.passed == 1)
      #expect(error.description.hasPrefix("Not deterministic"))
    }
  }

  @Test("what comes from outside the loop is an error, under seeds and exhaustively")
  func foreignEnqueues() async throws {
    @Sendable func program(_ clock: VirtualClock) async { await MainActor.run {} }
    let errors = try await [
      #require(
        explorationError {
          try await exploreSchedules(seeds: 5..<9, grace: .seconds(60), program)
        }),
      #require(
        explorationError {
          try await exploreSchedules(.exhaustively(), grace: .seconds(60), program)
        }),
    ]
    for error in errors {
      guard case .foreignEnqueues(1) = error.reason else {
        Issue.record(error)
        return
      }
      #expect(error.passed == 0)
      #expect(error.description.hasPrefix("Not deterministic"))
    }
    #expect(errors[0].schedule == .shuffled(seed: 5))
  }

  @Test("a program that cannot end under some schedule fails there")
  func deadlock() async throws {
    @Sendable func program(_ clock: VirtualClock) async {
      let doorbell = Doorbell()
      await withDiscardingTaskGroup { group in
        group.addTask { await doorbell.wait() }
        group.addTask { doorbell.ring() }
      }
    }
    let error = try await #require(
      explorationError { try await exploreSchedules(.exhaustively(), grace: .zero, program) })
    #expect((error.failure as? VirtualTimeError)?.reason == .deadlock)
    #expect(error.schedule == .replaying([1]))
    #expect(error.passed == 1)
  }

  @Test("the job limit and the way of advancing are those of every run")
  func passesOptionsOn() async throws {
    let limited = try await #require(
      explorationError {
        try await exploreSchedules(.exhaustively(), jobLimit: 100) { _ in
          while !Task.isCancelled { await Task.yield() }
        }
      })
    #expect((limited.failure as? VirtualTimeError)?.reason == .jobLimit)
    for explore in [Self.seedsManually, Self.allManually] {
      let forgotten = try await #require(explorationError(explore))
      #expect((forgotten.failure as? VirtualTimeError)?.reason == .deadlock)
    }
    let count = try await exploreSchedules(.exhaustively(), jobLimit: .max) { _ in }
    #expect(count == 1)
  }

  @Sendable static func seedsManually() async throws {
    try await exploreSchedules(seeds: 0..<1, advancing: .manually, grace: .zero) { clock in
      try await clock.sleep(for: .seconds(1))
    }
  }

  @Sendable static func allManually() async throws {
    try await exploreSchedules(.exhaustively(), advancing: .manually, grace: .zero) { clock in
      try await clock.sleep(for: .seconds(1))
    }
  }

  @Test("an exploration that is cancelled ends with that, and finds nothing")
  func cancelled() async throws {
    let (started, start) = AsyncStream<Void>.makeStream()
    let task = Task {
      try await exploreSchedules(.exhaustively(), advancing: .manually, grace: .seconds(60)) {
        start.finish()
        try await $0.sleep(for: .seconds(1))
      }
    }
    for await _ in started {}
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }

    let runs = Lock(0)
    let late = Task {
      unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
      try await exploreSchedules(seeds: 0..<9) { _ in runs.withLock { $0 += 1 } }
    }
    await #expect(throws: CancellationError.self) { try await late.value }
    #expect(runs.withLock { $0 } == 0)
  }

  @Test("no seeds are no schedules, and the largest seed is one")
  func seedsAtTheEnds() async throws {
    let seeds = Record<Int>()
    try await exploreSchedules(seeds: 7..<7) { _ in seeds(0) }
    #expect(seeds.all == [])
    try await exploreSchedules(seeds: UInt64.max - 1..<UInt64.max) { _ in seeds(1) }
    #expect(seeds.all == [1])
  }
}

private func explorationError(_ explore: () async throws -> Void) async -> ScheduleError? {
  await #expect(throws: ScheduleError.self) { try await explore() }
}

/// Wakes who waits for it. A ring is lost if nobody does.
private final class Doorbell: Sendable {
  private let waiter = Lock<CheckedContinuation<Void, Never>?>(nil)

  func ring() {
    waiter.withLock { $0.take() }?.resume()
  }

  func wait() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in waiter.withLock { $0 = continuation } }
    } onCancel: {
      ring()
    }
  }
}
