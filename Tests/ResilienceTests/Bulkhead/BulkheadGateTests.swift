import Testing

@testable import Resilience

@Suite("The word that calls pass by without the lock")
struct BulkheadGateTests {
  typealias Gate = Bulkhead.Gate

  /// What a word says, as values that can be compared.
  private static func read(_ word: Gate.Word) -> [Int] {
    [word.inFlight, word.limit, word.isClosed ? 1 : 0]
  }

  @Test("calls enter up to the limit, and leave", arguments: [1, 2, 25])
  func counts(limit: Int) {
    let gate = Gate(limit: limit)
    for inFlight in 0..<limit {
      #expect(Self.read(gate.current) == [inFlight, limit, 0])
      let answer = gate.enter()
      #expect(answer == .entered)
    }
    let full = gate.enter()
    #expect(full == .full)
    for inFlight in (0..<limit).reversed() {
      let hasLeft = gate.leave()
      #expect(hasLeft)
      #expect(Self.read(gate.current) == [inFlight, limit, 0])
    }
  }

  @Test("while it is closed nobody enters or leaves, whether there is room or not")
  func closed() {
    for limit in [1, 2] {
      let gate = Gate(limit: limit)
      let first = gate.enter()
      #expect(first == .entered)
      #expect(Self.read(gate.close())[..<2] == [1, limit])
      let answer = gate.enter()
      #expect(answer == .closed)
      let hasLeft = gate.leave()
      #expect(!hasLeft)
      #expect(Self.read(gate.current) == [1, limit, 1])
      gate.set(Gate.Word(inFlight: 0, limit: 7, isClosed: false))
      #expect(Self.read(gate.current) == [0, 7, 0])
    }
  }

  @Test("every part holds the largest number and leaves the others alone")
  func extremes() {
    let most = Gate.Word.most
    #expect(most == 2_147_483_647)
    for (inFlight, limit) in [(0, most), (most, 0), (most, most), (most, 1), (1, most)] {
      for isClosed in [false, true] {
        let word = Gate.Word(inFlight: inFlight, limit: limit, isClosed: isClosed)
        #expect(Self.read(word) == [inFlight, limit, isClosed ? 1 : 0])
      }
    }
    let gate = Gate(limit: most)
    gate.set(Gate.Word(inFlight: most, limit: most, isClosed: false))
    let answer = gate.enter()
    #expect(answer == .full)
  }

  @Test("under threads never more are inside than may be, and all come out again")
  func threads() async {
    let bulkhead = Bulkhead(limit: 3)
    let headcount = Headcount()
    let entered = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<4 {
        group.addTask {
          var entered = 0
          for _ in 0..<20_000 where bulkhead.gate.enter() == .entered {
            entered += 1
            headcount.enter()
            headcount.leave()
            while !bulkhead.gate.leave() {}
          }
          return entered
        }
      }
      return await group.reduce(0, +)
    }
    #expect(entered > 0)
    #expect(headcount.most <= 3)
    #expect(Self.read(bulkhead.gate.current) == [0, 3, 0])
  }
}
