import Resilience
import ResilienceTesting
import Synchronization
import Testing

@Suite("Call sites: every shape compiles, and does what it says")
struct CallSiteTests {
  struct Mishap: Error {}

  struct User: Hashable {
    var id: Int
    var isFirst: Bool { id == 1 }
  }

  struct Users {
    func find(_ id: Int) async throws -> User {
      guard id > 0 else { throw Mishap() }
      return User(id: id)
    }
  }

  struct Reply {
    var status: Int
  }

  struct Token: ~Copyable {
    var number: Int
  }

  let breaker = CircuitBreaker(
    "user-service", tripping: .consecutiveFailures(100), over: .sinceTransition)
  let users = Users()

  private func find() async throws -> User { User(id: 1) }
  private func findAgain(_ execution: Execution) async throws -> User {
    User(id: execution.attempt)
  }
  private func isUnknown(_ user: User) -> Bool { user.id == 1 }
  private func unknown(_ error: any Error) async throws -> User { User(id: 0) }
  private func fail() async throws { throw Mishap() }

  /// What the breaker has counted since it was last asked.
  private func outcomes(of breaker: CircuitBreaker? = nil) -> [Outcome: Int] {
    let breaker = breaker ?? self.breaker
    let counts = breaker.snapshot().counts
    breaker.reset()
    return [.success: counts.successes, .failure: counts.failures, .ignored: counts.ignored]
      .filter { $0.value > 0 }
  }
}

// MARK: - Shapes

extension CallSiteTests {
  @Test("the examples of the documentation")
  func examples() async throws {
    let breaker = CircuitBreaker("user-service")
    let cache = [-1: User(id: 7)]
    let custom = CircuitBreaker(
      "user-service",
      tripping: .consecutiveFailures(5),
      over: .interval(.seconds(10)),
      recovery: .init(openFor: .seconds(30), probes: 3, successesToClose: 3),
      classify: { error in error is Mishap ? .ignored : nil },
      clock: VirtualClock(), seed: 1, observers: [EventRecorder()]
    )
    for (id, expected) in [1: User(id: 1), -1: User(id: 7), -2: nil] {
      for breaker in [breaker, custom] {
        let user = try await breaker.run {
          try await users.find(id)
        } fallback: { error in
          cache[id]
        }
        #expect(user == expected)
      }
    }
    #expect(outcomes(of: breaker) == [.success: 1, .failure: 2])
    #expect(outcomes(of: custom) == [.success: 1, .ignored: 2])
  }

  @Test("trailing closures, with every label and without")
  func trailing() async throws {
    let id = 3
    #expect(try await breaker.run { try await users.find(id) } == User(id: 3))
    #expect(try await breaker.run { Reply(status: 200) }.status == 200)
    #expect(try await breaker.run { $0.attempt } == 1)
    #expect(try await breaker.run { execution in execution.hedge } == 0)
    let reply = try await breaker.run {
      Reply(status: 503)
    } failingWhen: {
      $0.status == 503
    }
    #expect(reply.status == 503)
    let other = try await breaker.run {
      Reply(status: 503)
    } failingWhen: {
      $0.status == 503
    } fallback: { error in
      Reply(status: error is FailedResultError ? 200 : 500)
    }
    #expect(other.status == 200)
    let third = try await breaker.run { execution in
      Reply(status: 500 + execution.attempt)
    } failingWhen: { reply in
      reply.status == 501
    } fallback: { _ in
      Reply(status: 0)
    }
    #expect(third.status == 0)
    #expect(outcomes() == [.success: 4, .failure: 3])
  }

