import Resilience
import ResilienceTesting
import Testing

@Suite("FB-1: a fallback answers for what was refused or failed", .timeLimit(.minutes(20)))
struct FallbackTests {
  /// A class: the very object can be recognised.
  final class Mishap: Error {}
  final class OtherMishap: Error {}

  struct Refused: RejectionError {
    enum Reason: CustomStringConvertible {
      case always
      var description: String { "always" }
    }
    var policy = "somebody else's"
    var reason = Reason.always
    var retryAfter: Duration?
    var description: String { "refused" }
  }

  struct Token: ~Copyable {
    var number: Int
  }

  let clock = VirtualClock()

  private func breaker(probes: Int = 1) -> CircuitBreaker {
    CircuitBreaker(
      "breaker", tripping: .consecutiveFailures(100), over: .sinceTransition,
      recovery: .init(openFor: .seconds(9), probes: probes), clock: clock)
  }

  /// The fallback's argument, for an operation that throws `error`.
  private func argument(_ breaker: CircuitBreaker, _ error: any Error) async throws -> any Error {
    try await breaker.run {
      throw error
    } fallback: {
      $0
    }
  }

  private static func inCancelledTask<Value: Sendable>(
    _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { group in
      group.cancelAll()
      group.addTask { try await body() }
      // One task was added.
      return try await group.next()!
    }
  }
}

extension FallbackTests {
  @Test("a failure: the very error that was thrown (gobreaker B9)")
  func failure() async throws {
    let breaker = breaker()
    let mishap = Mishap()
    #expect(try await argument(breaker, mishap) as? Mishap === mishap)
    await #expect { try await breaker.run { throw mishap } } throws: { $0 as? Mishap === mishap }
    #expect(breaker.snapshot().counts == .init(failures: 2, consecutiveFailures: 2))
  }

  @Test("a rejection, for every reason")
  func rejection() async throws {
    let breaker = breaker()
    func refusal() async throws -> CircuitOpenError.Reason? {
      let error = try await breaker.run {
        Issue.record("the operation ran")
        return Mishap() as any Error
      } fallback: {
        $0
      }
      return (error as? CircuitOpenError)?.reason
    }
    breaker.trip()
    #expect(try await refusal() == .open)
    breaker.isolate()
    #expect(try await refusal() == .isolated)
    breaker.trip(for: .zero)
    let probe = breaker.tryAcquire()
    #expect(try await refusal() == .halfOpenFull)
    probe?.succeed()
    breaker.tryAcquire()?.fail()
    #expect(try await refusal() == .probation)
    #expect(breaker.snapshot().totals.rejected == 4)
  }

  @Test("a result that counts as a failure")
  func failedResult() async throws {
    let breaker = breaker()
    let error = try await breaker.run {
      Mishap() as any Error
    } failingWhen: { _ in
      true
    } fallback: {
      $0
    }
    #expect(error is FailedResultError)
    let token = try await breaker.run { execution in
      Token(number: execution.attempt)
    } failingWhen: {
      $0.number == 1
    } fallback: { _ in
      Token(number: 2)
    }
    #expect(token.number == 2)
    #expect(breaker.snapshot().counts == .init(failures: 2, consecutiveFailures: 2))
  }

  @Test("what is neutral to the breaker but no answer: rejections inside, cancellation by nobody")
  func neutral() async throws {
    let breaker = breaker()
    #expect(try await argument(breaker, Refused()) is Refused)
    #expect(try await argument(breaker, CancellationError()) is CancellationError)
    #expect(try await argument(breaker, TimeoutError(limit: .seconds(1))) is TimeoutError)
    #expect(
      breaker.snapshot().counts == .init(failures: 1, ignored: 2, consecutiveFailures: 1))
  }

  @Test("not a success")
  func success() async throws {
    let breaker = breaker()
    let answer = try await breaker.run {
      1
    } fallback: { _ in
      2
    }
    #expect(answer == 1)
    let passed = try await breaker.run {
      3
    } failingWhen: {
      $0 != 3
    } fallback: { _ in
      4
    }
    #expect(passed == 3)
  }

  @Test("an ordinary switch chooses by error, and may throw an error of its own")
  func chosen() async throws {
    func call(_ breaker: CircuitBreaker, _ error: any Error) async throws -> String {
      try await breaker.run {
        throw error
      } fallback: { error in
        switch error {
        case let error as CircuitOpenError: "\(error.reason)"
        case is Mishap: "mishap"
        case is OtherMishap: throw Refused()
        default: throw error
        }
      }
    }
    let breaker = breaker()
    #expect(try await call(breaker, Mishap()) == "mishap")
    await #expect(throws: Refused.self) { try await call(breaker, OtherMishap()) }
    await #expect(throws: TimeoutError.self) {
      try await call(breaker, TimeoutError(limit: .zero))
    }
    breaker.trip()
    #expect(try await call(breaker, Mishap()) == "open")
  }

  @Test("the breaker does not look at the fallback: neither its failure nor its time counts")
  func notCounted() async throws {
    let breaker = breaker()
    let clock = clock
    await #expect(throws: OtherMishap.self) {
      try await breaker.run {
        throw Mishap()
      } fallback: { _ in
        #expect(breaker.snapshot().running == 0)
        clock.advance(by: .seconds(1))
        throw OtherMishap()
      }
    }
    #expect(breaker.snapshot().counts == .init(failures: 1, consecutiveFailures: 1))
    #expect(breaker.snapshot().totals == .init(failures: 1))
  }
}

