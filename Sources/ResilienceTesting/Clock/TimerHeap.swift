/// The timers of a virtual clock, earliest first; first come, first served among equals.
///
/// A binary heap of places. A timer that is taken out by its token leaves its place behind, empty,
/// until that comes to the top or most places are empty; so nothing has to know where it stands.
/// Insert, pop and remove cost O(log n), the last amortized.
struct TimerHeap: Sendable {
  /// Names a timer until it is taken out; after that it names nothing.
  struct Token: Equatable, Sendable {
    /// The slot, and in the upper half as much of the number as there is room for. A token could
    /// name another timer only 2^32 timers after its own.
    let rawValue: UInt64

    static let none = Token(rawValue: .max)

    init(rawValue: UInt64) {
      self.rawValue = rawValue
    }

    fileprivate init(slot: Int, number: UInt64) {
      rawValue = number << 32 | UInt64(slot)
    }

    fileprivate var slot: Int { Int(rawValue & 0xffff_ffff) }
  }

  private struct Place: Sendable {
    let instant: VirtualClock.Instant
    /// Among equal instants. The ends of advances come after all other timers.
    let rank: UInt64
    let token: Token

    static let ends: UInt64 = 1 << 63

    var isEnd: Bool { rank >= Self.ends }

    func precedes(_ other: Place) -> Bool {
      instant == other.instant ? rank < other.rank : instant < other.instant
    }
  }

  private struct Slot: Sendable {
    var token: Token
    var timer: Schedule.Timer?
  }

  private var places: [Place] = []
  private var slots: [Slot] = []
  private var freeSlots: [Int] = []
  private var lastNumber: UInt64 = 0

  /// How many timers there are.
  var count: Int { slots.count - freeSlots.count }

  /// The instants of all timers but the ends of advances, earliest first. Sorts: for reports.
  var instants: [VirtualClock.Instant] {
    places.filter { !$0.isEnd && isOccupied($0) }.map(\.instant).sorted()
  }

  // The first place is never an empty one.

  var first: VirtualClock.Instant? { places.first?.instant }
  var firstToken: Token { places.first?.token ?? .none }
  var isFirstAnEnd: Bool { places.first?.isEnd ?? false }

  mutating func insert(
    _ timer: Schedule.Timer, at instant: VirtualClock.Instant, isEnd: Bool = false
  ) -> Token {
    lastNumber += 1
    let slot = freeSlots.popLast() ?? slots.count
    let token = Token(slot: slot, number: lastNumber)
    let content = Slot(token: token, timer: timer)
    if slot == slots.count { slots.append(content) } else { slots[slot] = content }
    let rank = isEnd ? lastNumber | Place.ends : lastNumber
    rise(Place(instant: instant, rank: rank, token: token))
    return token
  }

  mutating func popFirst() -> Schedule.Timer? {
    places.isEmpty ? nil : remove(firstToken)
  }

  mutating func remove(_ token: Token) -> Schedule.Timer? {
    guard token.slot < slots.count, slots[token.slot].token == token else { return nil }
    slots[token.slot].token = .none
    freeSlots.append(token.slot)
    // A slot has a timer as long as it has a token.
    let timer = slots[token.slot].timer.take()!
    sweep()
    return timer
  }

  private func isOccupied(_ place: Place) -> Bool {
    slots[place.token.slot].token == place.token
  }

  private mutating func sweep() {
    while let first = places.first, !isOccupied(first) { removeFirst() }
    guard places.count > 2 * count + 64 else { return }
    places = places.filter { isOccupied($0) }
    // What is sorted is a heap.
    places.sort { $0.precedes($1) }
  }

  private mutating func rise(_ place: Place) {
    var child = places.count
    places.append(place)
    while child > 0 {
      let parent = (child - 1) / 2
      guard place.precedes(places[parent]) else { break }
      places[child] = places[parent]
      child = parent
    }
    places[child] = place
  }

  private mutating func removeFirst() {
    let last = places.removeLast()
    guard !places.isEmpty else { return }
    var parent = 0
    while let child = earlierChild(of: parent), places[child].precedes(last) {
      places[parent] = places[child]
      parent = child
    }
    places[parent] = last
  }

  private func earlierChild(of parent: Int) -> Int? {
    let left = 2 * parent + 1
    guard left < places.count else { return nil }
    let right = left + 1
    return right < places.count && places[right].precedes(places[left]) ? right : left
  }
}
