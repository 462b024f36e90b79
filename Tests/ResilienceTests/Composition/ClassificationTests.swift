import Resilience
import ResilienceTesting
import Testing

@Suite("Classification: what an outcome means", .timeLimit(.minutes(20)))
struct ClassificationTests {
  struct Mishap: Error {}
  final class Accident: Error {}

  struct Hint: RetryAfterHint {
    var retryAfter: Duration?
  }

  struct Full: RejectionError {
    enum Reason: String, CustomStringConvertible {
      case noPlace
      var description: String { rawValue }
    }
    var policy = "bulkhead"
    var reason = Reason.noPlace
    var retryAfter: Duration?
    var description: String { "full" }
  }

  /// Too wide for an existential's own storage.
  struct WideFull: RejectionError {
    var policy = "bulkhead"
    var reason = Full.Reason.noPlace
    var retryAfter: Duration?
    var padding: (Int, Int, Int, Int, Int, Int, Int, Int) = (0, 0, 0, 0, 0, 0, 0, 0)
    var description: String { "full" }
  }

  static func rejections() async -> [any Error] {
    let breaker = CircuitBreaker("refusing")
    breaker.isolate()
    var rejections: [any Error] = [Full(), WideFull(), WideFull(retryAfter: .seconds(1))]
    do { try await breaker.run {} } catch { rejections.append(error) }
    return rejections
  }

  static let timeouts: [any Error] = [
    TimeoutError(limit: .seconds(1)),
    TimeoutError(limit: .seconds(1), underlying: CancellationError()),
  ]

  static let others: [any Error] = [
    Mishap(), Accident(), Hint(retryAfter: .seconds(1)), FailedResultError(),
  ]

  enum Limit: CaseIterable {
    case none, ahead, passed
  }

  /// How a breaker counts a call that throws the error, in a task that is cancelled or not and
  /// under a deadline or not.
  static func outcome(
    of error: any Error, cancelled: Bool = false, _ limit: Limit = .none,
    classify: (@Sendable (any Error) -> Outcome?)? = nil
  ) async -> Outcome? {
    let breaker = CircuitBreaker(
      "breaker", tripping: .consecutiveFailures(2), over: .sinceTransition, classify: classify)
    await withTaskGroup(of: Void.self) { group in
      if cancelled { group.cancelAll() }
      group.addTask {
        try? await bound(limit) { try await breaker.run { throw error } }
      }
    }
    let counts = breaker.snapshot().counts
    switch counts {
    case .init(failures: 1, consecutiveFailures: 1): return .failure
    case .init(ignored: 1): return .ignored
    case .init(successes: 1, consecutiveSuccesses: 1): return .success
    default: return nil
    }
  }

  private static func bound(_ limit: Limit, _ body: () async throws -> Void) async throws {
    switch limit {
    case .none: try await body()
    case .ahead: try await Deadline(in: .seconds(1), clock: VirtualClock()).run(body)
    case .passed: try await Deadline(in: .zero, clock: VirtualClock()).run(body)
    }
  }
}

// MARK: - X-1

extension ClassificationTests {
  @Test(
    "X-1: a rejection by a policy inside is ignored, whoever made it", arguments: Limit.allCases)
  func rejection(_ limit: Limit) async {
    for error in await Self.rejections() {
      #expect(await Self.outcome(of: error, limit) == .ignored)
      #expect(await Self.outcome(of: error, cancelled: true, limit) == .ignored)
      #expect(Outcome(classifying: error) == .ignored)
    }
  }

  @Test("X-1: a CancellationError is ignored even if nobody cancelled, unless the deadline passed")
  func cancellation() async {
    #expect(await Self.outcome(of: CancellationError()) == .ignored)
    #expect(await Self.outcome(of: CancellationError(), .ahead) == .ignored)
    #expect(await Self.outcome(of: CancellationError(), .passed) == .failure)
  }

  @Test("X-1: every error of a cancelled call is ignored, unless the deadline passed")
  func cancelledCall() async {
    for error in Self.others + Self.timeouts + [CancellationError()] {
      #expect(await Self.outcome(of: error, cancelled: true) == .ignored)
      #expect(await Self.outcome(of: error, cancelled: true, .ahead) == .ignored)
      #expect(await Self.outcome(of: error, cancelled: true, .passed) == .failure)
    }
  }

  @Test("X-1: a timeout and everything else is a failure", arguments: Limit.allCases)
  func failure(_ limit: Limit) async {
    for error in Self.others + Self.timeouts {
      #expect(await Self.outcome(of: error, limit) == .failure)
      #expect(Outcome(classifying: error) == .failure)
    }
  }

  @Test(
    "X-1: a deadline that passes while the operation runs turns its cancellation into a failure")
  func deadlineDuringCall() async throws {
    let clock = VirtualClock()
    let breaker = CircuitBreaker("breaker", over: .sinceTransition, clock: clock)
    for (duration, expected) in [(4, Outcome.ignored), (5, .failure)] {
      breaker.reset()
      try? await Deadline(in: .seconds(5), clock: clock).run {
        try await breaker.run {
          clock.advance(by: .seconds(duration))
          throw CancellationError()
        }
      }
      let counts = breaker.snapshot().counts
      #expect(counts.failures == (expected == .failure ? 1 : 0))
      #expect(counts.ignored == (expected == .ignored ? 1 : 0))
    }
  }

