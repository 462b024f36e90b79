/// A queue that elements can leave from either end and from anywhere between: a doubly linked list in
/// an array.
///
/// Every operation costs O(1), and memory is taken for as many elements as were ever in it at once.
/// What is taken out is handed to the caller, who may be under a lock and must not end values there.
struct LinkedQueue<Element: Sendable>: Sendable {
  /// Names an element until it is taken out; after that it names nothing.
  struct Place: Hashable, Sendable {
    fileprivate let index: Int
    fileprivate let turn: UInt64
  }

  private struct Node: Sendable {
    /// Empty in a node that is free.
    var element: Element?
    /// How many elements have left this node.
    var turn: UInt64 = 0
    var older = LinkedQueue.none
    /// In a node that is free, the next that is.
    var newer = LinkedQueue.none
  }

  private static var none: Int { -1 }

  private var nodes: [Node] = []
  private var first = LinkedQueue.none
  private var last = LinkedQueue.none
  private var free = LinkedQueue.none

  private(set) var count = 0

  var isEmpty: Bool { count == 0 }

  /// The place of the element that came, or was renewed, first.
  var oldest: Place? { place(at: first) }

  /// The place of the element that came, or was renewed, last.
  var newest: Place? { place(at: last) }

  subscript(place: Place) -> Element? {
    nodes[place.index].turn == place.turn ? nodes[place.index].element : nil
  }

  /// The place of the next newer element.
  func newer(than place: Place) -> Place? {
    self.place(at: nodes[place.index].newer)
  }

  mutating func append(_ element: Element) -> Place {
    let index = takeNode()
    nodes[index].element = element
    link(index)
    count += 1
    return Place(index: index, turn: nodes[index].turn)
  }

  mutating func remove(_ place: Place) -> Element? {
    guard nodes[place.index].turn == place.turn else { return nil }
    unlink(place.index)
    nodes[place.index].turn &+= 1
    nodes[place.index].newer = free
    free = place.index
    count -= 1
    return nodes[place.index].element.take()
  }

  mutating func popOldest() -> Element? { oldest.flatMap { remove($0) } }

  mutating func popNewest() -> Element? { newest.flatMap { remove($0) } }

  /// Makes an element the newest.
  mutating func renew(_ place: Place) {
    guard nodes[place.index].turn == place.turn, place.index != last else { return }
    unlink(place.index)
    link(place.index)
  }

  /// Changes an element where it stands.
  mutating func update<Result>(_ place: Place, _ body: (inout Element) -> Result) -> Result? {
    guard nodes[place.index].turn == place.turn, nodes[place.index].element != nil else {
      return nil
    }
    // It was just seen to be there.
    return body(&nodes[place.index].element!)
  }

  private func place(at index: Int) -> Place? {
    index == Self.none ? nil : Place(index: index, turn: nodes[index].turn)
  }

  private mutating func takeNode() -> Int {
    guard free != Self.none else {
      nodes.append(Node())
      return nodes.count - 1
    }
    let index = free
    free = nodes[index].newer
    return index
  }

  private mutating func link(_ index: Int) {
    nodes[index].older = last
    nodes[index].newer = Self.none
    if last == Self.none { first = index } else { nodes[last].newer = index }
    last = index
  }

  private mutating func unlink(_ index: Int) {
    let (older, newer) = (nodes[index].older, nodes[index].newer)
    if older == Self.none { first = newer } else { nodes[older].newer = newer }
    if newer == Self.none { last = older } else { nodes[newer].older = older }
  }
}
