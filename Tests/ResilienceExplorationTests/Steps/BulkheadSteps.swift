import Synchronization

/// What two or three threads do in a bulkhead with one place and a queue of one.
struct BulkheadSteps: Sendable {
  enum Action: Sendable {
    case call
    /// The same, for a call that ``cancel`` ends while it waits.
    case cancellableCall
    case cancel
    case grow
  }

  private let actions: [Action]

  init(_ actions: Action...) { self.actions = actions }

  func explored(
    on fault: Machine.Fault = .none, allowing allowed: Set<Ending>? = nil
  ) -> StepExploration<Ending> {
    let program = StepProgram(
      subject: { Room() },
      threads: actions.map { action in { room in room.take(action) } },
      ending: { room, told in Ending(told: told, snapshot: room.bulkhead.snapshot()) },
      allows: { allowed?.contains($0) ?? true })
    return program.explored(on: fault)
  }

  /// All that can be read when every thread has ended.
  struct Ending: Hashable, Sendable {
    let told: [String]
    let limit: Int
    let inFlight: Int
    let waiting: Int
    let totals: Bulkhead.Totals

    init(_ told: [String], limit: Int = 1, _ totals: Bulkhead.Totals) {
      (self.told, self.limit, self.totals) = (told, limit, totals)
      (inFlight, waiting) = (0, 0)
    }

    fileprivate init(told: [String], snapshot: Bulkhead.Snapshot) {
      self.told = told
      limit = snapshot.limit
      inFlight = snapshot.inFlight
      waiting = snapshot.waiting
      totals = snapshot.totals
    }
  }
}

/// The bulkhead, who is inside, and who may be cancelled.
private final class Room: Sendable {
  let bulkhead = Bulkhead("users", limit: 1, queue: 1, clock: StillClock())
  private let inside = Atomic<Int>(0)
  private let cancellable = Lock<Bulkhead.Ticket?>(nil)
  private let hasEnded = Atomic<UInt8>(0)

  func take(_ action: BulkheadSteps.Action) -> String {
    switch action {
    case .call: return call()
    case .cancellableCall:
      defer { hasEnded.store(1, ordering: .releasing) }
      return call { ticket in cancellable.withLock { $0 = ticket } }
    case .cancel: return cancel()
    case .grow:
      bulkhead.limit = 2
      return "grown"
    }
  }

  /// - Returns: how many were inside with it, or why it was not.
  private func call(waiting: (Bulkhead.Ticket) -> Void = { _ in }) -> String {
    do {
      if let ticket = try bulkhead.admit() {
        waiting(ticket)
        let verdict = ticket.waiter.told()
        guard verdict == .served else { return verdict.map { "\($0)" } ?? "" }
      }
    } catch { return "refused" }
    let headcount = inside.wrappingAdd(1, ordering: .relaxed).newValue
    inside.subtract(1, ordering: .relaxed)
    bulkhead.leave()
    return "\(headcount) inside"
  }

  /// What the cancellation of a task that waits does.
  private func cancel() -> String {
    let isReady = Machine.wait { [self] in
      cancellable.withLock { $0 != nil } || hasEnded.load(ordering: .acquiring) == 1
    }
    guard isReady, let ticket = cancellable.withLock({ $0 }) else { return "nobody waits" }
    bulkhead.locked { core, now in core.end(ticket.place, .cancelled, at: now) }
    return "cancels"
  }
}

extension Waiter {
  /// What it is told, for a thread that takes steps and cannot suspend.
  fileprivate func told() -> Word? {
    guard Machine.wait(until: { self.isTold }) else { return nil }
    let box = Box<Word>()
    // It has been told, so this does not suspend either.
    Task.immediate { box.value = await self.word() }
    return box.value
  }
}

/// Written and read on one thread: by a task that ends before `Task.immediate` returns.
private final class Box<Value: Sendable>: @unchecked Sendable {
  var value: Value?
}
