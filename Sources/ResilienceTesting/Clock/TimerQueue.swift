/// Timers in the order of their instants, first come first served among equals.
///
/// A binary heap and, for each timer, where it stands in it: insert, remove and pop cost O(log n).
struct TimerQueue<Payload: Sendable>: Sendable {
  /// What happens at one instant, in this order.
  enum Phase: Comparable, Sendable {
    case timers
    /// After every timer of the instant, also those set while the others fire.
    case end
  }

  struct Entry: Sendable {
    let instant: VirtualClock.Instant
    let phase: Phase
    let id: UInt64
    let payload: Payload

    func precedes(_ other: Entry) -> Bool {
      (instant, phase, id) < (other.instant, other.phase, other.id)
    }
  }

  private var heap: [Entry] = []
  private var positions: [UInt64: Int] = [:]

  var count: Int { heap.count }
  var first: Entry? { heap.first }

  /// The instants of a phase, earliest first. Sorts: for reports.
  func instants(in phase: Phase) -> [VirtualClock.Instant] {
    heap.filter { $0.phase == phase }.map(\.instant).sorted()
  }

  mutating func insert(_ entry: Entry) {
    heap.append(entry)
    positions[entry.id] = heap.count - 1
    siftUp(heap.count - 1)
  }

  mutating func popFirst() -> Entry? {
    heap.isEmpty ? nil : remove(at: 0)
  }

  mutating func remove(_ id: UInt64) -> Entry? {
    positions[id].map { remove(at: $0) }
  }

  private mutating func remove(at position: Int) -> Entry {
    swap(position, heap.count - 1)
    let entry = heap.removeLast()
    positions[entry.id] = nil
    if position < heap.count {
      siftUp(position)
      siftDown(position)
    }
    return entry
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
    positions[heap[a].id] = a
    positions[heap[b].id] = b
  }
}
