import Resilience
import ResilienceTesting

/// Keeps what happens in a trial.
final class Journal: Sendable {
  private struct State: Sendable {
    var stretches: [Stretch]
    var seconds: [Second]
    var inFlight = 0
    var peakInFlight = 0
    var openCalls = 0
    var changes = StateChanges()
    var trace: Trace
  }

  /// A stretch of time between two changes of what is wrong.
  struct Stretch: Sendable {
    let end: VirtualClock.Instant
    var groups = [Tally](repeating: Tally(), count: CallGroup.allCases.count)
    var latencies: [Int64] = []

    subscript(group: CallGroup) -> Tally {
      get { groups[group.index] }
      set { groups[group.index] = newValue }
    }
  }

  private let plan: Plan
  private let state: Lock<State>

  init(_ plan: Plan, isTracing: Bool) {
    self.plan = plan
    let stretches = plan.ends.map { Stretch(end: $0) }
    let seconds = [Second](repeating: Second(), count: plan.seconds)
    state = Lock(
      State(stretches: stretches, seconds: seconds, trace: Trace(keepsLines: isTracing)))
  }

  var openCalls: Int { state.withLock { $0.openCalls } }
}

// MARK: - What happens

extension Journal {
  /// A user calls.
  func started(_ call: Call) {
    state.withLock { state in
      state.trace.note(.call, call.number, at: call.start)
      state.openCalls += 1
      state.seconds[plan.second(of: call.start)].offered += 1
      for group in call.groups { state.stretches[call.stretch][group].offered += 1 }
    }
  }

  /// An attempt leaves a client.
  func sent(at now: VirtualClock.Instant) {
    state.withLock { state in
      state.inFlight += 1
      state.peakInFlight = max(state.peakInFlight, state.inFlight)
    }
  }

  /// An attempt is over for its client.
  func returned() {
    state.withLock { $0.inFlight -= 1 }
  }

  /// A request reaches the service.
  func arrived(_ request: Request, at now: VirtualClock.Instant) {
    state.withLock { state in
      state.trace.note(.arrival, request.client, at: now)
      let stretch = plan.stretch(of: now)
      state.stretches[stretch][.all].attempts += 1
      state.stretches[stretch][CallGroup(request.criticality)].attempts += 1
      let second = plan.second(of: now)
      if second < state.seconds.count { state.seconds[second].attempts += 1 }
    }
  }

  /// The service has worked on a request to the end.
  func completed(isAwaited: Bool, at now: VirtualClock.Instant) {
    state.withLock { state in
      state.trace.note(.completion, isAwaited ? 1 : 0, at: now)
      let stretch = plan.stretch(of: now)
      state.stretches[stretch][.all].completions += 1
      if !isAwaited { state.stretches[stretch][.all].wasted += 1 }
    }
  }

  /// A call is over for its user.
  func ended(_ call: Call, _ ending: Call.Ending, at now: VirtualClock.Instant) {
    let latency = call.start.duration(to: now).saturatingNanoseconds
    state.withLock { state in
      state.trace.note(.ending(ending), call.number, at: now)
      state.openCalls -= 1
      if ending == .good { state.seconds[plan.second(of: call.start)].good += 1 }
      if ending == .cancelled { state.seconds[plan.second(of: call.start)].offered -= 1 }
      if ending == .good || ending == .late {
        state.stretches[call.stretch].latencies.append(latency)
      }
      for group in call.groups {
        state.stretches[call.stretch][group].add(ending, after: latency)
      }
    }
  }

  /// A circuit breaker changed its state.
  func changed(
    _ change: CircuitBreaker.StateChange, of breaker: String, _ client: Int,
    at now: VirtualClock.Instant
  ) {
    state.withLock { state in
      state.trace.note(.change(change.to), client, at: now)
      state.changes.note(change, of: breaker, isAfterwards: now >= plan.troubleEnd, at: now)
    }
  }
}

extension Tally {
  fileprivate mutating func add(_ ending: Call.Ending, after latency: Int64) {
    blockedNanoseconds += latency
    switch ending {
    case .good: good += 1
    case .late: late += 1
    case .failed: failed += 1
    case .cancelled: cancelled += 1
    case .refused(let wouldBeAnswered):
      refused += 1
      if wouldBeAnswered { collateral += 1 }
    }
  }
}

extension CallGroup {
  fileprivate var index: Int {
    switch self {
    case .all: 0
    case .untroubled: 1
    case .troubled: 2
    case .critical: 3
    case .normal: 4
    case .sheddable: 5
    }
  }

  init(_ criticality: Criticality) {
    switch criticality {
    case .critical: self = .critical
    case .normal: self = .normal
    case .sheddable: self = .sheddable
    }
  }
}

// MARK: - The result

extension Journal {
  func result(
    of scenario: Scenario, stack: String, clients: Int, seed: UInt64, leftoverTimers: Int
  ) -> TrialResult {
    state.withLock { state in
      TrialResult(
        scenario: scenario.name, stack: stack, clients: clients, seed: seed,
        stretches: zip(plan.roles, state.stretches).map { role, stretch in
          TrialResult.Stretch(
            role: role,
            calls: Dictionary(uniqueKeysWithValues: CallGroup.allCases.map { ($0, stretch[$0]) }),
            latencies: Latencies(stretch.latencies))
        },
        timeline: state.seconds, firstSecondAfter: plan.second(of: plan.troubleEnd),
        peakInFlight: state.peakInFlight, circuits: state.changes.counts,
        unfinishedCalls: state.openCalls, leftoverTimers: leftoverTimers,
        digest: state.trace.digest)
    }
  }

  var trace: [String] { state.withLock { $0.trace.lines } }
}