  @Test("X-1: rejections inside never open the breaker around them (failsafe P24)")
  func innerRejections() async {
    let breaker = CircuitBreaker("breaker", tripping: .consecutiveFailures(1))
    for error in await Self.rejections() {
      for _ in 0..<100 { try? await breaker.run { throw error } }
    }
    #expect(breaker.snapshot().counts == .init(ignored: 400))
  }
}

// MARK: - Classifiers

extension ClassificationTests {
  @Test("X-1: `classify:` decides about every error but that of a cancelled call, or leaves it")
  func classify() async {
    let errors = await Self.rejections() + Self.others + Self.timeouts + [CancellationError()]
    for error in errors {
      for limit in Limit.allCases {
        let usual = await Self.outcome(of: error, limit)
        #expect(await Self.outcome(of: error, limit, classify: { _ in nil }) == usual)
      }
      for outcome in [Outcome.success, .failure, .ignored] {
        let asked = Trace<Void>()
        let classify: @Sendable (any Error) -> Outcome? = { _ in
          asked.add(())
          return outcome
        }
        for limit in Limit.allCases {
          #expect(await Self.outcome(of: error, limit, classify: classify) == outcome)
        }
        #expect(asked.all.count == 3)
        #expect(
          await Self.outcome(of: error, cancelled: true, .passed, classify: classify) == outcome)
        #expect(asked.all.count == 4)
        #expect(await Self.outcome(of: error, cancelled: true, classify: classify) == .ignored)
        #expect(
          await Self.outcome(of: error, cancelled: true, .ahead, classify: classify) == .ignored)
        #expect(asked.all.count == 4)
      }
    }
  }

  @Test("X-2: each breaker asks its own classifier, once an outcome, with the very error")
  func askedOnce() async {
    let (inner, outer) = (Trace<String>(), Trace<String>())
    let ignoring: @Sendable (any Error) -> Outcome? = {
      inner.add("\($0)")
      return .ignored
    }
    let first = CircuitBreaker("inner", classify: ignoring)
    let second = CircuitBreaker(
      "outer",
      classify: {
        outer.add("\($0)"); return nil
      })
    let error = Hint(retryAfter: .seconds(3))
    try? await second.run { try await first.run { throw error } }
    try? await second.run {
      try await first.run { throw error }
    } fallback: { _ in
    }
    try? await second.run {
      try await first.run {}
    } failingWhen: {
      true
    }
    first.tryAcquire()?.fail(error)
    #expect(inner.all == ["\(error)", "\(error)"])
    #expect(outer.all == ["\(error)", "\(error)"])
    #expect(first.snapshot().counts.ignored == 2)
    #expect(second.snapshot().counts.failures == 3)
  }

  @Test("X-2: a classifier runs outside the lock, and may call back into its breaker")
  func reentrantClassifier() async {
    let box = Box()
    let breaker = CircuitBreaker(
      "breaker", tripping: .consecutiveFailures(2), over: .sinceTransition,
      classify: { _ in
        guard let breaker = box.breaker else { return nil }
        #expect(breaker.snapshot().counts == .init(inFlight: 1))
        breaker.tryAcquire()?.fail()
        breaker.reset()
        return nil
      })
    box.breaker = breaker
    try? await breaker.run { throw Mishap() }
    #expect(breaker.snapshot().counts == .init(failures: 1, consecutiveFailures: 1))
  }

  @Test("X-2: a predicate runs outside the lock, over a copy, once a failure, and may call back")
  func reentrantPredicate() async {
    let box = Box()
    let seen = Trace<CircuitBreaker.Counts>()
    let breaker = CircuitBreaker(
      "breaker",
      tripping: .when { counts in
        seen.add(counts)
        if let breaker = box.breaker {
          #expect(breaker.snapshot().counts == counts)
          breaker.tryAcquire()?.succeed()
        }
        return counts.failures == 2
      }, over: .sinceTransition)
    box.breaker = breaker
    try? await breaker.run {}
    try? await breaker.run { throw Mishap() }
    try? await breaker.run { throw CancellationError() }
    #expect(breaker.state == .closed)
    try? await breaker.run { throw Mishap() }
    #expect(breaker.state == .open)
    #expect(
      seen.all == [
        .init(successes: 1, failures: 1, consecutiveFailures: 1),
        .init(successes: 2, failures: 2, ignored: 1, consecutiveFailures: 1),
      ])
  }

  @Test(
    "X-2: a predicate's verdict is dropped if a person has intervened while it thought",
    arguments: [true, false])
  func lateVerdict(isolates: Bool) async {
    let box = Box()
    let breaker = CircuitBreaker(
      "breaker",
      tripping: .when { _ in
        if isolates { box.breaker?.isolate() }
        box.breaker?.reset()
        return true
      })
    box.breaker = breaker
    try? await breaker.run { throw Mishap() }
    #expect(breaker.state == .closed)
    #expect(breaker.snapshot().generation == (isolates ? 2 : 0))
  }
}

// MARK: - Tools

extension ClassificationTests {
  /// A breaker that its own callbacks can reach.
  final class Box: Sendable {
    private struct Content: Sendable { weak var breaker: CircuitBreaker? }
    private let content = Lock(Content())
    var breaker: CircuitBreaker? {
      get { content.withLock { $0.breaker } }
      set { content.withLock { $0.breaker = newValue } }
    }
  }

  final class Trace<Entry: Sendable>: Sendable {
    private let entries = Lock<[Entry]>([])
    var all: [Entry] { entries.withLock { $0 } }
    func add(_ entry: Entry) { entries.withLock { $0.append(entry) } }
  }
}
