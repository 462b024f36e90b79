/// Timers in the order of their instants, first come first served among equals.
///
/// A binary heap of slots that know where they stand in it: insert, remove and pop cost O(log n),
/// and memory is taken for as many timers as were ever set at once.
package struct TimerQueue<Instant: Comparable & Sendable, Payload: Sendable>: Sendable {
  /// Names a timer until it is taken out; after that it names nothing.
  package struct Token: Hashable, Sendable {
    fileprivate let slot: Int
    fileprivate let order: UInt64
  }

  private struct Entry: Sendable {
    let instant: Instant
    let order: UInt64
    let slot: Int

    func precedes(_ other: Entry) -> Bool {
      instant == other.instant ? order < other.order : instant < other.instant
    }
  }

  private struct Timer: Sendable {
    let order: UInt64
    let payload: Payload
    var position: Int
  }

  private var heap: [Entry] = []
  private var timers: [Timer?] = []
  private var freeSlots: [Int] = []
  private var lastOrder: UInt64 = 0

  package init() {}

  package var count: Int { heap.count }
  package var first: Instant? { heap.first?.instant }

  /// The instants of all timers, earliest first. Sorts: for reports.
  package var instants: [Instant] { heap.map(\.instant).sorted() }

  package mutating func insert(_ payload: Payload, at instant: Instant) -> Token {
    lastOrder += 1
    let timer = Timer(order: lastOrder, payload: payload, position: heap.count)
    let slot = occupy(timer)
    heap.append(Entry(instant: instant, order: lastOrder, slot: slot))
    siftUp(heap.count - 1)
    return Token(slot: slot, order: lastOrder)
  }

  package mutating func popFirst() -> (instant: Instant, payload: Payload)? {
    heap.isEmpty ? nil : remove(at: 0)
  }

  package mutating func remove(_ token: Token) -> Payload? {
    guard let timer = timers[token.slot], timer.order == token.order else { return nil }
    return remove(at: timer.position).payload
  }

  private mutating func occupy(_ timer: Timer) -> Int {
    guard let slot = freeSlots.popLast() else {
      timers.append(timer)
      return timers.count - 1
    }
    timers[slot] = timer
    return slot
  }

  private mutating func remove(at position: Int) -> (instant: Instant, payload: Payload) {
    swap(position, heap.count - 1)
    let entry = heap.removeLast()
    if position < heap.count {
      siftUp(position)
      siftDown(position)
    }
    freeSlots.append(entry.slot)
    // Every entry of the heap has a timer in its slot.
    return (entry.instant, timers[entry.slot].take()!.payload)
  }

  private mutating func siftUp(_ start: Int) {
    var child = start
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child].precedes(heap[parent]) else { return }
      swap(child, parent)
      child = parent
    }
  }

  private mutating func siftDown(_ start: Int) {
    var parent = start
    while let child = earlierChild(of: parent), heap[child].precedes(heap[parent]) {
      swap(parent, child)
      parent = child
    }
  }

  private func earlierChild(of parent: Int) -> Int? {
    let left = 2 * parent + 1
    guard left < heap.count else { return nil }
    let right = left + 1
    return right < heap.count && heap[right].precedes(heap[left]) ? right : left
  }

  private mutating func swap(_ a: Int, _ b: Int) {
    heap.swapAt(a, b)
    timers[heap[a].slot]?.position = a
    timers[heap[b].slot]?.position = b
  }
}
