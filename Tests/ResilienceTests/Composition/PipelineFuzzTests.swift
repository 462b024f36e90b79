import Resilience
import ResilienceTesting
import Testing

/// Random policies with random settings around operations that do anything, for callers that give up at
/// any time: what must hold whatever the pipeline is.
@Suite("Pipelines of any policies, in any order", .timeLimit(.minutes(20)))
struct PipelineFuzzTests {
  /// What a call was like, and how it ended.
  struct Call: Sendable {
    let beginning: Duration
    let cancellation: Duration?
    var end = Duration.zero
    var isFreeOfDeadlines = false
    var attemptsAfterwards = 0
  }

  /// All that a seed has led to.
  struct Ending: Sendable {
    var calls: [Call] = []
    var journal: [String] = []
  }

  static func run(_ seed: UInt64) async throws -> Ending {
    try await withVirtualTime { clock in
      var dice = Dice(seed: seed)
      let bench = Bench(&dice, clock)
      let calls = await withTaskGroup(of: Call.self) { group in
        for _ in 0..<Int.random(in: 1...6, using: &dice) {
          let beginning = dice.time(upTo: 20)
          let lasts = dice.time(upTo: 32)
          let call = Call(
            beginning: beginning, cancellation: dice.oneIn(3) ? beginning + lasts : nil)
          group.addTask { await bench.make(call) }
        }
        return await group.reduce(into: []) { $0.append($1) }
      }
      // What a hedge has lost is cancelled when the hedge's task goes on.
      if !bench.hedges.isEmpty { await clock.advance(by: .zero) }
      if bench.mayNothingGoOn { #expect(clock.sleeperCount == 0, "seed \(seed)") }
      // What was abandoned ends by then.
      await clock.advance(by: .seconds(100))
      bench.check(calls, "seed \(seed): \(bench.policy.layers.map(\.description))")
      return Ending(calls: calls, journal: bench.journal.all)
    }
  }

  @Test("X-4, RT-3, RT-4, RB-1, RB-3, TO-3, TO-6, DL-3: nothing is left, lost or counted twice")
  func everything() async throws {
    for seed in 0..<400 { _ = try await Self.run(UInt64(seed)) }
  }

  @Test("X-3: the same seed, the same course", arguments: [3, 14, 159, 265])
  func again(_ seed: UInt64) async throws {
    let (first, second) = (try await Self.run(seed), try await Self.run(seed))
    #expect(first.journal == second.journal)
    #expect(first.calls.map(\.end) == second.calls.map(\.end))
  }
}

// MARK: - Random pipelines

extension PipelineFuzzTests {
  /// Counts the extra attempts of a retry that have failed: what its budget must have paid.
  struct Tally: ResiliencePolicy {
    let failedExtra: Shared<Int>
    let isNested: Bool

    func execute<Success: ~Copyable>(
      _ execution: Execution, _ operation: (Execution) async throws -> Graded<Success>
    ) async throws -> Graded<Success> {
      do {
        let graded = try await operation(execution)
        count(execution, graded.outcome)
        return graded
      } catch {
        count(execution, Outcome(classifying: error))
        throw error
      }
    }

    private func count(_ execution: Execution, _ outcome: Outcome) {
      guard !isNested, execution.attempt > 1, outcome == .failure else { return }
      failedExtra.value += 1
    }
  }

  /// A pipeline that grows inwards, and what looks after it.
  struct Bench: Sendable {
    let clock: VirtualClock
    let journal = Journal()
    let budgets: [RetryBudget]
    let failedExtra = [Shared(0), Shared(0)]
    let successes = Shared(0)
    /// Whether operations may ignore that they are cancelled.
    let isDeaf: Bool
    let dice: Shared<Dice>
    private(set) var policy = AnyConcurrentPolicy(OptionalPolicy<Retry>(nil))
    private(set) var breakers: [CircuitBreaker] = []
    private(set) var abandoning: [AbandoningTimeout] = []
    private(set) var bulkheads: [Bulkhead] = []
    private(set) var rateLimiters: [RateLimiter] = []
    private(set) var adaptiveLimiters: [AdaptiveLimiter] = []
    private(set) var hedges: [Hedge] = []
    private(set) var throttles: [Throttle] = []
    private(set) var injections: [FaultInjection] = []
    /// The limit of the outermost policy, if it has one.
    private(set) var limit: Duration?
    /// Whether a retry has been added that makes more than one attempt.
    private var repeats = false

    init(_ dice: inout Dice, _ clock: VirtualClock) {
      self.clock = clock
      budgets = (0..<2).map { _ in
        RetryBudget(
          ratio: 0.5, window: .seconds(1_000_000),
          minimumCapacity: Int.random(in: 1...5, using: &dice), clock: clock)
      }
      isDeaf = dice.oneIn(3)
      self.dice = Shared(Dice(seed: dice.next()))
      for place in 0..<Int.random(in: 1...6, using: &dice) {
        let time = dice.time(upTo: 24)
        let inner = makePolicy("\(place)", time, &dice)
        if place == 0, inner is Timeout || inner is AbandoningTimeout { limit = time }
        policy = AnyConcurrentPolicy(PolicyStack(policy, AnyConcurrentPolicy(inner)))
      }
    }

