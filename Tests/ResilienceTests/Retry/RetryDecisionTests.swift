import Resilience
import ResilienceTesting
import Testing

@Suite("Retry: what to do about an error")
struct RetryDecisionTests {
  static let year = Duration.seconds(31_536_000)

  @Test("RT-2: a decision of yours goes before the default")
  func decisions() async throws {
    let error = NumberedError(1)
    let cases: [(Retry.Decision?, any Error, waits: [Duration])] = [
      (nil, error, [.seconds(1), .seconds(1)]),
      (.retry, error, [.seconds(1), .seconds(1)]),
      (.stop, error, []),
      (.retry(after: .seconds(5)), error, [.seconds(5), .seconds(5)]),
      (.retry(after: .zero), error, [.seconds(1), .seconds(1)]),
      (nil, Later(retryAfter: .seconds(5)), [.seconds(5), .seconds(5)]),
      (.retry, Later(retryAfter: .seconds(5)), [.seconds(5), .seconds(5)]),
      (.retry(after: .seconds(2)), Later(retryAfter: .seconds(5)), [.seconds(2), .seconds(2)]),
      (.stop, Later(retryAfter: .seconds(5)), []),
      (nil, CancellationError(), []),
      (.retry, CancellationError(), [.seconds(1), .seconds(1)]),
    ]
    for (decision, error, waits) in cases {
      try await withVirtualTime { clock in
        let trial = Trial(deciding: { _ in decision }, on: clock)
        #expect(await trial.error { throw error } != nil)
        #expect(trial.delays == waits, "\(String(describing: decision)) about \(error)")
        #expect(clock.now.offset == waits.reduce(.zero, +))
        #expect(trial.totals.stopped == (waits.isEmpty ? 1 : 0))
      }
    }
  }

  @Test("RT-2: the decision is asked for once for each error, the last among them")
  func askedOnce() async throws {
    try await withVirtualTime { clock in
      let asked = Shared<[Int]>([])
      let trial = Trial(
        deciding: { error in
          asked.value.append((error as? NumberedError)?.number ?? 0)
          return nil
        }, on: clock)
      let script = Script<Int>((1...3).map { .fail(NumberedError($0)) }, clock: clock)
      _ = await trial.error { try await script() }
      #expect(asked.value == [1, 2, 3])
    }
  }

  @Test("RT-2: what is not to be retried stops, also where no attempt is left")
  func stoppedAtTheLast() async throws {
    try await withVirtualTime { clock in
      let trial = Trial(maxAttempts: 1, deciding: { _ in .stop }, on: clock)
      _ = await trial.error { throw NumberedError(1) }
      #expect(trial.told == ["attempt 1 failed, not to be retried (error 1)"])
      #expect(trial.totals == .init(stopped: 1))
    }
  }

  @Test("X-2: a decision and a backoff of yours may ask the retry and its budget")
  func callsBack() async throws {
    try await withVirtualTime { clock in
      let retry = Shared<Retry?>(nil)
      let seen = Shared<[Int]>([])
      let look: @Sendable () -> Void = {
        guard let snapshot = retry.value?.snapshot() else { return }
        seen.value.append(snapshot.totals.retries + 10 * (snapshot.budget?.withdrawn ?? 0))
      }
      let trial = Trial(
        backoff: .custom { _, _ in
          look()
          return .seconds(1)
        },
        deciding: { _ in
          look()
          return nil
        }, on: clock)
      retry.value = trial.retry
      _ = await trial.error { throw NumberedError(1) }
      #expect(seen.value == [0, 0, 11, 11, 22])
      #expect(trial.totals == .init(retries: 2, exhausted: 1))
      retry.value = nil
    }
  }

  @Test(
    "RT-2: a hint is at least the backoff and at most the hint cap",
    arguments: [
      (nil, .seconds(1)), (.zero, .seconds(1)), (.seconds(-5), .seconds(1)),
      (.milliseconds(999), .seconds(1)), (.seconds(1), .seconds(1)),
      (.milliseconds(1001), .milliseconds(1001)), (.seconds(30), .seconds(30)),
      (.seconds(31), .seconds(30)), (year, .seconds(30)),
      (Duration(attoseconds: .max), .seconds(30)), (Duration(attoseconds: .min), .seconds(1)),
    ] as [(Duration?, Duration)])
  func hints(_ hint: Duration?, _ delay: Duration) async throws {
    try await withVirtualTime { clock in
      for isDecided in [false, true] {
        let decision = isDecided ? hint.map { Retry.Decision.retry(after: $0) } : nil
        let trial = Trial(maxAttempts: 2, deciding: { _ in decision }, on: clock)
        let start = clock.now
        _ = await trial.error { throw Later(retryAfter: hint) }
        #expect(trial.delays == [delay])
        #expect(start.duration(to: clock.now) == delay)
      }
    }
  }

