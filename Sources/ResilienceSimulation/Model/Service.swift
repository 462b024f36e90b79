import Resilience
import ResilienceTesting

/// A service that runs its model in virtual time.
final class Service: Sendable {
  let model: ServiceModel
  private let clock: VirtualClock
  private let journal: Journal
  /// What the service itself admits requests by.
  private let guardian: (any ConcurrentPolicy)?
  private let state: Lock<State>

  init(
    _ model: ServiceModel, clock: VirtualClock, journal: Journal,
    guardian: (any ConcurrentPolicy)?, dice: inout Dice
  ) {
    self.model = model
    self.clock = clock
    self.journal = journal
    self.guardian = guardian
    state = Lock(State(times: Dice(seed: dice.seed()), chances: Dice(seed: dice.seed())))
  }

  /// What a worker does.
  private struct Work: Sendable {
    /// Who is told when it is done.
    let reply: Reply
    let answer: Result<Void, any Error>
    /// The client's reply, if it is another.
    let client: Reply?
    /// The time it takes at full capacity.
    let time: Duration
    /// How much later the answer arrives.
    var delay = Duration.zero
  }

  private struct State: Sendable {
    var times: Dice
    var chances: Dice
    var busy = 0
    /// Answers that are on their way without a worker.
    var underway = 0
    var queue = WorkQueue()
    var conditions: [Condition] = []
    var capacity = Capacity()
    var pausedUntil = VirtualClock.Instant.start
  }

  private struct Condition: Sendable {
    let rule: Trouble.Rule
    let start: VirtualClock.Instant
  }

  /// First in, first out.
  private struct WorkQueue: Sendable {
    private var work: [Work?] = []
    private var head = 0

    var count: Int { work.count - head }

    mutating func append(_ new: Work) { work.append(new) }

    mutating func popFirst() -> Work? {
      guard head < work.count else { return nil }
      defer {
        head += 1
        if head >= 1024, head * 2 >= work.count {
          work.removeFirst(head)
          head = 0
        }
      }
      return work[head].take()
    }
  }

  /// Whether no worker is busy, and no answer on its way.
  var isIdle: Bool { state.withLock { $0.busy == 0 && $0.underway == 0 } }
}

// MARK: - Requests

extension Service {
  /// Sends a request, and waits for the answer.
  func call(_ request: Request, deadline: Deadline?) async throws {
    let reply = Reply()
    receive(request, reply, deadline)
    try await reply.value()
  }

  private func receive(_ request: Request, _ reply: Reply, _ deadline: Deadline?) {
    let now = clock.now
    let treatment = treatment(of: request, at: now)
    journal.arrived(request, at: now)
    switch treatment {
    case .ignore: break
    case .fail(let delay):
      later(delay) { [self] in
        afterPause { reply.end(.failure(ServiceError.failed)) }
      }
    case .serve(let delay):
      if let guardian {
        handle(request, reply, delay: delay, deadline, guardian)
      } else {
        serve(reply, delay: delay, for: nil)
      }
    }
  }

  /// Works on a request as the service's own policy lets it. Nothing cancels that.
  private func handle(
    _ request: Request, _ reply: Reply, delay: Duration, _ deadline: Deadline?,
    _ guardian: any ConcurrentPolicy
  ) {
    Arrival(criticality: request.criticality, deadline: deadline).handle(on: clock) { [self] in
      do {
        try await guardian.run { [self] in
          let work = Reply()
          serve(work, delay: delay, for: reply)
          try await work.value()
        }
        reply.end(.success(()))
      } catch is any RejectionError {
        refuse(reply)
      } catch {
        reply.end(.failure(error))
      }
    }
  }

  private func refuse(_ reply: Reply) {
    let answer = Result<Void, any Error>.failure(ServiceError.overloaded)
    guard model.refusalCost > 0 else {
      reply.end(answer)
      return
    }
    let cost = model.serviceTime.mean.scaled(by: model.refusalCost)
    enqueue(Work(reply: reply, answer: answer, client: nil, time: cost))
  }

