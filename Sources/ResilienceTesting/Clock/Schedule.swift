import Resilience

/// What a virtual clock knows: the time, who waits for it, and who waits for the waiters.
///
/// It resumes nobody. What it returns is for the clock to resume outside its lock.
struct Schedule: Sendable {
  enum Timer: Sendable {
    case sleeper(CheckedContinuation<Void, any Error>)
    case action(@Sendable () -> Void)
    /// A call of `advance` that a run loop carries out.
    case advance(CheckedContinuation<Void, Never>)
  }

  private struct Entry: Sendable {
    let id: UInt64
    let timer: Timer
  }

  /// A timer whose instant has come, but which has not fired: the order of the run loop decides when.
  private struct Due: Sendable {
    let instant: VirtualClock.Instant
    let entry: Entry
  }

  /// A point in the order of events.
  private struct Moment: Comparable, Sendable {
    let instant: VirtualClock.Instant
    /// An advance comes after every timer of its instant, also those set while the others fire.
    let isEnd: Bool

    static func < (lhs: Moment, rhs: Moment) -> Bool {
      lhs.instant == rhs.instant ? !lhs.isEnd && rhs.isEnd : lhs.instant < rhs.instant
    }
  }

  private typealias Timers = TimerQueue<Moment, Entry>

  private(set) var now = VirtualClock.Instant.start
  var arrivals = Arrivals()
  private var timers = Timers()
  private var due: [Due] = []
  private var tokens: [UInt64: Timers.Token] = [:]
  private var lastID: UInt64 = 0
  private var advances: Set<UInt64> = []

  var sleeperCount: Int { due.count + timers.count - advances.count }
  var isAdvancing: Bool { !advances.isEmpty }
  var sleepers: [VirtualClock.Instant] {
    due.map(\.instant) + timers.instants.filter { !$0.isEnd }.map(\.instant)
  }

  private var next: VirtualClock.Instant? { due.first?.instant ?? timers.first?.instant }

  mutating func nextID() -> UInt64 {
    lastID += 1
    return lastID
  }

  /// Returns those who waited for as many sleepers as there are now.
  mutating func add(
    _ timer: Timer, _ id: UInt64, at instant: VirtualClock.Instant
  ) -> [CheckedContinuation<Void, Never>] {
    let entry = Entry(id: id, timer: timer)
    if case .advance = timer {
      advances.insert(id)
      tokens[id] = timers.insert(entry, at: Moment(instant: max(instant, now), isEnd: true))
      return []
    }
    tokens[id] = timers.insert(entry, at: Moment(instant: instant, isEnd: false))
    return arrivals.take(reached: sleeperCount)
  }

  mutating func remove(_ id: UInt64) -> (timer: Timer, isDue: Bool)? {
    if let token = tokens.removeValue(forKey: id) {
      return timers.remove(token).map { ($0.timer, false) }
    }
    guard let index = due.firstIndex(where: { $0.entry.id == id }) else { return nil }
    return (due.remove(at: index).entry.timer, true)
  }

  /// Moves to the next timer no later than `limit`; if there is none, to `limit`.
  mutating func advance(through limit: VirtualClock.Instant) -> Timer? {
    guard let instant = next, instant <= limit else {
      now = max(now, limit)
      return nil
    }
    return advanceToNext()
  }

  mutating func advanceToNext() -> Timer? {
    if !due.isEmpty { return takeDue(at: 0) }
    guard let (moment, entry) = timers.popFirst() else { return nil }
    now = max(now, moment.instant)
    tokens[entry.id] = nil
    advances.remove(entry.id)
    return entry.timer
  }

  /// Takes out the pending advances, which nobody will carry out.
  mutating func takeAdvances() -> [Timer] {
    defer { advances = [] }
    return advances.sorted().compactMap { remove($0)?.timer }
  }
}

// MARK: - Where the run loop chooses the order

extension Schedule {
  /// Sets the timers apart whose instant has come.
  ///
  /// - Returns: how many have not fired.
  mutating func collectDue() -> Int {
    while let first = timers.first, first.instant <= now, !first.isEnd,
      let (moment, entry) = timers.popFirst()
    {
      tokens[entry.id] = nil
      due.append(Due(instant: moment.instant, entry: entry))
    }
    return due.count
  }

  mutating func takeDue(at index: Int) -> Timer? {
    due.indices.contains(index) ? due.remove(at: index).entry.timer : nil
  }

  /// Moves to the next timer, which does not fire; or to the end of an advance, which is no choice:
  /// it comes when nothing else is left.
  mutating func moveToNext() -> (hasMoved: Bool, advance: Timer?) {
    guard let first = timers.first else { return (false, nil) }
    if first.isEnd { return (true, advanceToNext()) }
    now = max(now, first.instant)
    return (true, nil)
  }
}