// MARK: - Cancellation

extension FallbackTests {
  @Test("not for a cancelled caller: its error passes as it is")
  func cancelled() async throws {
    let breaker = breaker()
    let mishap = Mishap()
    for error in [mishap, CancellationError(), Refused()] as [any Error] {
      await #expect {
        try await Self.inCancelledTask {
          try await breaker.run {
            throw error
          } fallback: { _ in
            Issue.record("the fallback was asked")
          }
        }
      } throws: {
        type(of: $0) == type(of: error) && ($0 as? Mishap === mishap || !($0 is Mishap))
      }
    }
    #expect(breaker.snapshot().counts == .init(ignored: 3))
    breaker.trip()
    await #expect(throws: CircuitOpenError.self) {
      try await Self.inCancelledTask {
        try await breaker.run {
        } fallback: { _ in
          Issue.record("the fallback was asked")
        }
      }
    }
  }

  @Test("a cancelled caller that gets a value keeps it")
  func cancelledSuccess() async throws {
    let breaker = breaker()
    let answer = try await Self.inCancelledTask {
      try await breaker.run {
        1
      } fallback: { _ in
        2
      }
    }
    #expect(answer == 1)
    #expect(breaker.snapshot().counts == .init(successes: 1, consecutiveSuccesses: 1))
  }

  @Test("a cancelled caller that gets a bad result keeps that, too")
  func cancelledResult() async throws {
    let breaker = breaker()
    let answer = try await Self.inCancelledTask {
      try await breaker.run {
        1
      } failingWhen: { _ in
        true
      } fallback: { _ in
        2
      }
    }
    #expect(answer == 1)
  }

  @Test("for a deadline that passed inside: the caller is not cancelled, its operation was")
  func deadlineInside() async throws {
    try await withVirtualTime { clock in
      let breaker = CircuitBreaker("breaker", over: .sinceTransition, clock: clock)
      let answer = try await breaker.run {
        try await Deadline(in: .seconds(2), clock: clock).run {
          try await withThrowingTaskGroup(of: String.self) { group in
            group.addTask {
              try await clock.sleep(for: .seconds(60))
              return "late"
            }
            try await clock.sleep(for: .seconds(2))
            group.cancelAll()
            // One task was added.
            return try await group.next()!
          }
        }
      } fallback: { error in
        error is CancellationError ? "known" : "unknown"
      }
      #expect(answer == "known")
      #expect(clock.now == .init(offset: .seconds(2)))
    }
  }

  @Test("a caller that is cancelled while the fallback answers gets what the fallback makes of it")
  func cancelledDuringFallback() async throws {
    try await withVirtualTime { clock in
      let breaker = CircuitBreaker("breaker", over: .sinceTransition, clock: clock)
      let answer = try await withThrowingTaskGroup(of: String.self) { group in
        group.addTask {
          try await breaker.run {
            throw Mishap()
          } fallback: { _ in
            do { try await clock.sleep(for: .seconds(60)) } catch { return "cancelled" }
            return "answered"
          }
        }
        await clock.advance(by: .seconds(1))
        group.cancelAll()
        // One task was added.
        return try await group.next()!
      }
      #expect(answer == "cancelled")
      #expect(breaker.snapshot().counts == .init(failures: 1, consecutiveFailures: 1))
    }
  }
}
