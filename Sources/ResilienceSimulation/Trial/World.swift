import Resilience
import ResilienceTesting

/// The service, its clients and their users, in virtual time.
final class World: Sendable {
  let journal: Journal
  private let scenario: Scenario
  private let plan: Plan
  private let clock: VirtualClock
  private let service: Service
  /// Those who call, by hop.
  private let sites: [[Site]]
  private let state: Lock<State>

  private struct State: Sendable {
    var arrivals: Dice
    var calls = 0
    /// The time between two calls, on average.
    var interval: Duration
  }

  init(_ trial: Trial, on clock: VirtualClock, isTracing: Bool) {
    let scenario = trial.scenario
    var dice = Dice(seed: trial.seed)
    self.scenario = scenario
    self.clock = clock
    plan = Plan(scenario, &dice)
    journal = Journal(plan, isTracing: isTracing)
    let arrivals = Dice(seed: dice.seed())
    let hasClientTrouble = plan.troubles.joined().contains { $0.trouble.isOfClients }
    let journal = journal
    func client(_ number: Int, _ hop: Int) -> Client {
      let own = hasClientTrouble ? ClientClock(clock) : nil
      return Client(
        number: number, hop: hop, scenario: scenario, clock: own ?? clock, ownClock: own,
        observer: Watcher(client: number, hop: hop, clock: clock, journal: journal), dice: &dice)
    }
    let hops = max(1, scenario.hops)
    sites = (0..<hops).map { hop in
      (0..<trial.clients).map { Site(client($0, hop), trial.stack) }
    }
    let guardian = trial.stack.guardian?(client(0, hops))
    service = Service(
      scenario.service, clock: clock, journal: journal, guardian: guardian, dice: &dice)
    let rate = scenario.load.callsPerSecond(clients: trial.clients)
    state = Lock(State(arrivals: arrivals, interval: .clamping(seconds: 1 / rate)))
  }
}

// MARK: - The course of a trial

extension World {
  /// How long calls may take that are still there when the last one has been made.
  private static let patience = 60

  /// - Returns: how many timers were left when nothing went on any more.
  func run() async throws -> Int {
    meet(plan.troubles[0])
    scheduleNextCall()
    for (stretch, end) in plan.ends.dropLast().enumerated() {
      try await clock.sleep(until: end)
      meet(plan.troubles[stretch + 1])
    }
    try await clock.sleep(until: plan.end)
    // Callers who would give up still have a timer.
    if scenario.load.cancelling > 0 { try await clock.sleep(for: scenario.load.patience) }
    for _ in 0..<Self.patience where journal.openCalls > 0 || !service.isIdle {
      try await clock.sleep(for: .seconds(1))
    }
    return journal.openCalls > 0 || !service.isIdle ? 0 : clock.sleeperCount
  }

  private func meet(_ occurrences: [Occurrence]) {
    service.meet(occurrences)
    let rate = scenario.load.callsPerSecond(clients: sites[0].count)
    var times = 1.0
    for occurrence in occurrences {
      if case .load(let factor) = occurrence.trouble.effect { times *= factor }
      if occurrence.start == clock.now { begin(occurrence) }
    }
    state.withLock { $0.interval = .clamping(seconds: 1 / (rate * times)) }
  }

  /// Does what a trouble does once, at its beginning.
  private func begin(_ occurrence: Occurrence) {
    switch occurrence.trouble.effect {
    case .rule, .capacity, .warming, .load: break
    case .serverPauses(let length, let period):
      pauseService(for: length, every: period, until: occurrence.end)
    case .clientPause(let length):
      for site in sites.joined() {
        site.client.ownClock?.pause(until: clock.now.advanced(by: length))
      }
    case .clockStep(let step):
      for site in sites.joined() { site.client.ownClock?.step(by: step) }
    }
  }