  @Test("closures in parentheses, functions, and a mixture")
  func labelled() async throws {
    #expect(try await breaker.run(find) == User(id: 1))
    #expect(try await breaker.run(findAgain) == User(id: 1))
    #expect(try await breaker.run({ 2 }) == 2)
    #expect(try await breaker.run(find, fallback: unknown) == User(id: 1))
    #expect(try await breaker.run(find, failingWhen: isUnknown) == User(id: 1))
    #expect(
      try await breaker.run(find, failingWhen: isUnknown, fallback: unknown) == User(id: 0))
    #expect(
      try await breaker.run(findAgain, failingWhen: { _ in true }, fallback: unknown)
        == User(id: 0))
    #expect(try await breaker.run(find, failingWhen: \.isFirst, fallback: unknown) == User(id: 0))
    #expect(outcomes() == [.success: 4, .failure: 4])
  }

  @Test("operations without a result")
  func void() async throws {
    try await breaker.run {}
    try await breaker.run { _ in }
    try await breaker.run { (_: Execution) in }
    try await breaker.run {
    } fallback: { _ in
    }
    try await breaker.run(fail, fallback: { _ in })
    try await breaker.run {
      throw Mishap()
    } fallback: { _ in
    }
    try await breaker.run {
    } failingWhen: {
      true
    } fallback: { _ in
    }
    let nothing: Void? = try? await breaker.run { throw Mishap() }
    #expect(nothing == nil)
    #expect(outcomes() == [.success: 4, .failure: 4])
  }

  @Test("a fallback that may have nothing makes the result optional")
  func optional() async throws {
    let user = try await breaker.run {
      try await users.find(0)
    } fallback: { _ in
      nil
    }
    #expect(user == User?.none)
    let other = try await breaker.run {
      try await users.find(2)
    } fallback: { _ -> User? in
      nil
    }
    #expect(other == User(id: 2))
    let known: User? = try await breaker.run { try await users.find(3) }
    #expect(known == User(id: 3))
    let tried = try? await breaker.run { try await users.find(0) }
    #expect(tried == nil)
  }

  @Test("results that cannot be copied")
  func noncopyable() async throws {
    let plain = try await breaker.run { Token(number: 1) }
    let graded = try await breaker.run {
      Token(number: 2)
    } failingWhen: {
      $0.number == 2
    }
    let saved = try await breaker.run { () -> Token in
      throw Mishap()
    } fallback: { _ in
      Token(number: 3)
    }
    let replaced = try await breaker.run { execution in
      Token(number: execution.attempt)
    } failingWhen: { token in
      token.number == 1
    } fallback: { _ in
      Token(number: 4)
    }
    let numbers = [plain.number, graded.number, saved.number, replaced.number]
    #expect(numbers == [1, 2, 3, 4])
    #expect(outcomes() == [.success: 1, .failure: 3])
  }

  @Test("captured variables, child tasks, values that are not Sendable")
  func captures() async throws {
    final class Box { var value = 0 }
    let box = Box()
    var log: [Int] = []
    try await breaker.run {
      box.value += 1
      log.append(box.value)
    } failingWhen: {
      log.append(2)
      return true
    } fallback: { _ in
      log.append(3)
    }
    #expect(log == [1, 2, 3])
    let breaker = breaker
    async let first = breaker.run { 1 }
    async let second = breaker.run {
      2
    } fallback: { _ in
      0
    }
    let third = Task { try await breaker.run { 3 } }
    #expect(try await [first, second, third.value] == [1, 2, 3])
  }

  @Test("two steps, and a permit in a box")
  func permits() async throws {
    guard let permit = breaker.tryAcquire() else { throw Mishap() }
    permit.succeed()
    breaker.tryAcquire()?.fail()
    breaker.tryAcquire()?.fail(Mishap())
    if let permit = breaker.tryAcquire() { permit.ignore() }
    if let permit = breaker.tryAcquire() {
      let box = Mutex<CircuitBreaker.Permit?>(permit)
      await Task { box.withLock { $0.take() }?.succeed() }.value
    }
    #expect(outcomes() == [.success: 2, .failure: 2, .ignored: 1])
  }

  /// Its methods begin with the call, and the closures are somebody else's.
  actor Gateway {
    func call(_ breaker: CircuitBreaker, _ body: () async throws -> Void) async throws {
      try await breaker.run(body)
    }

    func callErased(_ policy: any ResiliencePolicy, _ body: () async throws -> Void) async throws {
      try await policy.run(body)
    }

    func callBounded(_ deadline: Deadline, _ body: () async throws -> Void) async throws {
      try await deadline.run(body)
    }

    func callSaved(
      _ policy: some ResiliencePolicy, _ body: () async throws -> Void,
      fallback: (any Error) async throws -> Void
    ) async throws {
      try await policy.run(body, fallback: fallback)
    }
  }

  @Test("closures that an actor passes on run on that actor")
  func passedOn() async throws {
    let gateway = Gateway()
    try await gateway.call(breaker) { gateway.preconditionIsolated() }
    try await gateway.callErased(breaker) { gateway.preconditionIsolated() }
    try await gateway.callBounded(Deadline(in: .seconds(9))) { gateway.preconditionIsolated() }
    try await gateway.callSaved(breaker) {
      gateway.preconditionIsolated()
      throw Mishap()
    } fallback: { _ in
      gateway.preconditionIsolated()
    }
    #expect(outcomes() == [.success: 2, .failure: 1])
  }
}
