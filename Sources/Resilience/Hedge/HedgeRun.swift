// The way of a call through the hedge. It leaves the caller's actor first: there, a hedge would not be
// started before the actor is free, and whether an operation runs there would depend on latencies.

extension Hedge {
  @concurrent
  func run<Success: Sendable>(
    _ execution: Execution,
    _ operation: @escaping @Sendable (Execution) async throws -> Graded<Success>
  ) async throws -> Graded<Success> {
    let start = timers.source.now()
    guard let delay = begin() else { return try await runAlone(execution, operation, at: start) }
    let call = Call<Success>(maxHedges: configuration.maxHedges, at: start)
    let ending = await withTaskCancellationHandler {
      await race(call, execution, operation, delay: delay)
    } onCancel: {
      call.leave()
    }
    return try finish(ending, since: start)
  }

  /// Nothing can be hedged: neither a task nor a timer is needed.
  private func runAlone<Success: Sendable>(
    _ execution: Execution,
    _ operation: @escaping @Sendable (Execution) async throws -> Graded<Success>, at start: Int64
  ) async throws -> Graded<Success> {
    do {
      let graded = try await operation(execution)
      end(graded.outcome, by: 0, latency: latency(of: graded.outcome, since: start))
      return graded
    } catch {
      let outcome = outcome(of: error)
      end(outcome, by: 0, latency: latency(of: outcome, since: start))
      throw error
    }
  }

  /// The caller's part: makes attempts, sets timers, and waits for news, until the call is over.
  @concurrent
  private func race<Success: Sendable>(
    _ call: Call<Success>, _ execution: Execution,
    _ operation: @escaping @Sendable (Execution) async throws -> Graded<Success>, delay: Int64
  ) async -> Call<Success>.Ending {
    let executor = currentTaskExecutor()
    func attempt(_ number: Int) -> Task<Void, Never> {
      let execution = Execution(attempt: execution.attempt, hedge: number)
      return Task(executorPreference: executor) {
        await self.attempt(number, of: call, execution, operation)
      }
    }
    var attempts = [attempt(0)]
    defer { for attempt in attempts { attempt.cancel() } }
    var (now, due) = (call.start, call.start.addingSaturated(delay))
    while true {
      var prospect = call.prospect
      while prospect.mayHedge, prospect.isOwed || now >= due {
        if let number = buyHedge(for: call) {
          attempts.append(attempt(number))
          now = timers.source.now()
          due = now.addingSaturated(delay)
        }
        prospect = call.prospect
      }
      // One that fires late is of no harm: the clock decides what is due.
      let timer = prospect.mayHedge ? timers.set(call, at: due) : nil
      let ending = await call.news()
      if let timer { timers.cancel(timer) }
      if let ending { return ending }
      now = timers.source.now()
    }
  }

  /// - Returns: the number of the hedge; `nil` if it cannot be paid for, has no time, or comes too
  ///   late. Then no other follows.
  private func buyHedge<Success: Sendable>(for call: Call<Success>) -> Int? {
    guard !Deadline.hasPassed, withdraw() else {
      call.stopHedging()
      return nil
    }
    let number = call.makeHedge()
    if number == nil { budget?.giveBack() }
    return number
  }

  @concurrent
  private func attempt<Success: Sendable>(
    _ number: Int, of call: Call<Success>, _ execution: Execution,
    _ operation: @escaping @Sendable (Execution) async throws -> Graded<Success>
  ) async {
    guard call.begin(number) else { return }
    if number > 0 { countHedge(number, after: latency(since: call.start)) }
    let (answer, outcome): (Call<Success>.Answer, Outcome)
    do {
      let graded = try await withDeadline(of: call) { try await operation(execution) }
      (answer, outcome) = (.success(graded), graded.outcome)
    } catch {
      (answer, outcome) = (.failure(error), self.outcome(of: error))
    }
    let latency = latency(of: outcome, since: call.start)
    if call.end(number, answer, outcome, latency: latency), number > 0, outcome == .ignored {
      // Refused inside, or cancelled there: it says nothing, and costs nothing.
      budget?.giveBack()
    }
  }

  /// An attempt has the call's deadline, as long as no other has succeeded. Then it is a loser: it was
  /// not too slow for the deadline, another was quicker. When it ends after that, the policies inside
  /// must see a call that somebody gave up, and not one that its deadline ended.
  @concurrent
  private func withDeadline<Success: Sendable>(
    of call: Call<Success>, _ operation: @Sendable () async throws -> Graded<Success>
  ) async throws -> Graded<Success> {
    guard let deadline = Deadline.current else { return try await operation() }
    return try await Deadline.taskLocal.withValue(deadline.unless { call.isWon }) {
      try await operation()
    }
  }

  private func finish<Success: Sendable>(
    _ ending: Call<Success>.Ending, since start: Int64
  ) throws -> Graded<Success> {
    switch ending {
    case .won(let answer, let winner, let latency, let unspent):
      end(.success, by: winner, latency: latency)
      for _ in 0..<unspent { budget?.giveBack() }
      return try answer.get()
    case .lost(let answer, let outcome, let hedges):
      end(outcome, by: 0, latency: latency(of: outcome, since: start))
      if hedges > 0 { tell(.failed(attempts: hedges + 1)) }
      return try answer.get()
    case .left(let waiting, let running):
      // What its caller has given up says nothing, and costs nothing. What its deadline has ended was
      // too slow: hedges that have begun are spent, or they would be free while nothing answers.
      let isLate = Deadline.hasPassed
      let outcome = isLate ? Outcome.failure : .ignored
      end(outcome, by: 0, latency: latency(of: outcome, since: start))
      for _ in 0..<(isLate ? waiting : waiting + running) { budget?.giveBack() }
      throw CancellationError()
    }
  }

  private func outcome(of error: any Error) -> Outcome {
    Outcome(classifying: error, hint: error as? any RetryAfterHint, by: classify)
  }

  /// The clock is not read for calls that leave no trace.
  private func latency(of outcome: Outcome, since start: Int64) -> Int64 {
    outcome != .ignored ? latency(since: start) : 0
  }

  /// Not less than zero, where a clock steps back.
  private func latency(since start: Int64) -> Int64 {
    max(0, timers.source.now().subtractingSaturated(start))
  }
}