  private func pauseService(
    for length: Duration, every period: Duration, until end: VirtualClock.Instant
  ) {
    service.pause(until: clock.now.advanced(by: length))
    let next = clock.now.advanced(by: period)
    guard next < end else { return }
    _ = clock.schedule(at: next) { [self] in
      pauseService(for: length, every: period, until: end)
    }
  }
}

// MARK: - Calls

extension World {
  private func scheduleNextCall() {
    let wait = state.withLock { state in state.arrivals.exponential(mean: state.interval) }
    let next = clock.now.advanced(by: wait)
    guard next < plan.end else { return }
    _ = clock.schedule(at: next) { [self] in
      start(nextCall())
      scheduleNextCall()
    }
  }

  private func nextCall() -> Call {
    let load = scenario.load
    let (number, request) = state.withLock { state -> (Int, Request) in
      state.calls += 1
      let client = state.arrivals.index(below: sites[0].count)
      let key = load.keys > 1 ? state.arrivals.index(below: load.keys) : 0
      let criticality = load.criticality(of: state.arrivals.share())
      return (state.calls, Request(client: client, key: key, criticality: criticality))
    }
    let now = clock.now
    return Call(
      number: number, request, start: now, stretch: plan.stretch(of: now),
      isTroubled: !service.serves(request))
  }

  private func start(_ call: Call) {
    journal.started(call)
    let task = Task(executorPreference: clock.executor) { await self.run(call) }
    let (givesUp, patience) = state.withLock { state in
      let load = scenario.load
      guard load.cancelling > 0 else { return (false, Duration.zero) }
      return (
        state.arrivals.share() < load.cancelling, load.patience.scaled(by: state.arrivals.share())
      )
    }
    if givesUp {
      _ = clock.schedule(at: call.start.advanced(by: patience)) { task.cancel() }
    }
  }

  private func run(_ call: Call) async {
    await sites[0][call.request.client].client.ownClock?.untilRunning()
    let ending: Call.Ending
    do {
      // Nobody waits any more for what a process that stood still has not begun.
      guard call.start.duration(to: clock.now) <= scenario.deadline else {
        return journal.ended(call, .failed, at: clock.now)
      }
      try await withCriticality(of: call) { [self] in try await pass(call.request, hop: 0, call) }
      let isInTime = call.start.duration(to: clock.now) <= scenario.deadline
      ending = isInTime ? .good : .late
    } catch is any RejectionError where !call.wasSent {
      let left = scenario.deadline - call.start.duration(to: clock.now)
      ending = .refused(wouldBeAnswered: service.wouldAnswer(call.request, within: left))
    } catch {
      ending = Task.isCancelled ? .cancelled : .failed
    }
    journal.ended(call, ending, at: clock.now)
  }

  private func withCriticality(
    of call: Call, _ body: @escaping @Sendable () async throws -> Void
  ) async throws {
    // Bound only where it says something: it costs as much as a call.
    guard call.request.criticality != .normal else { return try await body() }
    try await call.request.criticality.run(body)
  }

  /// Calls what lies behind a hop, through the policies of the one who calls.
  private func pass(_ request: Request, hop: Int, _ call: Call?) async throws {
    let site = sites[hop][request.client]
    try await site.policy(request).run { [self] in
      if let call {
        call.noteSent()
        journal.sent(at: clock.now)
      }
      defer { if call != nil { journal.returned() } }
      do {
        try await send(request, over: hop)
      } catch {
        await site.client.ownClock?.untilRunning()
        throw error
      }
      await site.client.ownClock?.untilRunning()
    }
  }

  private func send(_ request: Request, over hop: Int) async throws {
    guard hop + 1 < sites.count else {
      return try await service.call(request, deadline: .current)
    }
    let reply = Reply()
    Arrival(criticality: request.criticality, deadline: .current).handle(on: clock) { [self] in
      do {
        try await pass(request, hop: hop + 1, nil)
        reply.end(.success(()))
      } catch {
        reply.end(.failure(ServiceError.failed))
      }
    }
    try await reply.value()
  }
}
