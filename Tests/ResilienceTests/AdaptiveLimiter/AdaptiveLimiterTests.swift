import ResilienceTesting
import Testing

@testable import Resilience

@Suite("AC-1: the adaptive limiter", .timeLimit(.minutes(20)))
struct AdaptiveLimiterTests {
  typealias Totals = AdaptiveLimiter.Totals

  // MARK: - Admission

  @Test("as many calls pass as the limit says; the next is refused at once, and not run")
  func limit() async throws {
    let limited = Limited()
    let calls = limited.start(4)
    var runs = 0
    do {
      try await limited.limiter.run { runs += 1 }
      Issue.record("admitted")
    } catch let error as LimitReachedError {
      #expect(error.reason == .limitReached)
      #expect(error.policy == "users")
      #expect(error.retryAfter == nil)
      #expect("\(error)" == #"adaptive limiter "users" refused the call: limit reached"#)
    }
    #expect(runs == 0)
    let permit = limited.limiter.tryAcquire()
    let isRefused = permit == nil
    #expect(isRefused)
    calls[0].ignore()
    let admits = await limited.admits()
    #expect(admits)
    for call in calls { call.ignore() }
    #expect(limited.totals == Totals(others: 5, limitReached: 2))
    #expect(limited.heard() == ["rejected (limit reached)", "rejected (limit reached)"])
  }

  @Test("a rejection is one word, and the same each time")
  func oneWord() async {
    #expect(MemoryLayout<LimitReachedError>.size == MemoryLayout<Int>.size)
    let error = LimitReachedError.Reason.limitReached
    #expect(error != .shed)
    #expect("\(LimitReachedError.Reason.shed)" == "the rest is kept for more critical calls")
  }

  // MARK: - Endings

  @Test("successes raise it, by one for each round, and the observer hears of whole numbers")
  func grows() async throws {
    let limited = Limited()
    for _ in 0..<5 {
      let calls = limited.start(4)
      for call in calls { call.succeed() }
    }
    // The first three of four end while at least half of the limit is in use: 4.25, 4.49, 4.71,
    // 4.92, …
    #expect(limited.limit == 6)
    #expect(limited.inFlight == 0)
    #expect(limited.totals == Totals(successes: 20))
    #expect(limited.heard() == ["limit 4 > 5", "limit 5 > 6"])
  }

