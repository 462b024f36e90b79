extension Bulkhead {
  /// The decisions of a bulkhead: who enters, who waits, who is served, who is refused. Without clock,
  /// lock and task.
  ///
  /// As long as somebody waits there is no room: whoever makes room serves those who wait before
  /// anybody else is asked for.
  struct Core<Caller: Sendable>: Sendable {
    typealias Reason = BulkheadFullError.Reason
    typealias Place = WaiterQueue<Waiting>.Place

    /// A call that waits.
    struct Waiting: Sendable {
      let caller: Caller
      let since: Int64

      /// From then on it is not served any more, for this reason.
      let until: Int64
      let reason: Reason
    }

    enum Arrival: Sendable {
      case entered
      case refused(Reason)
      case queued(Place, caller: Caller, until: Int64, waiting: Int)
    }

    /// What becomes of a call that has waited.
    struct Ending: Sendable {
      let caller: Caller
      let verdict: Verdict
      let waited: Int64
    }

    /// How many calls are inside. More than the limit, if that has shrunk.
    var inFlight = 0

    private(set) var limit: Int
    private(set) var totals = Totals()

    private let capacity: Int
    private var queue: WaiterQueue<Waiting>
    private var delay: ControlledDelay?
    private var endings: [Ending] = []

    init(limit: Int, capacity: Int, order: Order.Kind) {
      self.limit = limit
      self.capacity = capacity
      queue = WaiterQueue(order)
      delay = order == .newestFirst ? ControlledDelay() : nil
    }

    var waiting: Int { queue.count }

    /// Those who have stopped waiting since this was last asked, in that order.
    mutating func takeEndings() -> [Ending] {
      guard !endings.isEmpty else { return [] }
      defer { endings = [] }
      return endings
    }

    /// A call comes that does not wait.
    mutating func enter() -> Bool {
      guard inFlight < limit else {
        totals.full.increment()
        return false
      }
      admit()
      return true
    }

    /// A call comes that waits if it must.
    ///
    /// - Parameters:
    ///   - patience: until when it waits at most.
    ///   - urgency: who is more urgent is served first.
    ///   - now: the instant of its arrival.
    ///   - caller: makes what stands for it while it waits.
    mutating func arrive(
      _ patience: WaitLimit, urgency: UInt8, at now: Int64, _ caller: () -> Caller
    ) -> Arrival {
      guard inFlight >= limit else {
        admit()
        return .entered
      }
      guard capacity > 0 else { return refuse(.full) }
      let (until, reason) = end(of: patience, at: now)
      guard until > now else { return refuse(reason) }
      if queue.count >= capacity {
        guard let least = queue.popLeast(for: urgency) else { return refuse(.full) }
        end(least, .refused(.dropped), at: now)
      }
      let waiting = Waiting(caller: caller(), since: now, until: until, reason: reason)
      let place = queue.append(waiting, urgency: urgency)
      return .queued(place, caller: waiting.caller, until: until, waiting: queue.count)
    }

    /// A call has ended.
    mutating func leave(at now: Int64) {
      inFlight -= 1
      serve(at: now)
    }

    mutating func resize(to limit: Int, at now: Int64) {
      self.limit = limit
      serve(at: now)
    }

    /// A call that may still wait does so no more.
    mutating func end(_ place: Place, _ verdict: Verdict, at now: Int64) {
      if let waiting = queue.remove(place) { end(waiting, verdict, at: now) }
    }

    /// The time of a call that may still wait is over.
    mutating func expire(_ place: Place, at now: Int64) {
      if let waiting = queue.remove(place) { end(waiting, .refused(waiting.reason), at: now) }
    }

    private mutating func serve(at now: Int64) {
      while inFlight < limit, let next = queue.popNext() {
        guard next.until > now else {
          end(next, .refused(next.reason), at: now)
          continue
        }
        admit()
        end(next, .served, at: now)
      }
    }

    private mutating func admit() {
      inFlight += 1
      totals.admitted.increment()
    }

    private mutating func end(
      of patience: WaitLimit, at now: Int64
    ) -> (until: Int64, reason: Reason) {
      let reason: Reason = patience.isDeadline ? .deadlineExpired : .waitedTooLong
      guard let delayed = delay?.patience(whenEmpty: queue.isEmpty, at: now) else {
        return (patience.instant, reason)
      }
      let until = now.addingSaturated(delayed)
      return until < patience.instant ? (until, .dropped) : (patience.instant, reason)
    }

    mutating func refuse(_ reason: Reason) -> Arrival {
      totals.count(.refused(reason))
      return .refused(reason)
    }

    private mutating func end(_ waiting: Waiting, _ verdict: Verdict, at now: Int64) {
      totals.count(verdict)
      let waited = max(0, now.subtractingSaturated(waiting.since))
      endings.append(Ending(caller: waiting.caller, verdict: verdict, waited: waited))
    }
  }

  /// What a call that waits is told.
  enum Verdict: Hashable, Sendable {
    case served
    case refused(BulkheadFullError.Reason)
    case cancelled
  }
}

extension Bulkhead.Totals {
  fileprivate mutating func count(_ verdict: Bulkhead.Verdict) {
    switch verdict {
    case .served: waited.increment()
    case .cancelled: cancelled.increment()
    case .refused(.waitedTooLong): waitedTooLong.increment()
    case .refused(.deadlineExpired): deadlineExpired.increment()
    case .refused(.dropped): dropped.increment()
    case .refused: full.increment()
    }
  }
}
