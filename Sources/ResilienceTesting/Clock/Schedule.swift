/// What a virtual clock knows: the time, who waits for it, and who waits for the waiters.
///
/// It resumes nobody. What it returns is for the clock to resume outside its lock.
struct Schedule: Sendable {
  // `@safe`: the continuations in it are resumed once, by whoever takes the timer out, under the
  // clock's lock; nothing else reads them.
  @safe
  enum Timer: Sendable {
    case sleeper(UnsafeContinuation<Void, any Error>)
    case action(@Sendable () -> Void)
    /// A call of `advance` that a run loop carries out.
    case advance(UnsafeContinuation<Void, Never>)
  }

  /// A timer whose instant has come, but which has not fired: the order of the run loop decides when.
  private struct Due: Sendable {
    let instant: VirtualClock.Instant
    let token: Token
    let timer: Timer
  }

  typealias Token = TimerHeap.Token

  private(set) var now = VirtualClock.Instant.start
  var arrivals = Arrivals()
  private var timers = TimerHeap()
  private var due: [Due] = []
  private var advances: [Token] = []

  var sleeperCount: Int { due.count + timers.count - advances.count }
  var isAdvancing: Bool { !advances.isEmpty }
  var sleepers: [VirtualClock.Instant] {
    due.map(\.instant) + timers.instants
  }

  private var next: VirtualClock.Instant? { due.first?.instant ?? timers.first }

  /// Sets a timer. Whoever waits for as many sleepers as there are now can be taken from `arrivals`.
  mutating func add(_ timer: Timer, at instant: VirtualClock.Instant) -> Token {
    timers.insert(timer, at: instant)
  }

  mutating func addAdvance(
    _ continuation: UnsafeContinuation<Void, Never>, to instant: VirtualClock.Instant
  ) {
    let end = max(instant, now)
    advances.append(unsafe timers.insert(.advance(continuation), at: end, isEnd: true))
  }

  /// Those who waited for as many sleepers as there are now.
  mutating func takeArrived() -> [CheckedContinuation<Void, Never>] {
    arrivals.take(reached: sleeperCount)
  }

  mutating func remove(_ token: Token) -> (timer: Timer, isDue: Bool)? {
    if let timer = timers.remove(token) { return (timer, false) }
    guard let index = due.firstIndex(where: { $0.token == token }) else { return nil }
    return (due.remove(at: index).timer, true)
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
    guard let instant = timers.first else { return nil }
    now = max(now, instant)
    if timers.isFirstAnEnd {
      let token = timers.firstToken
      advances.removeAll { $0 == token }
    }
    return timers.popFirst()
  }

  /// Takes out the pending advances, which nobody will carry out.
  mutating func takeAdvances() -> [Timer] {
    defer { advances = [] }
    return advances.compactMap { remove($0)?.timer }
  }
}

// MARK: - Where the run loop chooses the order

extension Schedule {
  /// Sets the timers apart whose instant has come.
  ///
  /// - Returns: how many have not fired.
  mutating func collectDue() -> Int {
    while let instant = timers.first, instant <= now, !timers.isFirstAnEnd {
      let token = timers.firstToken
      guard let timer = timers.popFirst() else { break }
      due.append(Due(instant: instant, token: token, timer: timer))
    }
    return due.count
  }

  mutating func takeDue(at index: Int) -> Timer? {
    due.indices.contains(index) ? due.remove(at: index).timer : nil
  }

  /// Moves to the next timer, which does not fire; or to the end of an advance, which is no choice:
  /// it comes when nothing else is left.
  mutating func moveToNext() -> (hasMoved: Bool, advance: Timer?) {
    guard let first = timers.first else { return (false, nil) }
    if timers.isFirstAnEnd { return (true, advanceToNext()) }
    now = max(now, first)
    return (true, nil)
  }
}
