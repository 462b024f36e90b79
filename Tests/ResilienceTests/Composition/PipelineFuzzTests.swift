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
