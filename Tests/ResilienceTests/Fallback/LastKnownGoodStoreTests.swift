import Testing

@testable import Resilience

@Suite("FB-2: last known good, the store against a list")
struct LastKnownGoodStoreTests {
  typealias Store = LastKnownGood<Int, Int>.Store

  /// An entry as a whole, comparable.
  struct Row: Hashable {
    let key: Int
    let value: Int
    let instant: Int64

    init(key: Int, value: Int, instant: Int64) {
      self.key = key
      self.value = value
      self.instant = instant
    }

    init?(_ entry: Store.Entry?) {
      guard let entry else { return nil }
      self.init(key: entry.key, value: entry.value, instant: entry.instant)
    }
  }

  /// The same, as plain as can be: the least recently used first.
  struct List {
    let capacity: Int
    let maxAge: Int64
    var rows: [Row] = []

    mutating func remember(_ value: Int, for key: Int, at now: Int64) -> Row? {
      var gone = forget(key)
      if rows.count == capacity { gone = rows.removeFirst() }
      rows.append(Row(key: key, value: value, instant: now))
      return gone
    }

    mutating func recall(_ key: Int, at now: Int64) -> (known: Row?, expired: Row?) {
      guard let row = forget(key) else { return (nil, nil) }
      guard now - row.instant <= maxAge else { return (nil, row) }
      rows.append(row)
      return (row, nil)
    }

    mutating func forget(_ key: Int) -> Row? {
      rows.firstIndex { $0.key == key }.map { rows.remove(at: $0) }
    }
  }

  @Test(
    "FB-2: over 100 000 random steps it answers, keeps and evicts what a list does",
    arguments: [1, 2, 3, 10, 64])
  func walk(capacity: Int) {
    var dice = Dice(seed: UInt64(capacity))
    var store = Store(capacity: capacity, maxAge: 100)
    var list = List(capacity: capacity, maxAge: 100)
    var now: Int64 = 0
    var met = (evicted: 0, expired: 0, known: 0)
    for step in 0..<100_000 {
      // A value that nobody uses is about as likely to become too old as to be evicted.
      now += .random(in: 0...Int64(200 / capacity), using: &dice)
      let key = Int.random(in: 0..<(capacity * 2), using: &dice)
      switch Int.random(in: 0..<20, using: &dice) {
      case 0..<8:
        let gone = Row(store.remember(step, for: key, at: now))
        expectSame(gone, list.remember(step, for: key, at: now), step)
        if let gone, gone.key != key { met.evicted += 1 }
      case 8..<18:
        let recollection = store.recall(key, at: now)
        let expected = list.recall(key, at: now)
        expectSame(recollection.known?.value, expected.known?.value, step)
        expectSame(recollection.known?.age, expected.known.map { now - $0.instant }, step)
        expectSame(Row(recollection.expired), expected.expired, step)
        if recollection.known != nil { met.known += 1 }
        if recollection.expired != nil { met.expired += 1 }
      default:
        expectSame(Row(store.forget(key)), list.forget(key), step)
      }
      expectSame(store.count, list.rows.count, step)
    }
    #expect(met.evicted > 100 && met.expired > 100 && met.known > 1_000)
  }

  private func expectSame<Value: Equatable>(_ value: Value, _ expected: Value, _ step: Int) {
    if value != expected { Issue.record("step \(step): \(value), not \(expected)") }
  }

  @Test("time that steps back stands still, and goes on from there; nothing traps")
  func steadyTime() {
    var time = SteadyTime()
    let readings: [Int64] = [5, 7, 3, 4, 4, 10, 2, 3]
    #expect(readings.map { time.now(at: $0) } == [5, 7, 7, 8, 8, 14, 14, 15])
    var extreme = SteadyTime()
    let bounds: [Int64] = [.max, .min, .max, .min, 0]
    let times = bounds.map { extreme.now(at: $0) }
    #expect(times.allSatisfy { $0 == .max })
  }
}
