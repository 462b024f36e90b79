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

  private(set) var now = VirtualClock.Instant.start
  var arrivals = Arrivals()
  private var timers = TimerQueue<Timer>()
  private var lastID: UInt64 = 0
  private var advances: Set<UInt64> = []

  var sleeperCount: Int { timers.count - advances.count }
  var isAdvancing: Bool { !advances.isEmpty }
  var next: VirtualClock.Instant? { timers.first?.instant }
  var sleepers: [VirtualClock.Instant] { timers.instants(in: .timers) }

  mutating func nextID() -> UInt64 {
    lastID += 1
    return lastID
  }

  /// Returns those who waited for as many sleepers as there are now.
  mutating func add(
    _ timer: Timer, _ id: UInt64, at instant: VirtualClock.Instant
  ) -> [CheckedContinuation<Void, Never>] {
    if case .advance = timer {
      advances.insert(id)
      timers.insert(.init(instant: max(instant, now), phase: .end, id: id, payload: timer))
      return []
    }
    timers.insert(.init(instant: instant, phase: .timers, id: id, payload: timer))
    return arrivals.take(reached: sleeperCount)
  }

  mutating func remove(_ id: UInt64) -> Timer? {
    timers.remove(id)?.payload
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
    guard let entry = timers.popFirst() else { return nil }
    now = max(now, entry.instant)
    advances.remove(entry.id)
    return entry.payload
  }

  /// Takes out the pending advances, which nobody will carry out.
  mutating func takeAdvances() -> [Timer] {
    defer { advances = [] }
    return advances.sorted().compactMap { timers.remove($0)?.payload }
  }
}
