import Resilience
import ResilienceTesting
import Testing

@Suite("FB-2: what a memory of good answers takes an error for")
struct LastKnownGoodClassifyTests {
  private struct NoSuchUser: Error {}
  private struct BadRequest: Error {}
  private struct Unavailable: Error {}

  private typealias Memory = LastKnownGood<Int, String>

  private func memory() -> Memory {
    let memory = Memory(
      "users",
      classify: { error in
        switch error {
        case is NoSuchUser: .success
        case is BadRequest: .ignored
        case is Unavailable: .failure
        default: nil
        }
      }, clock: VirtualClock())
    memory.remember("Ada", for: 1)
    return memory
  }

  private func answer(of memory: Memory, to error: any Error) async throws -> Memory.Answer {
    try await memory.run(1) { throw error }
  }

  @Test("an answer is thrown, and what was known is so no longer")
  func answered() async throws {
    let memory = memory()
    await #expect(throws: NoSuchUser.self) { try await answer(of: memory, to: NoSuchUser()) }
    #expect(memory.recall(1) == nil)
    await #expect(throws: Unavailable.self) { try await answer(of: memory, to: Unavailable()) }
  }

  @Test("what is ignored is thrown, and changes nothing")
  func ignored() async throws {
    let memory = memory()
    await #expect(throws: BadRequest.self) { try await answer(of: memory, to: BadRequest()) }
    #expect(memory.recall(1) == .stale("Ada", age: .zero))
  }

  @Test("failures are answered, and so is what is left to the default: refusals, too")
  func failed() async throws {
    let memory = memory()
    let breaker = CircuitBreaker("user-service")
    breaker.isolate()
    let failed = try await answer(of: memory, to: Unavailable())
    let refused = try await memory.run(1, through: breaker) { "Ada" }
    #expect(failed == .stale("Ada", age: .zero))
    #expect(refused == .stale("Ada", age: .zero))
    let snapshot = memory.snapshot()
    #expect([snapshot.fresh, snapshot.stale, snapshot.missed] == [0, 2, 0])
  }

  @Test("it is not asked about a call that its caller cancelled")
  func cancelled() async throws {
    let memory = Memory(
      "users",
      classify: { _ in
        Issue.record("asked")
        return nil
      }, clock: VirtualClock())
    let task = Task {
      unsafe withUnsafeCurrentTask { task in unsafe task?.cancel() }
      return try await answer(of: memory, to: Unavailable())
    }
    await #expect(throws: Unavailable.self) { try await task.value }
  }
}
