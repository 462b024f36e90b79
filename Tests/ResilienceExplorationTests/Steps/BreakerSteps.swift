/// What two or three threads do on a breaker that opens at the first failure.
struct BreakerSteps: Sendable {
  enum Action: Sendable { case succeed, fail, abandon, reset }

  private let actions: [Action]
  private let isProbing: Bool

  /// - Parameter isProbing: whether the circuit is open, and its open period over.
  init(_ actions: Action..., isProbing: Bool = false) {
    self.actions = actions
    self.isProbing = isProbing
  }

  func explored(
    on fault: Machine.Fault = .none, allowing allowed: Set<Ending>? = nil
  ) -> StepExploration<Ending> {
    let program = StepProgram(
      subject: makeBreaker,
      threads: actions.map { action in { breaker in action.take(on: breaker) } },
      ending: { breaker, told in Ending(told, breaker.snapshot()) },
      allows: { allowed?.contains($0) ?? true })
    return program.explored(on: fault)
  }

  private func makeBreaker() -> CircuitBreaker {
    let breaker = CircuitBreaker(
      "users", tripping: .consecutiveFailures(1), over: .sinceTransition,
      recovery: .init(openFor: .seconds(30), probation: .zero), clock: StillClock())
    if isProbing { breaker.trip(for: .zero) }
    return breaker
  }
}

extension BreakerSteps.Action {
  /// - Returns: how a call ended and in which generation it was admitted, or that it was refused.
  fileprivate func take(on breaker: CircuitBreaker) -> String {
    let outcome: Outcome
    switch self {
    case .succeed: outcome = .success
    case .fail: outcome = .failure
    case .abandon: outcome = .ignored
    case .reset:
      breaker.reset()
      return "reset"
    }
    guard let admission = try? breaker.admit() else { return "refused" }
    breaker.record(outcome, of: admission)
    return "\(outcome) in \(admission.generation)"
  }
}

extension BreakerSteps {
  /// All that can be read when every thread has ended.
  struct Ending: Hashable, Sendable {
    let told: [String]
    let state: CircuitBreaker.State
    let totals: CircuitBreaker.Totals
    let counts: CircuitBreaker.Counts

    /// Calls that hold a place. None has to be left.
    let running: Int

    init(
      _ told: [String], _ state: CircuitBreaker.State, _ totals: CircuitBreaker.Totals,
      _ counts: CircuitBreaker.Counts = .init()
    ) {
      (self.told, self.state, self.totals, self.counts) = (told, state, totals, counts)
      running = 0
    }

    fileprivate init(_ told: [String], _ snapshot: CircuitBreaker.Snapshot) {
      self.told = told
      state = snapshot.state
      totals = snapshot.totals
      counts = snapshot.counts
      running = snapshot.running
    }
  }
}
