import Resilience
import Testing

@Suite("Fault injection: results are for calls of exactly their type")
struct InjectedResultTests {
  typealias Fault = FaultInjection.Fault

  final class Account: Sendable {}
  final class Branch: Sendable {}

  struct Address: Hashable {
    var street: String
    var numbers: [Int]
  }

  struct Ticket: ~Copyable {
    var number = 0
  }

  /// Whether a call that returns the value gets an injected one in its place. It must be counted.
  private func isReplaced<Value>(
    _ value: sending Value, by fault: Fault, _ isInjected: (Value) -> Bool
  ) async throws -> Bool {
    let faults = FaultInjection([fault])
    let result = try await faults.run { value }
    let isReplaced = isInjected(result)
    #expect(faults.snapshot().results == (isReplaced ? 1 : 0))
    #expect(faults.snapshot().calls == 1)
    return isReplaced
  }

  private func isReplaced<Value: Equatable>(
    _ value: sending Value, by injected: Value, as fault: Fault
  ) async throws -> Bool {
    try await isReplaced(value, by: fault) { $0 == injected }
  }

  @Test("FI-1: numbers, strings, structs, arrays, tuples and nothing at all")
  func values() async throws {
    #expect(try await isReplaced(1, by: 2, as: .result(2, rate: 1)))
    #expect(try await isReplaced(1.5, by: 2.5, as: .result(2.5, rate: 1)))
    let long = String(repeating: "injected ", count: 10)
    #expect(try await isReplaced("answer", by: long, as: .result(long, rate: 1)))
    let home = Address(street: long, numbers: [1, 2])
    let other = Address(street: "", numbers: [])
    #expect(try await isReplaced(other, by: home, as: .result(home, rate: 1)))
    #expect(try await isReplaced([1], by: [2, 3], as: .result([2, 3], rate: 1)))
    #expect(
      try await isReplaced((1, "a"), by: .result((2, "b"), rate: 1)) { $0 == (2, "b") })
    let faults = FaultInjection([.result((), rate: 1)])
    var runs = 0
    try await faults.run { runs += 1 }
    #expect(runs == 0)
  }

  @Test("FI-1: optionals, none of them too")
  func optionals() async throws {
    #expect(try await isReplaced(Int?.none, by: 2, as: .result(Int?.some(2), rate: 1)))
    #expect(try await isReplaced(Int?.some(1), by: nil, as: .result(Int?.none, rate: 1)))
    #expect(
      try await isReplaced(Int??.some(1), by: .some(nil), as: .result(Int??.some(nil), rate: 1)))
  }

  @Test("FI-1: objects, which are the injected ones and are not kept")
  func objects() async throws {
    weak var released: Account?
    do {
      let account = Account()
      released = account
      #expect(
        try await isReplaced(Account(), by: .result(account, rate: 1)) { $0 === account })
    }
    #expect(released == nil)
  }

  @Test("FI-1: an existential is taken as what it holds, unless it is written with `as any`")
  func existentials() async throws {
    let value: any Sendable & Hashable = 1
    let (held, asAny) = (Fault.result(value, rate: 1), Fault.result(value as any Sendable, rate: 1))
    #expect(try await isReplaced(2, by: 1, as: held))
    #expect(try await !isReplaced(2, by: 1, as: asAny))
    #expect(try await isReplaced(2 as any Sendable, by: asAny) { $0 as? Int == 1 })
    #expect(try await !isReplaced(2 as any Sendable, by: held) { $0 as? Int == 1 })
  }

  @Test("FI-1: for calls of any other type the fault is not there")
  func otherTypes() async throws {
    #expect(try await !isReplaced(1, by: 2, as: .result(Int32(2), rate: 1)))
    #expect(try await !isReplaced(1, by: 2, as: .result(Int?.some(2), rate: 1)))
    #expect(try await !isReplaced(Int?.some(1), by: 2, as: .result(2, rate: 1)))
    #expect(try await !isReplaced("answer", by: "2", as: .result(2, rate: 1)))
    #expect(try await !isReplaced([1], by: [2], as: .result(Set([2]), rate: 1)))
    let branch = Branch()
    #expect(try await !isReplaced(Account(), by: .result(branch, rate: 1)) { $0 === branch })
    let faults = FaultInjection([.result(1, rate: 1)])
    let ticket = try await faults.run { Ticket(number: 7) }
    #expect(ticket.number == 7)
    #expect(faults.snapshot().results == 0)
  }

  @Test("FI-1: one fault for each type meets the calls of each")
  func severalTypes() async throws {
    let faults = FaultInjection([.result(1, rate: 1), .result("injected", rate: 1)])
    #expect(try await faults.run { 2 } == 1)
    #expect(try await faults.run { "answer" } == "injected")
    #expect(try await faults.run { true })
    #expect(faults.snapshot().results == 2)
  }
}