  @Test("overload lowers it; the observer hears of the overload first")
  func drops() {
    let limited = Limited(.aimd(initial: 100))
    limited.start()[0].drop(Limited.Busy())
    limited.clock.advance(by: .milliseconds(100))
    limited.start()[0].drop()
    #expect(limited.limit == 49)
    #expect(limited.totals == Totals(overloads: 2))
    #expect(
      limited.heard() == [
        "overloaded (\(Limited.Busy()))", "limit 100 > 70", "overloaded", "limit 70 > 49",
      ])
  }

  @Test("errors and failing results change nothing, however many and fast (failsafe-go P10)")
  func fastFailures() async throws {
    let limited = Limited(.aimd(initial: 20))
    for _ in 0..<100 {
      let calls = limited.start(10)
      for call in calls { call.end(throwing: Unavailable()) }
      _ = try await limited.limiter.run {
        1
      } failingWhen: { _ in
        true
      }
    }
    #expect(limited.limit == 20)
    #expect(limited.totals == Totals(others: 1_100))
    #expect(limited.heard() == [])
  }

  /// What an error means when the operation throws it, a second after it has begun.
  private func totals(
    throwing error: any Error, from limited: Limited = Limited(), within time: Duration? = nil
  ) async -> Totals {
    let before = limited.limit
    let fail: @Sendable () throws -> Void = {
      limited.clock.advance(by: .seconds(1))
      throw error
    }
    if let time {
      let deadline = Deadline(in: time, clock: limited.clock)
      try? await deadline.run { try await limited.limiter.run { try fail() } }
    } else {
      try? await limited.limiter.run { try fail() }
    }
    #expect(limited.inFlight == 0)
    #expect((limited.limit < before) == (limited.totals.overloads > 0))
    return limited.totals
  }

  @Test("overload is a timeout, anything after the deadline, a reply that says when to come back")
  func overload() async {
    let (passes, stays) = (Duration.milliseconds(500), Duration.seconds(2))
    #expect(await totals(throwing: TimeoutError(limit: .seconds(1))) == Totals(overloads: 1))
    #expect(await totals(throwing: Limited.Busy()) == Totals(overloads: 1))
    #expect(await totals(throwing: Unavailable(), within: passes) == Totals(overloads: 1))
    #expect(await totals(throwing: CancellationError(), within: passes) == Totals(overloads: 1))
    #expect(await totals(throwing: Unavailable(), within: stays) == Totals(others: 1))
  }

  @Test("AC-1: a call that begins after its deadline and fails at once says nothing")
  func lateFromTheBeginning() async throws {
    try await withVirtualTime { clock in
      let limiter = AdaptiveLimiter(clock: clock)
      try await Deadline(in: .zero, clock: clock).run {
        for _ in 1...20 {
          do {
            try await limiter.run {
              try await clock.sleep(for: .milliseconds(1))
              throw Unavailable()
            }
          } catch is Unavailable {}
        }
      }
      #expect(limiter.snapshot().limit == 4)
      #expect(limiter.snapshot().totals == .init(others: 20))
    }
  }

  @Test("other errors are none: a refusal inside, a reply that does not say when, a cancellation")
  func noOverload() async throws {
    let breaker = CircuitBreaker("inner")
    breaker.trip()
    for error in [Unavailable(), Limited.Busy(retryAfter: nil), CancellationError()] as [any Error]
    {
      #expect(await totals(throwing: error) == Totals(others: 1), "\(error)")
    }
    let inner = Limited()
    let calls = inner.start(4)
    for policy in [breaker, inner.limiter] as [any ResiliencePolicy] {
      do { try await policy.run {} } catch {
        #expect(error is any RejectionError)
        #expect(await totals(throwing: error) == Totals(others: 1))
        #expect(await totals(throwing: error, within: .milliseconds(500)) == Totals(others: 1))
      }
    }
    for call in calls { call.ignore() }
  }

  @Test("`overloaded` decides instead, once for each error")
  func overloaded() async {
    let asked = Shared(0)
    func limited() -> Limited {
      Limited(overloaded: { error in
        asked.value += 1
        return error is Unavailable
      })
    }
    #expect(await totals(throwing: Unavailable(), from: limited()) == Totals(overloads: 1))
    #expect(await totals(throwing: Limited.Busy(), from: limited()) == Totals(others: 1))
    let timeout = TimeoutError(limit: .zero)
    #expect(await totals(throwing: timeout, from: limited()) == Totals(others: 1))
    #expect(asked.value == 3)
  }

  @Test("X-1: a call that its caller cancelled changes nothing; `overloaded` is not asked")
  func cancelled() async throws {
    try await withVirtualTime { clock in
      let limited = Limited(
        on: clock,
        overloaded: { _ in
          Issue.record("asked")
          return true
        })
      let call = Task(executorPreference: clock.executor) {
        try await limited.limiter.run { try await clock.sleep(for: .seconds(10)) }
      }
      await clock.advance(by: .seconds(1))
      #expect(limited.inFlight == 1)
      call.cancel()
      await #expect(throws: CancellationError.self) { try await call.value }
      #expect(limited.inFlight == 0)
      #expect(limited.totals == Totals(others: 1))
      #expect(limited.limit == 4)
    }
  }

  @Test("a timeout inside, and a deadline outside, say that an answer is too late")
  func late() async throws {
    try await withVirtualTime { clock in
      let limited = Limited(on: clock)
      let timeout = Timeout(.seconds(1), clock: clock)
      let pipeline = Pipeline {
        limited.limiter
        timeout
      }
      let inverse = Pipeline {
        timeout
        limited.limiter
      }
      for policies in [pipeline as any ResiliencePolicy, inverse] {
        do {
          try await policies.run { try await clock.sleep(for: .seconds(5)) }
          Issue.record("an answer")
        } catch { #expect(error is TimeoutError) }
      }
      #expect(limited.totals == Totals(overloads: 2))
      #expect(limited.limit == 1)
    }
  }
}
