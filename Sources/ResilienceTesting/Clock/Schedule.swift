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
  private var tokens: [UInt64: Timers.Token] = [:]
  private var lastID: UInt64 = 0
  private var advances: Set<UInt64> = []

  var sleeperCount: Int { timers.count - advances.count }
  var isAdvancing: Bool { !advances.isEmpty }
  var next: VirtualClock.Instant? { timers.first?.instant }
  var sleepers: [VirtualClock.Instant] { timers.instants.filter { !$0.isEnd }.map(\.instant) }

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

  mutating func remove(_ id: UInt64) -> Timer? {
    tokens.removeValue(forKey: id).flatMap { timers.remove($0) }?.timer
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
    guard let (moment, entry) = timers.popFirst() else { return nil }
    now = max(now, moment.instant)
    tokens[entry.id] = nil
    advances.remove(entry.id)
    return entry.timer
  }

  /// Takes out the pending advances, which nobody will carry out.
  mutating func takeAdvances() -> [Timer] {
    defer { advances = [] }
    return advances.sorted().compactMap { remove($0) }
  }
}