  @Test("RT-2: the hint cap holds for hints only, and may be anything from zero on")
  func hintCaps() async throws {
    let cases: [(cap: Duration, backoff: Duration, hint: Duration, delay: Duration)] = [
      (.zero, .seconds(1), .seconds(10), .seconds(1)),
      (.zero, .zero, .seconds(10), .zero),
      (.seconds(2), .seconds(5), .seconds(10), .seconds(5)),
      (Duration(attoseconds: .max), .seconds(1), Self.year, Self.year),
      (Duration(attoseconds: .max), .zero, Duration(attoseconds: 1), .nanoseconds(1)),
      (
        Duration(attoseconds: .max), .zero, Duration(attoseconds: .max),
        .nanoseconds(Int64.max)
      ),
    ]
    for (cap, backoff, hint, delay) in cases {
      try await withVirtualTime { clock in
        let trial = Trial(
          maxAttempts: 2, backoff: .constant(backoff, jitter: .none), hintCap: cap, on: clock)
        _ = await trial.error { throw Later(retryAfter: hint) }
        #expect(trial.delays == [delay])
        #expect(clock.now.offset == delay)
      }
    }
  }
}

// MARK: - Rejections

extension RetryDecisionTests {
  private static func breaker(_ clock: VirtualClock, openFor: Duration?) -> CircuitBreaker {
    let breaker = CircuitBreaker("inside", recovery: .plain, clock: clock)
    if let openFor { breaker.trip(for: openFor) } else { breaker.isolate() }
    return breaker
  }

  private static func call(
    _ trial: Trial, _ breaker: CircuitBreaker
  ) async -> (ran: Int, error: (any Error)?) {
    var ran = 0
    let error = await trial.error { try await breaker.run { ran += 1 } }
    return (ran, error)
  }

  @Test(
    "RT-2: a rejection is not retried (failsafe P26)",
    arguments: [.seconds(10), nil] as [Duration?])
  func rejectionsStop(openFor: Duration?) async throws {
    try await withVirtualTime { clock in
      let trial = Trial(on: clock)
      let (ran, error) = await Self.call(trial, Self.breaker(clock, openFor: openFor))
      #expect(ran == 0)
      #expect(error is CircuitOpenError)
      #expect(clock.now.offset == .zero)
      #expect(trial.steps == ["attempt 1 failed, not to be retried"])
      #expect(trial.retry.budget?.snapshot().withdrawn == 0)
    }
  }

  @Test("RT-2: if told to, it waits as long as a rejection says, and no attempt is paid for twice")
  func waitsForRejection() async throws {
    try await withVirtualTime { clock in
      let trial = Trial(rejections: .waitForRetryAfter, on: clock)
      let (ran, error) = await Self.call(trial, Self.breaker(clock, openFor: .seconds(10)))
      #expect(ran == 1)
      #expect(error == nil)
      #expect(clock.now.offset == .seconds(10))
      #expect(trial.delays == [.seconds(10)])
      #expect(trial.steps.last == "attempt 2 succeeded")
      #expect(trial.spent == 0)
    }
  }

  @Test(
    "RT-2: it does not wait for a rejection that says nothing, or more than the hint cap",
    arguments: [nil, .seconds(30) + .tick] as [Duration?])
  func doesNotWait(openFor: Duration?) async throws {
    try await withVirtualTime { clock in
      let trial = Trial(rejections: .waitForRetryAfter, on: clock)
      let (ran, error) = await Self.call(trial, Self.breaker(clock, openFor: openFor))
      #expect(ran == 0)
      #expect(error is CircuitOpenError)
      #expect(clock.now.offset == .zero)
      #expect(trial.totals == .init(stopped: 1))
    }
  }

  /// A rejection that counts how often it is asked for its hint; a breaker's reads the clock.
  private struct Refusal: RejectionError {
    let asked: Shared<Int>
    let policy = "inside"
    let reason = "full"
    var description: String { "refused" }

    var retryAfter: Duration? {
      asked.value += 1
      return .seconds(2)
    }
  }

  @Test("CB-25: a rejection is asked for its hint only where that matters, and then once")
  func askedForHint() async throws {
    let cases: [(Retry.Rejections, Retry.Decision?, asked: Int, retries: Int)] = [
      (.stop, nil, 0, 0), (.waitForRetryAfter, nil, 1, 1), (.waitForRetryAfter, .stop, 0, 0),
      (.stop, .retry, 1, 1), (.stop, .retry(after: .zero), 0, 1),
    ]
    for (rejections, decision, asked, retries) in cases {
      try await withVirtualTime { clock in
        let trial = Trial(
          maxAttempts: 2, rejections: rejections, deciding: { _ in decision }, on: clock)
        let refusal = Refusal(asked: Shared(0))
        let script = Script<Int>([.fail(refusal), .succeed(1)], clock: clock)
        _ = await trial.error { try await script() }
        #expect(refusal.asked.value == asked)
        #expect(trial.totals.retries == retries)
      }
    }
  }

  @Test("RT-3: nor for one that does not fit the deadline")
  func rejectionAndDeadline() async throws {
    for (extra, ran) in [(Duration.zero, 0), (.tick, 1)] {
      try await withVirtualTime { clock in
        let trial = Trial(rejections: .waitForRetryAfter, on: clock)
        let breaker = Self.breaker(clock, openFor: .seconds(10))
        let call = try await Deadline(in: .seconds(10) + extra, clock: clock).run {
          await Self.call(trial, breaker)
        }
        #expect(call.ran == ran)
        #expect(clock.now.offset == (ran == 0 ? .zero : .seconds(10)))
        #expect(trial.totals.deadlineReached == 1 - ran)
        #expect(trial.spent == 0)
      }
    }
  }
}
