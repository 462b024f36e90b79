import Resilience
import Testing

@Suite("Promise 3: a caller that gives up says nothing about the dependency")
struct CancelledValueTests {
  /// Runs the body in a task that is cancelled already.
  private func cancelled<Value: Sendable>(
    _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    let task = Task {
      unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
      return try await body()
    }
    return try await task.value
  }

  @Test("a value that counts as a failure is neutral if the caller cancelled the call")
  func failingValue() async throws {
    let breaker = CircuitBreaker(
      "any", tripping: .consecutiveFailures(1), over: .sinceTransition,
      recovery: .init(openFor: .seconds(3600)))
    let status = try await cancelled {
      try await breaker.run {
        499
      } failingWhen: {
        $0 >= 400
      }
    }
    #expect(status == 499)
    #expect(breaker.snapshot().counts == .init(ignored: 1))
    #expect(breaker.state == .closed)
  }

  @Test("X-1: it is a failure if the deadline has passed")
  func failingValueAfterDeadline() async throws {
    let breaker = CircuitBreaker(
      "any", tripping: .consecutiveFailures(1), over: .sinceTransition,
      recovery: .init(openFor: .seconds(3600)))
    let status = try await cancelled {
      try await Deadline(in: .zero).run {
        try await breaker.run {
          499
        } failingWhen: {
          $0 >= 400
        }
      }
    }
    #expect(status == 499)
    #expect(breaker.state == .open)
    #expect(breaker.snapshot().totals == .init(failures: 1, trips: 1))
  }

  @Test("FB-1: the caller gets the value and not the fallback")
  func noFallback() async throws {
    let breaker = CircuitBreaker("any")
    let status = try await cancelled {
      try await breaker.run {
        499
      } failingWhen: {
        $0 >= 400
      } fallback: { _ in
        200
      }
    }
    #expect(status == 499)
  }
}
