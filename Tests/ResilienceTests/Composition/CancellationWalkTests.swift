import Resilience
import ResilienceTesting
import Testing

/// Five policies deep, cancelled wherever the call suspends.
@Suite("X-4: pipelines give everything back, wherever they are cancelled")
struct CancellationWalkTests {
  /// Counts how the attempts that pass through it ended, unless their caller cancelled them.
  struct Tally: ResiliencePolicy {
    let failedExtra = Shared(0)

    func execute<Success: ~Copyable>(
      _ execution: Execution, _ operation: (Execution) async throws -> Graded<Success>
    ) async throws -> Graded<Success> {
      do { return try await operation(execution) } catch {
        if execution.attempt > 1, !Task.isCancelled { failedExtra.value += 1 }
        throw error
      }
    }
  }

  /// What a call leaves behind must be what it did before it was cancelled.
  struct Bench: Sendable {
    let clock: VirtualClock
    let breaker: CircuitBreaker
    let outer: Trial
    let inner: Trial
    let outerTally = Tally()
    let innerTally = Tally()
    let begun = Shared(0)

    init(_ clock: VirtualClock) {
      self.clock = clock
      breaker = CircuitBreaker("breaker", tripping: .never, over: .sinceTransition, clock: clock)
      outer = Trial(on: clock)
      inner = Trial(maxAttempts: 2, nesting: .allowed, on: clock)
    }

    /// Fails four times, a second and another after it was called; then answers.
    func answer() async throws -> Int {
      begun.value += 1
      let call = begun.value
      for _ in 0..<2 { try await clock.sleep(for: .seconds(1)) }
      if call < 5 { throw NumberedError(call) }
      return call
    }

    func call() async throws -> Int {
      let pipeline = Pipeline {
        Timeout(.seconds(60), name: "total", clock: clock)
        outer.retry
        outerTally
        breaker
        inner.retry
        innerTally
        Timeout(.seconds(30), name: "attempt", clock: clock)
      }
      return try await pipeline.run { try await answer() }
    }
  }

  /// Nothing but cancellation ends it before it has suspended so often.
  static let suspensions = 14

  @Test("a call that nobody cancels suspends as often as the walk assumes")
  func undisturbed() async throws {
    try await withVirtualTime { clock in
      let bench = Bench(clock)
      let call = try await bench.call()
      #expect(call == 5)
      #expect(clock.now.offset == .seconds(Self.suspensions))
      #expect(bench.outer.totals == .init(retries: 2, recovered: 1))
      #expect(bench.inner.totals == .init(retries: 2, exhausted: 2))
      #expect(
        bench.breaker.snapshot().counts
          == .init(successes: 1, failures: 2, consecutiveSuccesses: 1))
      Self.expectNothingLeft(bench)
    }
  }

  @Test("cancelled during each of its suspensions, and at each end of one", arguments: 0...28)
  func everywhere(halfSeconds: Int) async throws {
    try await withVirtualTime { clock in
      let bench = Bench(clock)
      let counts = Shared(CircuitBreaker.Counts())
      let error = await withTaskGroup(of: (any Error)?.self) { group in
        group.addTask {
          do {
            _ = try await bench.call()
            return nil
          } catch { return error }
        }
        await clock.advance(by: .milliseconds(500 * halfSeconds))
        counts.value = bench.breaker.snapshot().counts
        group.cancelAll()
        return await group.next() ?? nil
      }
      #expect(clock.now.offset == .milliseconds(500 * halfSeconds))
      Self.expectNothingLeft(bench)
      guard halfSeconds < 2 * Self.suspensions else {
        #expect(error == nil)
        return
      }
      #expect(error is CancellationError)
      #expect(bench.outer.totals.cancelled == 1)
      Self.expectUnmoved(bench.breaker, since: counts.value)
      Self.expectOneEnding(bench)
    }
  }

  private static func expectNothingLeft(_ bench: Bench) {
    #expect(bench.clock.sleeperCount == 0)
    #expect(bench.breaker.snapshot().running == 0)
    #expect(bench.outer.spent == bench.outerTally.failedExtra.value)
    #expect(bench.inner.spent == bench.innerTally.failedExtra.value)
  }

  /// What was in flight is ignored; nothing else has changed.
  private static func expectUnmoved(
    _ breaker: CircuitBreaker, since counts: CircuitBreaker.Counts
  ) {
    var expected = counts
    expected.ignored += counts.inFlight
    expected.inFlight = 0
    #expect(breaker.snapshot().counts == expected)
  }

  /// A call is cancelled or ends otherwise, in each policy that it is in: once.
  private static func expectOneEnding(_ bench: Bench) {
    let endings = { (trial: Trial) in trial.steps.filter { !$0.contains(" after ") } }
    #expect(endings(bench.outer).count == 1)
    #expect(endings(bench.outer).first?.hasPrefix("cancelled by the caller") == true)
    let inner = bench.inner.totals
    // The call in progress, if there was one, ended by being cancelled.
    #expect(inner.cancelled <= 1)
    #expect(endings(bench.inner).count == inner.exhausted + inner.cancelled)
  }
}
