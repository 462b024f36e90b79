import Synchronization

// The way of a call into the bulkhead and out of it: without the lock while there is room and nobody
// waits, else through the core.

extension Bulkhead {
  /// A call that waits.
  @usableFromInline
  struct Ticket: Sendable {
    let waiter: Waiter<Verdict>
    let place: Core<Waiter<Verdict>>.Place
    let until: Int64

    /// The caller's. Whoever cancels it has another.
    let deadline: Deadline?
  }

  /// - Returns: `nil` if the call has entered; else it waits, from now on.
  /// - Throws: a ``BulkheadFullError``; a `CancellationError` if the call would wait and is cancelled.
  @usableFromInline
  func admit() throws -> Ticket? {
    switch gate.enter() {
    case .entered:
      countAdmitted()
      return nil
    case .full where configuration.capacity == 0: throw refuseOutside()
    case .full, .closed: return try arrive()
    }
  }

  /// Enters, or is refused.
  func enter() -> Bool {
    switch gate.enter() {
    case .entered:
      countAdmitted()
      return true
    case .full:
      _ = refuseOutside()
      return false
    case .closed:
      let entered = locked { core, _ in
        core.enter()
      } telling: { entered in
        entered ? nil : .rejected(.full, waited: .zero)
      }
      if !entered { events.deliver() }
      return entered
    }
  }

  @usableFromInline
  func leave() {
    if gate.leave() { return }
    locked { core, now in core.leave(at: now) }
  }

  /// Gives back the place of a call that was served and cancelled at once.
  ///
  /// - Returns: what it throws.
  @usableFromInline
  func renounce() -> any Error {
    leave()
    guard Deadline.hasPassed else { return CancellationError() }
    locked { core, _ in
      core.refuse(.deadlineExpired)
    } telling: {
      Event.Kind($0)
    }
    events.deliver()
    return refusals[.deadlineExpired]
  }

  private func countAdmitted() {
    admittedOutside.wrappingAdd(1, ordering: .relaxed)
  }

  private func refuseOutside() -> any Error {
    refusedOutside.wrappingAdd(1, ordering: .relaxed)
    events.announce(Event(policy: name, kind: .rejected(.full, waited: .zero)))
    return refusals[.full]
  }
}

// MARK: - Waiting

extension Bulkhead {
  private func arrive() throws -> Ticket? {
    let mayWait = configuration.capacity > 0
    let deadline = Deadline.current
    if mayWait, Task.isCancelled, !deadline.hasPassed { throw CancellationError() }
    let maxWait = mayWait ? configuration.maxWait.nanosecondsRoundedUp : 0
    let patience = WaitLimit(maxWait, on: timers.source)
    let urgency = configuration.order == .priority ? Self.currentUrgency : 0
    let arrival = locked { core, now in
      core.arrive(patience, urgency: urgency, at: now) { Waiter() }
    } telling: { arrival in
      Event.Kind(arrival)
    }
    events.deliver()
    switch arrival {
    case .entered: return nil
    case .refused(let reason): throw refusals[reason]
    case .queued(let place, let waiter, let until, _):
      return Ticket(waiter: waiter, place: place, until: until, deadline: deadline)
    }
  }

  /// The priority of the current task. On 6.3.1 a child task that was given a higher one than its
  /// parent's reports its parent's as the current one.
  private static var currentUrgency: UInt8 {
    max(Task.currentPriority.rawValue, Task.basePriority?.rawValue ?? 0)
  }

  /// Suspends the caller until it is served.
  ///
  /// - Throws: a ``BulkheadFullError``, or a `CancellationError`; then it holds nothing.
  @usableFromInline
  func wait(with ticket: Ticket) async throws {
    let timer = timers.set(Expiry(of: ticket, in: self), at: ticket.until)
    let verdict = await withTaskCancellationHandler {
      await ticket.waiter.word()
    } onCancel: {
      cancel(ticket)
    }
    timers.cancel(timer)
    events.deliver()
    switch verdict {
    case .served: return
    case .cancelled: throw CancellationError()
    case .refused(let reason): throw refusals[reason]
    }
  }

  /// A wait that its deadline cancelled, by a timeout outside, is refused like one that has noticed by
  /// itself: a circuit breaker in between would take a `CancellationError` for a dependency that has
  /// not answered in time, which was not even asked.
  private func cancel(_ ticket: Ticket) {
    let hasPassed = ticket.deadline.hasPassed
    locked { core, now in
      core.end(ticket.place, hasPassed ? .refused(.deadlineExpired) : .cancelled, at: now)
    }
  }

  /// Ends a wait when its time is over.
  private final class Expiry: TimerTarget {
    private let bulkhead: Bulkhead
    private let ticket: Ticket

    init(of ticket: Ticket, in bulkhead: Bulkhead) {
      self.bulkhead = bulkhead
      self.ticket = ticket
    }

    func fire() {
      bulkhead.locked { core, now in core.expire(ticket.place, at: now) }
    }
  }
}

// MARK: - The lock

extension Bulkhead {
  /// Lets the core decide, and tells those who waited what has become of them.
  ///
  /// Calls no observer: this is also how timers and cancellations come here. Those who are told
  /// deliver, as they go on, and so do those who have to tell something themselves.
  ///
  /// - Parameters:
  ///   - body: is given the core, and the time if somebody waits or may. The clock is read under the
  ///     lock, so that readings come to the core in the order in which they were taken.
  ///   - telling: what there is to announce of the result, if somebody observes.
  @discardableResult
  func locked<Result: Sendable>(
    _ body: (inout Core<Waiter<Verdict>>, _ now: Int64) -> Result,
    telling: (Result) -> Event.Kind? = { _ in nil }
  ) -> Result {
    let (result, endings) = core.withLock { core in
      core.inFlight = gate.close().inFlight
      let result = body(&core, configuration.capacity > 0 ? timers.source.now() : 0)
      let endings = core.takeEndings()
      if events.isObserved { prepare(telling(result), endings) }
      gate.set(
        Gate.Word(inFlight: core.inFlight, limit: core.limit, isClosed: core.waiting > 0))
      return (result, endings)
    }
    for ending in endings { ending.caller.tell(ending.verdict) }
    return result
  }
}

extension Bulkhead {
  /// What has been decided, before what has become of those who waited.
  private func prepare(_ kind: Event.Kind?, _ endings: [Core<Waiter<Verdict>>.Ending]) {
    if let kind { events.prepare(Event(policy: name, kind: kind)) }
    for ending in endings {
      let kind = Event.Kind(ending.verdict, waited: ending.waited)
      events.prepare(Event(policy: name, kind: kind))
    }
  }
}

extension Deadline? {
  fileprivate var hasPassed: Bool { self?.isExpired ?? false }
}

extension Bulkhead.Event.Kind {
  fileprivate init?<Caller>(_ arrival: Bulkhead.Core<Caller>.Arrival) {
    switch arrival {
    case .entered: return nil
    case .refused(let reason): self = .rejected(reason, waited: .zero)
    case .queued(_, _, _, let waiting): self = .queued(waiting: waiting)
    }
  }

  fileprivate init(_ verdict: Bulkhead.Verdict, waited: Int64) {
    let waited = Duration.nanoseconds(waited)
    self =
      switch verdict {
      case .served: .dequeued(waited: waited)
      case .refused(let reason): .rejected(reason, waited: waited)
      case .cancelled: .cancelled(waited: waited)
      }
  }
}