  private func serve(_ reply: Reply, delay: Duration, for client: Reply?) {
    let time = state.withLock { model.serviceTime.draw(&$0.times) }
    enqueue(Work(reply: reply, answer: .success(()), client: client, time: time, delay: delay))
  }

  /// Whether a request that arrives now would be answered within so much time.
  func wouldAnswer(_ request: Request, within time: Duration) -> Bool {
    guard case .serve(let delay) = treatment(of: request, at: clock.now, isQuestion: true) else {
      return false
    }
    let (hasPlace, waiting, capacity) = state.withLock { state in
      let waiting = state.queue.count
      let hasPlace = state.busy < model.workers || waiting < model.queueLimit
      return (hasPlace, waiting, state.capacity.share)
    }
    let turns = Double(waiting) / Double(model.workers) + 1
    let wait = model.serviceTime.mean.scaled(by: turns / capacity)
    return hasPlace && wait + delay <= time
  }

  /// Whether nothing is wrong with such a request now.
  func serves(_ request: Request) -> Bool {
    treatment(of: request, at: clock.now, isQuestion: true) == .serve()
  }

  private func treatment(
    of request: Request, at now: VirtualClock.Instant, isQuestion: Bool = false
  ) -> Treatment {
    let (conditions, chance) = state.withLock { state in
      // A question draws nothing: it must not change what becomes of the next request.
      (state.conditions, isQuestion ? 0.5 : state.chances.share())
    }
    for condition in conditions {
      let elapsed = condition.start.duration(to: now)
      if let treatment = condition.rule(request, elapsed, chance) { return treatment }
    }
    return .serve()
  }
}

// MARK: - Workers

extension Service {
  private func enqueue(_ work: Work) {
    enum Place { case worker, queue, none }
    let place = state.withLock { state -> Place in
      if state.busy < model.workers {
        state.busy += 1
        return .worker
      }
      guard state.queue.count < model.queueLimit else { return .none }
      state.queue.append(work)
      return .queue
    }
    switch place {
    case .worker: begin(work)
    case .queue: break
    case .none: work.reply.end(.failure(ServiceError.overloaded))
    }
  }

  /// Has a worker, which counts as busy already, do the work.
  private func begin(_ work: Work) {
    let share = state.withLock { $0.capacity.share }
    let end = clock.now.advanced(by: work.time.scaled(by: 1 / share))
    _ = clock.schedule(at: end) { [self] in
      afterPause { [self] in finish(work) }
    }
  }

  private func finish(_ work: Work) {
    journal.completed(isAwaited: !(work.client ?? work.reply).isOver, at: clock.now)
    if work.delay > .zero {
      later(work.delay) { work.reply.end(work.answer) }
    } else {
      work.reply.end(work.answer)
    }
    let next = state.withLock { state in
      state.capacity.workDone()
      let next = state.queue.popFirst()
      if next == nil { state.busy -= 1 }
      return next
    }
    if let next { begin(next) }
  }

  /// Answers when so much time has passed, which keeps no worker.
  private func later(_ delay: Duration, _ answer: @escaping @Sendable () -> Void) {
    state.withLock { $0.underway += 1 }
    _ = clock.schedule(at: clock.now.advanced(by: delay)) { [self] in
      state.withLock { $0.underway -= 1 }
      answer()
    }
  }

  /// Does it now, or when the service's pause is over.
  private func afterPause(_ action: @escaping @Sendable () -> Void) {
    let end = state.withLock { $0.pausedUntil }
    guard end > clock.now else { return action() }
    _ = clock.schedule(at: end) { [self] in afterPause(action) }
  }
}

// MARK: - Conditions

extension Service {
  /// Replaces what is wrong.
  func meet(_ occurrences: [Occurrence]) {
    let now = clock.now
    state.withLock { state in
      state.capacity.meet(occurrences, at: now)
      state.conditions = occurrences.compactMap { occurrence in
        guard case .rule(let rule) = occurrence.trouble.effect else { return nil }
        return Condition(rule: rule, start: occurrence.start)
      }
    }
  }

  /// Answers nothing until the instant.
  func pause(until end: VirtualClock.Instant) {
    state.withLock { $0.pausedUntil = max($0.pausedUntil, end) }
  }
}
