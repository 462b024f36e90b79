import Resilience
import Testing

/// Conforms to the weaker protocol only.
private struct Once: ConcurrentPolicy {
  func execute<Success: Sendable>(
    _ execution: Execution,
    concurrently operation: @escaping @Sendable (Execution) async throws -> Graded<Success>
  ) async throws -> Graded<Success> {
    try await operation(execution)
  }
}

private struct Broken: Error {}

@Suite("FB-1: fallbacks of policies that run operations concurrently")
struct ConcurrentFallbackTests {
  @Test("an operation without parameter runs")
  func runs() async throws {
    let value = try await Once().run { 1 }
    #expect(value == 1)
  }

  @Test("the fallback answers for an error, where the caller is")
  @MainActor
  func answersForError() async throws {
    let value = try await Once().run { () -> Int in
      throw Broken()
    } fallback: { error in
      MainActor.preconditionIsolated()
      return error is Broken ? 2 : 3
    }
    #expect(value == 2)
    let numbered = try await Once().run { execution -> Int in
      await Task.yield()
      throw execution.attempt == 1 ? Broken() : CancellationError() as any Error
    } fallback: { error in
      MainActor.preconditionIsolated()
      return error is Broken ? 4 : 5
    }
    #expect(numbered == 4)
  }

  @Test("the fallback answers for a value that counts as a failure")
  func answersForValue() async throws {
    let value = try await Once().run {
      503
    } failingWhen: {
      $0 >= 500
    } fallback: { error in
      error is FailedResultError ? 200 : 0
    }
    #expect(value == 200)
  }
}