    private mutating func makePolicy(
      _ name: String, _ time: Duration, _ dice: inout Dice
    ) -> any ConcurrentPolicy {
      let observers = [Journalist(journal: journal)]
      switch Int.random(in: 0..<15, using: &dice) {
      case 0, 1: return Timeout(time, name: name, clock: clock, observers: observers)
      case 2:
        let timeout = AbandoningTimeout(
          time, maxAbandoned: Int.random(in: 1...3, using: &dice), name: name, clock: clock,
          observers: observers)
        abandoning.append(timeout)
        return timeout
      case 3, 4:
        let breaker = CircuitBreaker(
          name, tripping: .consecutiveFailures(Int.random(in: 1...4, using: &dice)),
          recovery: .init(openFor: .constant(time + .milliseconds(1))), clock: clock,
          seed: dice.next(), observers: observers)
        breakers.append(breaker)
        return breaker
      case 5: return makeBulkhead(name, time, &dice)
      case 6: return makeRateLimiter(name, time, &dice)
      case 7: return makeHedge(name, time, &dice)
      case 8:
        let limiter = AdaptiveLimiter(
          name, algorithm: .aimd(initial: Int.random(in: 1...3, using: &dice)), clock: clock,
          observers: observers)
        adaptiveLimiters.append(limiter)
        return limiter
      case 9:
        let throttle = Throttle(name, clock: clock, seed: dice.next(), observers: observers)
        throttles.append(throttle)
        return throttle
      case 10:
        let injection = FaultInjection(
          name,
          [
            .latency(time + .milliseconds(1), rate: 0.2), .error(rate: 0.2) { Unavailable() },
            .result(503, rate: 0.1, countsAsFailure: true),
          ], clock: clock, seed: dice.next(), observers: observers)
        injections.append(injection)
        return injection
      default: return makeRetry(name, time, &dice)
      }
    }

    private mutating func makeBulkhead(
      _ name: String, _ time: Duration, _ dice: inout Dice
    ) -> Bulkhead {
      let orders = [Bulkhead.Order.fifo, .newestFirst, .priority]
      let bulkhead = Bulkhead(
        name, limit: Int.random(in: 1...3, using: &dice),
        queue: Int.random(in: 0...3, using: &dice), maxWait: time,
        order: orders[Int.random(in: 0..<3, using: &dice)], clock: clock,
        observers: [Journalist(journal: journal)])
      bulkheads.append(bulkhead)
      return bulkhead
    }

    private mutating func makeRateLimiter(
      _ name: String, _ time: Duration, _ dice: inout Dice
    ) -> RateLimiter {
      let limiter = RateLimiter(
        name, RateLimiter.Rate(Int.random(in: 1...3, using: &dice), per: .seconds(1)),
        burst: Int.random(in: 1...3, using: &dice), maxWait: time, clock: clock,
        observers: [Journalist(journal: journal)])
      rateLimiters.append(limiter)
      return limiter
    }

    private mutating func makeHedge(
      _ name: String, _ time: Duration, _ dice: inout Dice
    ) -> Hedge {
      let hedge = Hedge(
        name, delay: .fixed(time), maxHedges: Int.random(in: 1...2, using: &dice), clock: clock,
        observers: [Journalist(journal: journal)])
      hedges.append(hedge)
      return hedge
    }

    private mutating func makeRetry(
      _ name: String, _ time: Duration, _ dice: inout Dice
    ) -> PolicyStack<Retry, Tally> {
      let payer = Int.random(in: 0..<2, using: &dice)
      let attempts = Int.random(in: 1...4, using: &dice)
      let nesting = dice.oneIn(2) ? Retry.Nesting.once : .allowed
      let repeatsCancellations = dice.oneIn(4)
      let retry = Retry(
        name, maxAttempts: attempts, backoff: dice.backoff(time), hintCap: .seconds(3),
        rejections: dice.oneIn(2) ? .stop : .waitForRetryAfter, nesting: nesting,
        budget: budgets[payer],
        deciding: { repeatsCancellations && $0 is CancellationError ? .retry : nil },
        clock: clock, seed: dice.next(), observers: [Journalist(journal: journal)])
      defer { repeats = repeats || attempts > 1 }
      let isNested = repeats && nesting == .once
      return PolicyStack(retry, Tally(failedExtra: failedExtra[payer], isNested: isNested))
    }
  }

  /// Writes down what policies tell.
  struct Journalist: ResilienceObserver {
    let journal: Journal
    func observe(_ event: any ResilienceEvent) { journal.note(event.description) }
  }
}

// MARK: - Random calls

extension PipelineFuzzTests.Bench {
  /// Makes a call, and gives up on it when its time has come.
  func make(_ planned: PipelineFuzzTests.Call) async -> PipelineFuzzTests.Call {
    try? await clock.sleep(until: .start.advanced(by: planned.beginning))
    let call = Task(executorPreference: clock.executor) { await run(planned) }
    guard let cancellation = planned.cancellation else { return await call.value }
    let timer = Task(executorPreference: clock.executor) {
      try await clock.sleep(until: .start.advanced(by: cancellation))
      call.cancel()
    }
    defer { timer.cancel() }
    return await call.value
  }

