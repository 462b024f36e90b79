import ResilienceTesting
import Testing

@testable import Resilience

@Suite("CB-20: policies by key")
struct KeyedTests {
  /// Says of itself whether it may leave, and counts what the collection does with it.
  final class Plain: Evictable {
    let key: Int
    private let mayLeave: @Sendable (Int) -> Bool
    private let atEnd: @Sendable (Int) -> Void

    init(
      _ key: Int, mayLeave: @escaping @Sendable (Int) -> Bool = { _ in true },
      atEnd: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
      self.key = key
      self.mayLeave = mayLeave
      self.atEnd = atEnd
    }

    deinit { atEnd(key) }

    var isEvictable: Bool { mayLeave(key) }
  }

  private func keys(of keyed: Keyed<Int, Plain>) -> [Int] { keyed.all().map(\.key) }

  @Test("CB-20: a key has one policy, made when the key first comes")
  func onePolicy() {
    let breakers = Keyed<String, CircuitBreaker> { CircuitBreaker($0) }
    #expect(breakers.existing("a") == nil)
    #expect(breakers.snapshot() == .init(count: 0, capacity: 10_000, made: 0, evicted: 0))
    let first = breakers["a"]
    #expect(breakers["a"] === first && breakers.existing("a") === first && first.name == "a")
    #expect(breakers["b"] !== first)
    #expect(breakers.snapshot() == .init(count: 2, capacity: 10_000, made: 2, evicted: 0))
  }

  @Test("CB-20: the least recently used leaves first; looking at all of them is no use")
  func leastRecentlyUsed() {
    let keyed = Keyed<Int, Plain>(capacity: 3) { Plain($0) }
    for key in [1, 2, 3, 1] { _ = keyed[key] }
    _ = keyed.existing(2)
    #expect(keys(of: keyed) == [3, 1, 2])
    _ = keyed[4]
    #expect(keys(of: keyed) == [1, 2, 4])
    _ = keyed[5]
    #expect(keys(of: keyed) == [2, 4, 5])
    #expect(keyed.snapshot() == .init(count: 3, capacity: 3, made: 5, evicted: 2))
  }

  @Test("CB-20: a policy that somebody holds does not leave, so its key never has two")
  func held() {
    let keyed = Keyed<Int, Plain>(capacity: 2) { Plain($0) }
    let held = keyed[1]
    for key in 2...100 { _ = keyed[key] }
    #expect(keyed[1] === held)
    #expect(keyed.snapshot().count == 2)
  }

  @Test("CB-20: one that may not leave is passed over, also by a later one")
  func passedOver() {
    let keyed = Keyed<Int, Plain>(capacity: 3) { Plain($0, mayLeave: { $0 != 1 }) }
    for key in 1...10 { _ = keyed[key] }
    #expect(Set(keys(of: keyed)) == [1, 9, 10])
  }

  @Test("CB-20: while none may leave there are more; as soon as they may, they do")
  func overCapacity() {
    let shared = Shared(false)
    let keyed = Keyed<Int, Plain>(capacity: 5) { Plain($0, mayLeave: { _ in shared.value }) }
    for key in 1...20 { _ = keyed[key] }
    #expect(keyed.snapshot() == .init(count: 20, capacity: 5, made: 20, evicted: 0))
    shared.value = true
    // Eight each time, of which one place is for the one that comes.
    _ = keyed[21]
    #expect(keyed.snapshot().count == 13)
    _ = keyed[22]
    #expect(keyed.snapshot().count == 6)
    _ = keyed[23]
    #expect(keyed.snapshot() == .init(count: 5, capacity: 5, made: 23, evicted: 18))
    // Those that were asked in vain had moved up.
    #expect(keys(of: keyed).suffix(3) == [21, 22, 23])
  }

  @Test("CB-20: of a hundred thousand keys from outside, as many are kept as may be")
  func hostileKeys() {
    let ended = Shared(0)
    let keyed = Keyed<Int, Plain>(capacity: 100) {
      Plain($0, atEnd: { _ in ended.change { $0 += 1 } })
    }
    for key in 0..<100_000 { _ = keyed[key] }
    #expect(keyed.snapshot() == .init(count: 100, capacity: 100, made: 100_000, evicted: 99_900))
    #expect(ended.value == 99_900)
    #expect(keys(of: keyed) == Array(99_900..<100_000))
  }

  @Test("CB-20: what makes a policy, and a policy's end, may use the collection")
  func reentrancy() {
    let shared = Shared<Keyed<Int, Plain>?>(nil)
    let keyed = Keyed<Int, Plain>(capacity: 2) { key in
      if key > 1 { _ = shared.value?[key - 1] }
      return Plain(key, atEnd: { _ in _ = shared.value?.snapshot() })
    }
    shared.value = keyed
    #expect(keyed[4].key == 4)
    #expect(keyed.snapshot() == .init(count: 2, capacity: 2, made: 4, evicted: 2))
    shared.value = nil
  }

  @Test("CB-20: a key ends outside the lock")
  func keyThatCallsBack() async {
    await #expect(processExitsWith: .success) {
      let policies = Keyed<Name, RetryBudget>(capacity: 1) { _ in RetryBudget() }
      do { _ = policies[Name(1) { _ = policies.snapshot() }] }
      _ = policies[Name(2) {}]
    }
  }

  @Test("CB-20: threads that ask for a key at once get the same policy")
  func threads() async {
    for round in 0..<200 {
      let keyed = Keyed<Int, Plain>(capacity: 4) { Plain($0) }
      let policies = await withTaskGroup(of: [Plain].self) { group in
        for _ in 0..<4 {
          group.addTask { (0..<8).map { keyed[($0 + round) % 8] } }
        }
        return await group.reduce(into: []) { $0.append(contentsOf: $1) }
      }
      // All are held here, so no key can have had two.
      for key in 0..<8 {
        let ofKey = Set(policies.filter { $0.key == key }.map { ObjectIdentifier($0) })
        #expect(ofKey.count == 1)
      }
    }
  }

  @Test("a capacity below one is a mistake in source code")
  func capacity() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Keyed<Int, RetryBudget>(capacity: 0) { _ in RetryBudget() }
    }
    let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(message.contains("Keyed: capacity is 0; allowed: 1..."))
  }
}

/// A key that calls back when it ends.
private struct Name: Hashable, Sendable {
  let number: Int
  private let tail: Tail

  init(_ number: Int, _ atEnd: @escaping @Sendable () -> Void) {
    self.number = number
    tail = Tail(atEnd)
  }

  static func == (one: Self, other: Self) -> Bool { one.number == other.number }
  func hash(into hasher: inout Hasher) { hasher.combine(number) }
}

/// Calls back when it ends.
final class Tail: Sendable {
  private let atEnd: @Sendable () -> Void

  init(_ atEnd: @escaping @Sendable () -> Void) { self.atEnd = atEnd }

  deinit { atEnd() }
}
