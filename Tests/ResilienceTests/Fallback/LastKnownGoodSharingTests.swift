import Resilience
import ResilienceTesting
import Testing

@Suite("FB-2: last known good, where it runs and who shares it", .timeLimit(.minutes(20)))
struct LastKnownGoodSharingTests {
  typealias Home = IsolationTests.Home
  typealias Ledger = IsolationTests.Ledger
  typealias Memory = LastKnownGood<String, Int>

  struct Mishap: Error {}

  // MARK: - Where it runs

  /// Isolated to nothing that it could name.
  static func call(from actor: any Actor) async throws {
    let home = Home(actor: actor)
    let memory = Memory()
    try await call(memory, through: IsolationTests.closed(), home)
    try await call(memory, through: IsolationTests.Waiting(), home)
    let ledger = Ledger()
    let fresh = try await memory.run("plain") {
      home.check()
      await home.leave()
      ledger.entries += 1
      return ledger.entries
    } failingWhen: { _ in
      home.check()
      return false
    }
    home.check()
    let stale = try await memory.run("plain") {
      await home.leave()
      ledger.entries += 1
      throw Mishap()
    }
    home.check()
    #expect(fresh == .fresh(1) && stale.value == 1 && ledger.entries == 2)
  }

  static func call(
    _ memory: Memory, through policy: some ResiliencePolicy, _ home: Home
  ) async throws {
    let ledger = Ledger()
    let fresh = try await memory.run("a", through: policy) {
      home.check()
      await home.leave()
      ledger.entries += 1
      return ledger.entries
    } failingWhen: { value in
      home.check()
      ledger.entries += 1
      return value > 1
    }
    home.check()
    let stale = try await memory.run("a", through: policy) {
      home.check()
      await home.leave()
      ledger.entries += 1
      throw Mishap()
    }
    home.check()
    #expect(fresh == .fresh(1) && stale.value == 1 && ledger.entries == 3)
    do {
      // Not in `#expect(throws:)`: that leaves the actor by itself.
      _ = try await memory.run("unknown", through: policy) {
        await home.leave()
        throw Mishap()
      }
    } catch {
      home.check()
      ledger.entries += 1
    }
    #expect(ledger.entries == 4)
  }

  actor Clerk {
    func call() async throws {
      // 6.3.1 forgets to come to the actor at all if a method begins with a call of such a function.
      preconditionIsolated()
      try await LastKnownGoodSharingTests.call(from: self)
    }
  }

  @Test("FB-2: an actor's operation runs on it, through a function that is isolated to nothing")
  func actor() async throws {
    try await Clerk().call()
  }

  @MainActor
  @Test("FB-2: the main actor's operation too")
  func mainActor() async throws {
    MainActor.preconditionIsolated()
    try await Self.call(from: MainActor.shared)
  }

  // MARK: - The end of values

  /// Uses the memory when it ends, which a lock would not survive.
  final class Fuse: Sendable {
    let ended: Shared<[Int]>
    let number: Int
    let memory: Shared<LastKnownGood<Int, Fuse>?>

    init(_ number: Int, in memory: Shared<LastKnownGood<Int, Fuse>?>, _ ended: Shared<[Int]>) {
      self.number = number
      self.memory = memory
      self.ended = ended
    }

    deinit {
      memory.value?.forget(-1)
      ended.value += [number]
    }
  }

  @Test("FB-2: values end outside the lock, however they have to go")
  func ends() {
    let (ended, box) = (Shared<[Int]>([]), Shared<LastKnownGood<Int, Fuse>?>(nil))
    let clock = VirtualClock()
    box.value = LastKnownGood(capacity: 2, maxAge: .seconds(10), clock: clock)
    func remember(_ number: Int, for key: Int) {
      box.value?.remember(Fuse(number, in: box, ended), for: key)
    }
    remember(1, for: 1)
    remember(2, for: 1)
    #expect(ended.value == [1])
    remember(3, for: 2)
    remember(4, for: 3)
    #expect(ended.value == [1, 2])
    box.value?.forget(2)
    #expect(ended.value == [1, 2, 3])
    clock.advance(by: .seconds(11))
    #expect(box.value?.recall(3) == nil)
    #expect(ended.value == [1, 2, 3, 4])
    remember(5, for: 1)
    remember(6, for: 2)
    box.value?.removeAll()
    #expect(Set(ended.value) == [1, 2, 3, 4, 5, 6])
    box.value = nil
  }

  // MARK: - Many at a time

  /// What a thread has read of each key. Every key has one writer, who counts up.
  struct Reader {
    var latest: [Int: Int] = [:]

    mutating func isSound(_ value: Int, for key: Int) -> Bool {
      let (owner, number) = (value % 100, value / 100)
      defer { latest[key] = number }
      return owner == key && number >= latest[key] ?? 0
    }
  }

  @Test("FB-2: on many threads no value is another key's, none older than one seen before")
  func stress() async {
    let clock = VirtualClock()
    let memory = LastKnownGood<Int, Int>(
      capacity: 20, maxAge: .microseconds(500), clock: clock, observers: [EventRecorder()])
    let (threads, rounds) = (4, 5_000)
    let calls = await withTaskGroup(of: [Int].self) { group in
      for thread in 0..<threads {
        group.addTask {
          var dice = Dice(seed: UInt64(thread))
          var reader = Reader()
          var counts = [0, 0, 0]
          for round in 0..<rounds {
            await clock.advance(by: .microseconds(Int.random(in: 0...3, using: &dice)))
            let key = Int.random(in: 0..<40, using: &dice)
            let mine = key / threads * threads + thread
            if round % 97 == 0 { memory.forget(key) }
            if round % 1_501 == 0 { memory.removeAll() }
            _ = try? await memory.run(mine) { round * 100 + mine }
            counts[0] += 1
            guard let answer = try? await memory.run(key, { throw Mishap() }) else {
              counts[2] += 1
              continue
            }
            counts[1] += 1
            let isSound = reader.isSound(answer.value, for: key)
            if !isSound { Issue.record("\(answer) for \(key)") }
          }
          return counts
        }
      }
      return await group.reduce(into: [0, 0, 0]) { sum, counts in
        for index in sum.indices { sum[index] += counts[index] }
      }
    }
    let snapshot = memory.snapshot()
    #expect([snapshot.fresh, snapshot.stale, snapshot.missed] == calls)
    #expect(snapshot.count <= 20)
    #expect(calls[1] > 500 && calls[2] > 500)
  }
}
