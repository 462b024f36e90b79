extension Bulkhead {
  /// Those who wait, in the order in which they are served.
  ///
  /// Everything costs O(1), by priority O(number of priorities that ever waited).
  struct WaiterQueue<Element: Sendable>: Sendable {
    /// Names an element until it leaves.
    struct Place: Hashable, Sendable {
      fileprivate let urgency: UInt8
      fileprivate let place: LinkedQueue<Element>.Place
    }

    private struct Level: Sendable {
      let urgency: UInt8
      var elements = LinkedQueue<Element>()
    }

    private let order: Order.Kind

    /// The most urgent first. A level that has become empty stays: its queue knows which places it
    /// has given away before.
    private var levels: [Level] = []

    private(set) var count = 0

    init(_ order: Order.Kind) { self.order = order }

    var isEmpty: Bool { count == 0 }

    /// - Parameter urgency: who is more urgent is served first; of equals, the order decides.
    mutating func append(_ element: Element, urgency: UInt8) -> Place {
      count += 1
      let place = levels[level(of: urgency)].elements.append(element)
      return Place(urgency: urgency, place: place)
    }

    /// Takes an element out, if it has not left.
    mutating func remove(_ place: Place) -> Element? {
      taking(levels[level(of: place.urgency)].elements.remove(place.place))
    }

    /// Takes out who is served next.
    mutating func popNext() -> Element? {
      guard let level = levels.firstIndex(where: { !$0.elements.isEmpty }) else { return nil }
      return switch order {
      case .fifo, .priority: taking(levels[level].elements.popOldest())
      case .newestFirst: taking(levels[level].elements.popNewest())
      }
    }

    /// Takes out who has to leave when the queue is full and somebody new comes; `nil` if nobody
    /// has, and the newcomer is refused.
    mutating func popLeast(for urgency: UInt8) -> Element? {
      guard let level = levels.lastIndex(where: { !$0.elements.isEmpty }) else { return nil }
      switch order {
      case .fifo: return nil
      case .newestFirst: return taking(levels[level].elements.popOldest())
      case .priority:
        guard levels[level].urgency < urgency else { return nil }
        return taking(levels[level].elements.popNewest())
      }
    }

    private mutating func taking(_ element: Element?) -> Element? {
      if element != nil { count -= 1 }
      return element
    }

    /// The index of a level, which is made if there is none.
    private mutating func level(of urgency: UInt8) -> Int {
      let index = levels.firstIndex { $0.urgency <= urgency } ?? levels.count
      if index == levels.count || levels[index].urgency != urgency {
        levels.insert(Level(urgency: urgency), at: index)
      }
      return index
    }
  }
}
