import ResilienceTesting
import Synchronization
import Testing

@testable import Resilience

@Suite("A task that waits to be told something")
struct WaiterTests {
  @Test("told before it waits, it does not wait")
  func toldBefore() async {
    let waiter = Waiter<Int>()
    #expect(!waiter.isTold)
    #expect(waiter.tell(1))
    #expect(waiter.isTold)
    #expect(await waiter.word() == 1)
  }

  @Test("only the first word is recorded and heard")
  func firstWord() async {
    let waiter = Waiter<Int>()
    let recorded = Atomic(0)
    #expect(waiter.tell(1) { recorded.wrappingAdd(1, ordering: .relaxed) })
    #expect(!waiter.tell(2) { recorded.wrappingAdd(10, ordering: .relaxed) })
    #expect(await waiter.word() == 1)
    #expect(recorded.load(ordering: .relaxed) == 1)
  }

  @Test("told while it waits, it goes on")
  func toldWhileWaiting() async throws {
    try await withVirtualTime { clock in
      let waiter = Waiter<Int>()
      let waiting = Task { await waiter.word() }
      await clock.advance(by: .seconds(1))
      #expect(waiter.tell(3))
      #expect(await waiting.value == 3)
    }
  }

  @Test("of many words at once, from many threads, one is first and is heard")
  func race() async {
    for _ in 0..<500 {
      let waiter = Waiter<Int>()
      let numbers = await withTaskGroup(of: Int.self) { group in
        group.addTask { await waiter.word() }
        for word in 1...4 { group.addTask { waiter.tell(word) ? -word : 0 } }
        return await group.reduce(into: [Int]()) { if $1 != 0 { $0.append($1) } }
      }
      // The word that was heard, and the one that was first.
      #expect(numbers.count == 2 && numbers.reduce(0, +) == 0)
    }
  }
}
