extension CircuitBreaker {
  /// The calls that hang at one moment, as the trip condition looks at them.
  struct HungCalls: Hashable, Sendable {
    /// All of them: they count in the rates.
    var all = 0

    /// Those that started after the last success: they extend the streak.
    var sinceSuccess = 0

    /// The longest time asked of a streak that one of these has been in flight for, in nanoseconds.
    var lasting: Int64 = 0
  }

  /// Watches the calls of a closed circuit for some that hang.
  struct CallWatch: Sendable {
    private var hanging: CallAges

    /// For each time that a streak must last, and that a call which hangs need not have lasted: the
    /// longest first.
    private var lasting: [CallAges]

    /// How many successes there have been; it wraps. A call that started when it was the same
    /// started after the last one. (Or exactly 2³² of them earlier: it would then be counted once too
    /// little, until the next success.)
    private(set) var successes: UInt32 = 0

    init(hungAfter: Int64, lastings: [Int64]) {
      hanging = CallAges(limit: hungAfter)
      // At least so long is longer than a nanosecond less.
      lasting = Set(lastings).filter { $0 > hungAfter }.sorted(by: >)
        .map { CallAges(limit: $0 - 1) }
    }

    mutating func start(at now: Int64) {
      change { ages in ages.start(at: now) }
    }

    /// - Parameter successes: how many there had been when the call started.
    mutating func end(startedAt start: Int64, after successes: UInt32) {
      let isSinceSuccess = successes == self.successes
      change { ages in ages.end(startedAt: start, isSinceSuccess: isSinceSuccess) }
    }

    mutating func succeed() {
      successes &+= 1
      change { ages in ages.succeed() }
    }

    /// Forgets all calls: they are of an older generation.
    mutating func clear() {
      change { ages in ages.clear() }
    }

    func hungCalls(at now: Int64) -> HungCalls {
      let hung = hanging.overLimit(at: now)
      guard hung.sinceSuccess > 0 else { return HungCalls(all: hung.all) }
      let lasted = lasting.first { $0.overLimit(at: now).sinceSuccess > 0 }
      return HungCalls(
        all: hung.all, sinceSuccess: hung.sinceSuccess,
        lasting: lasted.map { $0.limit + 1 } ?? hanging.limit)
    }

    private mutating func change(_ body: (inout CallAges) -> Void) {
      body(&hanging)
      for place in lasting.indices { body(&lasting[place]) }
    }
  }
}

// MARK: - Looking at them

extension CircuitBreaker.Core {
  /// What hangs at an instant of the breaker's own time: nothing where nobody watches.
  func hungCalls(at now: Int64) -> CircuitBreaker.HungCalls {
    watch.isEmpty ? CircuitBreaker.HungCalls() : watch[0].hungCalls(at: now)
  }

  /// Looks at what hangs when a call arrives, and opens the circuit if that suffices.
  ///
  /// - Returns: whether the predicates must still be asked.
  @discardableResult
  mutating func judgeHungCalls(at now: Int64) -> Bool {
    guard hungCalls(at: now).all > 0 else { return false }
    touchWindow(at: now)
    guard let cause = causeAtArrival(at: now) else { return !rules.tripping.predicates.isEmpty }
    trip(cause, over: counts(at: now), at: now)
    return false
  }

  /// Why a call arriving now would find that the circuit must open, if it would.
  ///
  /// A streak is measured up to now only with calls in it that hang now: one that is followed by
  /// silence is no evidence.
  func causeAtArrival(at now: Int64) -> CircuitBreaker.Cause? {
    guard state == .closed || state == .observing else { return nil }
    let hung = hungCalls(at: now)
    guard hung.all > 0 else { return nil }
    let isStreak = hung.sinceSuccess > 0 && !window.hasElapsed(at: now)
    return rules.tripping.cause(
      in: window.tally(at: now), after: isStreak ? streak : Streak(), hung, at: now)
  }
}
