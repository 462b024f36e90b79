import Testing

@testable import Resilience

@Suite("HG-1: what follows from the end of an attempt")
struct HedgeRaceTests {
  /// A race that expectations may change.
  final class Race {
    private var race: Hedge.Race

    init(maxHedges: Int) { race = Hedge.Race(maxHedges: maxHedges) }

    var mayHedge: Bool { race.mayHedge }
    var hedges: Int { race.hedges }
    var owed: Int { race.owed }
    var isOver: Bool { race.isOver }

    func makeHedge() -> Int? { race.makeHedge() }
    func stopHedging() -> Hedge.Race.Decision { race.stopHedging() }
    func begin(_ attempt: Int) -> Bool { race.begin(attempt) }
    func end(_ attempt: Int, _ outcome: Outcome) -> Hedge.Race.Decision {
      race.end(attempt, outcome)
    }
    func leave() -> Bool { race.leave() }
    func unspent(after winner: Int) -> Int { race.unspent(after: winner) }
  }

  @Test("a failure owes the next attempt, once, and only if one may follow")
  func owed() {
    let race = Race(maxHedges: 1)
    #expect(race.begin(0))
    #expect(race.end(0, .failure) == .goOn)
    #expect(race.owed == 1)
    #expect(race.makeHedge() == 1)
    #expect(race.owed == 0)
    #expect(race.makeHedge() == nil)
    #expect(race.begin(1))
    #expect(race.end(1, .failure) == .lost)
  }

  @Test("two failures owe two attempts, as far as there are two")
  func owedTwice() {
    let race = Race(maxHedges: 2)
    _ = race.begin(0)
    _ = race.makeHedge()
    _ = race.begin(1)
    #expect(race.end(1, .failure) == .goOn)
    #expect(race.end(0, .failure) == .goOn)
    #expect(race.owed == 1)
    #expect(race.makeHedge() == 2)
    _ = race.begin(2)
    #expect(race.end(2, .failure) == .lost)
  }

  @Test("without further hedges the call ends with its last attempt, or at once if none is left")
  func stopped() {
    let race = Race(maxHedges: 1)
    _ = race.begin(0)
    #expect(race.stopHedging() == .goOn)
    #expect(!race.mayHedge)
    #expect(race.end(0, .failure) == .lost)
    let other = Race(maxHedges: 1)
    _ = other.begin(0)
    #expect(other.end(0, .failure) == .goOn)
    #expect(other.stopHedging() == .lost)
    #expect(other.stopHedging() == .late)
  }

  @Test("nothing begins when the call is over, and what ends is late")
  func over() {
    let race = Race(maxHedges: 2)
    _ = race.begin(0)
    _ = race.makeHedge()
    #expect(race.end(0, .success) == .won)
    #expect(race.unspent(after: 0) == 1)
    #expect(!race.begin(1))
    #expect(race.makeHedge() == nil)
    #expect(!race.leave())
    let left = Race(maxHedges: 1)
    _ = left.begin(0)
    #expect(left.leave())
    #expect(left.end(0, .success) == .late)
  }

  /// What one attempt does.
  enum Phase: Hashable { case made, running, ended(Outcome) }

  @Test("in any order of events, it agrees with a list of the attempts")
  func walk() {
    var dice = Dice(seed: 7)
    for round in 0..<5_000 {
      let maxHedges = round % 5
      let race = Race(maxHedges: maxHedges)
      var attempts = [Phase.made]
      var (isOver, isHedging) = (false, true)
      for _ in 0..<30 {
        let number = Int.random(in: 0..<attempts.count, using: &dice)
        switch Int.random(in: 0..<10, using: &dice) {
        case 0, 1:
          let made = race.makeHedge()
          let expected = !isOver && isHedging && attempts.count <= maxHedges
          #expect(made == (expected ? attempts.count : nil))
          if expected { attempts.append(.made) }
        case 2 where round.isMultiple(of: 7):
          let decision = race.stopHedging()
          guard !isOver else { break }
          isHedging = false
          isOver = attempts.allSatisfy { if case .ended = $0 { true } else { false } }
          #expect(decision == (isOver ? .lost : .goOn))
        case 3 where round.isMultiple(of: 11):
          #expect(race.leave() == !isOver)
          isOver = true
        case 4, 5, 6:
          guard attempts[number] == .made else { break }
          #expect(race.begin(number) == !isOver)
          if !isOver { attempts[number] = .running }
        default:
          guard attempts[number] == .running else { break }
          let outcomes = [Outcome.success, .failure, .ignored]
          let outcome = outcomes[Int.random(in: 0..<3, using: &dice)]
          let (owed, waiting) = (race.owed, attempts.dropFirst().count { $0 == .made })
          let decision = race.end(number, outcome)
          attempts[number] = .ended(outcome)
          if isOver {
            #expect(decision == .late)
          } else if outcome == .success {
            isOver = true
            #expect(decision == .won)
            #expect(race.unspent(after: number) == waiting + (number > 0 ? 1 : 0))
          } else {
            let owes = isHedging && outcome == .failure && attempts.count + owed <= maxHedges
            #expect(race.owed == owed + (owes ? 1 : 0))
            let allEnded = attempts.allSatisfy { if case .ended = $0 { true } else { false } }
            isOver = allEnded && race.owed == 0
            #expect(decision == (isOver ? .lost : .goOn))
          }
        }
        #expect(race.isOver == isOver)
        #expect(race.hedges == attempts.count - 1)
        #expect(race.hedges <= maxHedges)
      }
    }
  }
}
