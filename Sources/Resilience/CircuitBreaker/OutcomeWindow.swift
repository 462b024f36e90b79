/// The outcomes that a circuit breaker decides by: a total, and the history that tells what
/// leaves it.
struct OutcomeWindow: Sendable {
  /// What a window's settings mean in nanoseconds.
  enum Shape: Sendable {
    case sinceTransition
    case interval(Int64)
    case rolling(Int64, buckets: Int)
    case calls(Int)

    init(_ window: CircuitBreaker.Window) {
      switch window.kind {
      case .sinceTransition: self = .sinceTransition
      case .interval(let length): self = .interval(length.nanosecondsRoundedUp)
      case .rolling(let length, let buckets):
        self = .rolling(length.saturatingNanoseconds, buckets: buckets)
      case .calls(let count): self = .calls(count)
      }
    }
  }

  private enum History: Sendable {
    case none
    case interval(end: Int64)
    case narrow(RollingTally<UInt32>)
    case wide(RollingTally<UInt64>)
    case calls(CallRing)
  }

  private var total = Tally()
  private var history = History.none

  init(_ shape: Shape, at now: Int64) {
    start(shape, at: now)
  }

  /// Forgets everything and begins anew at `now`.
  mutating func start(_ shape: Shape, at now: Int64) {
    total = Tally()
    switch shape {
    case .sinceTransition: history = .none
    case .interval(let length): history = .interval(end: now.addingSaturated(length))
    case .rolling(let length, let buckets):
      let narrow = length / Int64(buckets) < Int64(UInt32.max)
      history =
        narrow
        ? .narrow(RollingTally(start: now, length: length, buckets: buckets))
        : .wide(RollingTally(start: now, length: length, buckets: buckets))
    case .calls(let count): history = .calls(CallRing(capacity: count))
    }
  }

  /// Forgets everything and remembers all outcomes from now on.
  mutating func startUnbounded() {
    total = Tally()
    history = .none
  }

  /// The instant from which on ``advance(to:)`` has something to do.
  var boundary: Int64 {
    switch history {
    case .none, .calls: .max
    case .interval(let end): end
    case .narrow(let tally): tally.end
    case .wide(let tally): tally.end
    }
  }

  /// Whether an interval is over at `now`.
  func hasElapsed(at now: Int64) -> Bool {
    if case .interval(let end) = history { now >= end } else { false }
  }

  /// Forgets the buckets that are over at `now`. An interval that is over is started anew by its
  /// owner, whose streaks end with it.
  mutating func advance(to now: Int64) {
    // Each ring is taken out while it is changed, so that it is not copied.
    switch history {
    case .none, .interval, .calls: break
    case .narrow(var tally):
      guard now >= tally.end else { return }
      history = .none
      total.subtract(tally.advance(to: now))
      history = .narrow(tally)
    case .wide(var tally):
      guard now >= tally.end else { return }
      history = .none
      total.subtract(tally.advance(to: now))
      history = .wide(tally)
    }
  }

  /// Counts in the present bucket.
  mutating func add(_ tally: Tally) {
    switch history {
    case .none, .interval: total.add(tally)
    case .narrow(var rolling):
      history = .none
      rolling.add(tally)
      total.add(tally)
      history = .narrow(rolling)
    case .wide(var rolling):
      history = .none
      rolling.add(tally)
      total.add(tally)
      history = .wide(rolling)
    case .calls(var ring):
      // One call at a time: only the counting of several successes at once gives more, and that
      // is not used with this window. An ignored call takes no place.
      guard tally.successes + tally.failures > 0 else { return }
      history = .none
      total.subtract(ring.add(isFailure: tally.failures > 0, isSlow: tally.slow > 0))
      total.add(tally)
      history = .calls(ring)
    }
  }

  /// The outcomes as a reader at `now` must see them: what is over by then is not there.
  func tally(at now: Int64) -> Tally {
    var tally = total
    switch history {
    case .none, .calls: break
    case .interval(let end): if now >= end { tally = Tally() }
    case .narrow(let rolling): tally.subtract(rolling.expired(at: now))
    case .wide(let rolling): tally.subtract(rolling.expired(at: now))
    }
    return tally
  }
}
