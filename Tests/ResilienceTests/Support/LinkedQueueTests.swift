import Testing

@testable import Resilience

@Suite("A queue that elements can leave from anywhere")
struct LinkedQueueTests {
  typealias Queue = LinkedQueue<Int>

  @Test("over 50 000 random steps it does what a plain list does", arguments: 0..<4)
  func model(seed: Int) {
    var (dice, queue, list) = (Dice(seed: UInt64(seed)), Queue(), [Int]())
    // Every place there ever was: most of them name nothing any more.
    var places: [Queue.Place] = []
    for step in 0..<50_000 {
      let number = Int.random(in: 0..<max(1, places.count), using: &dice)
      // Phases of growth and decline, so that nodes are used again.
      switch Int.random(in: 0..<((step / 200).isMultiple(of: 2) ? 10 : 6), using: &dice) {
      case 6...:
        list.append(places.count)
        places.append(queue.append(places.count))
      case 0: #expect(queue.popOldest() == (list.isEmpty ? nil : list.removeFirst()))
      case 1: #expect(queue.popNewest() == list.popLast())
      case 2 where number < places.count:
        queue.renew(places[number])
        if let index = list.firstIndex(of: number) { list.append(list.remove(at: index)) }
      case 3 where number < places.count:
        let isThere = list.contains(number)
        #expect(queue.update(places[number]) { $0 } == (isThere ? number : nil))
        #expect(queue[places[number]] == (isThere ? number : nil))
      case 4...5 where number < places.count:
        let index = list.firstIndex(of: number)
        #expect(queue.remove(places[number]) == index.map { list.remove(at: $0) })
      default: break
      }
      guard queue.count == list.count, queue.oldest.flatMap({ queue[$0] }) == list.first,
        queue.newest.flatMap({ queue[$0] }) == list.last
      else {
        Issue.record("queue and list differ after step \(step)")
        return
      }
      if step.isMultiple(of: 1_000) { #expect(elements(of: queue) == list) }
    }
    #expect(elements(of: queue) == list)
  }

  private func elements(of queue: Queue) -> [Int] {
    var (elements, next) = ([Int](), queue.oldest)
    while let place = next {
      if let element = queue[place] { elements.append(element) }
      next = queue.newer(than: place)
    }
    return elements
  }

  @Test("an element changes where it stands")
  func update() {
    var queue = Queue()
    let places = [1, 2, 3].map { queue.append($0) }
    #expect(queue.update(places[1]) { $0 = 20 } != nil)
    #expect(elements(of: queue) == [1, 20, 3])
  }

  @Test("a place whose element has gone does not name the next one in its node")
  func staleToken() {
    var queue = Queue()
    let gone = queue.append(1)
    #expect(queue.remove(gone) == 1)
    let next = queue.append(2)
    #expect(queue.remove(gone) == nil)
    queue.renew(gone)
    #expect(queue[gone] == nil && queue[next] == 2 && queue.count == 1)
  }
}
