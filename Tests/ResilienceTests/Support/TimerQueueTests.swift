import Synchronization
import Testing

@testable import Resilience

@Suite("Timers in order")
struct TimerQueueTests {
  /// The plain list that the queue is compared with.
  private struct NaiveQueue {
    private(set) var timers: [(instant: Int, number: Int)] = []

    mutating func insert(_ number: Int, at instant: Int) {
      let index = timers.firstIndex { $0.instant > instant } ?? timers.endIndex
      timers.insert((instant, number), at: index)
    }

    mutating func remove(_ number: Int) -> Int? {
      timers.firstIndex { $0.number == number }.map { timers.remove(at: $0).number }
    }
  }

  @Test("a hundred thousand random operations do what they do to a plain list", arguments: 0..<4)
  func model(seed: Int) {
    var (dice, queue, naive) = (Dice(seed: UInt64(seed)), TimerQueue<Int, Int>(), NaiveQueue())
    var tokens: [TimerQueue<Int, Int>.Token] = []
    // Few instants, so that most timers have equals; and phases of growth and decline.
    for step in 0..<25_000 {
      let inserts = (step / 500).isMultiple(of: 2) ? 6 : 3
      switch Int.random(in: 0..<10, using: &dice) {
      case ..<inserts:
        let instant = Int.random(in: -20...20, using: &dice)
        tokens.append(queue.insert(tokens.count, at: instant))
        naive.insert(tokens.count - 1, at: instant)
      case 8, 9:
        let popped = queue.popFirst()
        let expected = naive.timers.first
        #expect(popped?.instant == expected?.instant && popped?.payload == expected?.number)
        if let expected { _ = naive.remove(expected.number) }
      default:
        // Live, popped and removed ones alike.
        guard let number = tokens.indices.randomElement(using: &dice) else { continue }
        #expect(queue.remove(tokens[number]) == naive.remove(number))
        #expect(queue.remove(tokens[number]) == nil)
      }
      guard queue.count == naive.timers.count, queue.first == naive.timers.first?.instant else {
        Issue.record("the queues differ after step \(step)")
        return
      }
    }
    #expect(queue.instants == naive.timers.map(\.instant))
    while let timer = queue.popFirst() {
      #expect(naive.remove(timer.payload) == timer.payload)
    }
    #expect(naive.timers.isEmpty && queue.popFirst() == nil && queue.first == nil)
    for token in tokens { #expect(queue.remove(token) == nil) }
  }

  /// An instant that counts how often it is compared.
  private struct Counted: Comparable, Sendable {
    static let comparisons = Atomic(0)
    let value: Int

    static func < (left: Self, right: Self) -> Bool {
      comparisons.add(1, ordering: .relaxed)
      return left.value < right.value
    }
    static func == (left: Self, right: Self) -> Bool {
      comparisons.add(1, ordering: .relaxed)
      return left.value == right.value
    }
  }

  @Test("a hundred thousand timers, set and cancelled in any order: a few comparisons each")
  func cheap() {
    let count = 100_000
    var (dice, queue) = (Dice(seed: 1), TimerQueue<Counted, Int>())
    let tokens = (0..<count).map { number in
      queue.insert(number, at: Counted(value: Int.random(in: 0..<1_000_000, using: &dice)))
    }
    let setting = Counted.comparisons.load(ordering: .relaxed)
    #expect(queue.count == count)
    for token in tokens.shuffled(using: &dice) { _ = queue.remove(token) }
    let cancelling = Counted.comparisons.load(ordering: .relaxed) - setting
    #expect(queue.count == 0)
    // A level of the heap costs two turns of two comparisons at most, and there are 17; a random
    // insertion stays near the bottom.
    #expect(setting < 10 * count)
    #expect(cancelling < 4 * 17 * count)
    // Slots are used again: what was cancelled takes no memory twice.
    for _ in 0..<3 {
      let token = queue.insert(0, at: Counted(value: 0))
      #expect(tokens.allSatisfy { $0 != token })
      #expect(queue.remove(token) == 0)
    }
  }
}
