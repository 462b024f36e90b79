import Resilience
import ResilienceTesting

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

extension Dice {
  /// A multiple of 250 ms, so that many things happen at the same instant.
  mutating func time(upTo most: Int) -> Duration {
    .milliseconds(250 * Int.random(in: 0...most, using: &self))
  }

  mutating func oneIn(_ count: Int) -> Bool {
    Int.random(in: 0..<count, using: &self) == 0
  }

  mutating func skip(_ count: Int) {
    for _ in 0..<count { _ = next() }
  }

  mutating func backoff(_ time: Duration) -> Backoff {
    switch Int.random(in: 0..<4, using: &self) {
    case 0: .none
    case 1: .constant(time, jitter: .none)
    case 2: .exponential(from: time / 8, cap: .seconds(4))
    default: .decorrelated(from: time / 10, cap: .seconds(2))
    }
  }
}
