/// Events on their way to those who observe a policy: in order, each once, outside the lock.
///
/// It lives under the policy's lock. Who adds to it, or touches the policy at all, asks
/// ``beginTurn()`` before unlocking; if that says so, it delivers batch after batch, outside the
/// lock, until there is nothing left or its turn is over. While one does, the others only add, so
/// events keep their order and callbacks may call back. What a turn leaves is for the next touch.
struct Outbox<Event: Sendable>: Sendable {
  /// How many events one caller delivers before it goes on with its own work.
  static var turn: Int { 64 }

  private var waiting: [Event] = []
  private var delivered = 0
  private var isDelivering = false

  mutating func add(_ event: Event) {
    waiting.append(event)
  }

  /// Whether the caller must deliver now.
  mutating func beginTurn() -> Bool {
    guard !isDelivering, delivered < waiting.count else { return false }
    isDelivering = true
    return true
  }

  /// The next events of a turn of which `left` may still be delivered; none ends the turn.
  ///
  /// They are copied, so that those who add meanwhile, under the lock, do not copy all that waits.
  mutating func next(atMost left: Int) -> [Event] {
    let batch = Array(waiting[delivered...].prefix(min(left, Self.turn)))
    guard !batch.isEmpty else {
      isDelivering = false
      return []
    }
    delivered += batch.count
    if delivered == waiting.count {
      waiting = []
      delivered = 0
    } else if delivered > waiting.count / 2 {
      waiting.removeFirst(delivered)
      delivered = 0
    }
    return batch
  }
}