  private func run(_ planned: PipelineFuzzTests.Call) async -> PipelineFuzzTests.Call {
    var call = planned
    do {
      let value = try await policy.run({ try await answer($0) }, failingWhen: { $0 == 503 })
      journal.note("\(clock.now) returned \(value)")
    } catch {
      journal.note("\(clock.now) threw \(error)")
    }
    call.end = clock.now.offset
    call.isFreeOfDeadlines = Deadline.current == nil
    // Inside another's attempt it would make one.
    let probe = Retry(maxAttempts: 2, backoff: .none, budget: nil, clock: clock)
    _ = try? await probe.run { execution in
      call.attemptsAfterwards = execution.attempt
      throw Unavailable()
    }
    return call
  }

  private func answer(_ execution: Execution) async throws -> Int {
    var dice = dice.value
    self.dice.value.skip(4)
    journal.note("\(clock.now) attempt \(execution.attempt)")
    #expect(Deadline.current?.isExpired != true, "RT-3: begun too late")
    let time = dice.time(upTo: 16)
    switch Int.random(in: 0..<4, using: &dice) {
    case 0: break
    case 1 where isDeaf:
      await Task(executorPreference: clock.executor) { try? await clock.sleep(for: time) }.value
    case 2 where dice.oneIn(3): try await clock.sleep(for: .seconds(50))
    default: try await clock.sleep(for: time)
    }
    switch Int.random(in: 0..<8, using: &dice) {
    case 0, 1, 2: throw Unavailable()
    case 3: throw Later(retryAfter: time - .seconds(1))
    case 4: return 503
    case 5 where dice.oneIn(2): throw CancellationError()
    default:
      successes.value += 1
      return 200
    }
  }
}

// MARK: - What holds

extension PipelineFuzzTests.Bench {
  func check(_ calls: [PipelineFuzzTests.Call], _ what: String) {
    let comment = Comment(rawValue: what)
    #expect(clock.sleeperCount == 0, comment)
    #expect(breakers.allSatisfy { $0.snapshot().running == 0 }, comment)
    #expect(abandoned == 0, comment)
    #expect(bulkheads.allSatisfy { $0.isEvictable && $0.snapshot().waiting == 0 }, comment)
    #expect(rateLimiters.allSatisfy { $0.snapshot().waiting == 0 }, comment)
    #expect(adaptiveLimiters.allSatisfy { $0.snapshot().inFlight == 0 }, comment)
    #expect(hedges.allSatisfy { $0.snapshot().inFlight == 0 }, comment)
    #expect(throttles.allSatisfy { $0.snapshot().inFlight == 0 }, comment)
    #expect(injections.allSatisfy { $0.isEvictable }, comment)
    for (budget, failed) in zip(budgets, failedExtra.map(\.value)) {
      let read = budget.snapshot()
      #expect(read.withdrawn - read.givenBack == failed, comment)
      // RB-3, with a success for every half of an attempt.
      #expect(read.successes <= successes.value, comment)
      #expect(2 * (failed - 5) <= read.successes, comment)
      #expect((0...read.capacity).contains(read.tokens), comment)
    }
    for call in calls {
      #expect(call.isFreeOfDeadlines && call.attemptsAfterwards == 2 || isCancelled(call), comment)
      guard !isDeaf else { continue }
      if let cancellation = call.cancellation { #expect(call.end <= cancellation, comment) }
      if let limit { #expect(call.end <= call.beginning + limit, comment) }
    }
  }

  /// Whether what a call has begun is over when the call is: what an abandoning timeout or a hedge has
  /// given up goes on if it does not listen.
  var mayNothingGoOn: Bool { abandoned == 0 && (hedges.isEmpty || !isDeaf) }

  var abandoned: Int { abandoning.reduce(0) { $0 + $1.snapshot().abandoned } }

  /// A caller that is cancelled makes no second attempt.
  private func isCancelled(_ call: PipelineFuzzTests.Call) -> Bool {
    call.cancellation.map { $0 <= call.end } ?? false
  }
}

extension Dice {
  /// A multiple of 250 ms, so that many things happen at the same instant.
  fileprivate mutating func time(upTo most: Int) -> Duration {
    .milliseconds(250 * Int.random(in: 0...most, using: &self))
  }

  fileprivate mutating func oneIn(_ count: Int) -> Bool {
    Int.random(in: 0..<count, using: &self) == 0
  }

  fileprivate mutating func skip(_ count: Int) {
    for _ in 0..<count { _ = next() }
  }

  fileprivate mutating func backoff(_ time: Duration) -> Backoff {
    switch Int.random(in: 0..<4, using: &self) {
    case 0: .none
    case 1: .constant(time, jitter: .none)
    case 2: .exponential(from: time / 8, cap: .seconds(4))
    default: .decorrelated(from: time / 10, cap: .seconds(2))
    }
  }
}
