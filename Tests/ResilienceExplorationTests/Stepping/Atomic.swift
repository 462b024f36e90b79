import Synchronization

// What the twin of the library is built on, instead of the types of the same names in
// `Synchronization` and in the library: every operation is a step of a ``Machine``. Orderings are
// ignored.

struct Atomic<Value: FixedWidthInteger & Sendable>: ~Copyable, Sendable {
  private let machine: Machine
  private let place: Int

  init(_ value: Value) {
    machine = .current ?? Machine()
    place = machine.newPlace { _ in Int128(value) }
  }

  func load(ordering: AtomicLoadOrdering) -> Value {
    let place = place
    return value(machine.step(.load, at: place) { $0[place].number })
  }

  func store(_ value: Value, ordering: AtomicStoreOrdering) {
    let (place, number) = (place, number(value))
    _ = machine.step(.store, at: place) { memory in
      memory[place].number = number
      return 0
    }
  }

  func exchange(_ desired: Value, ordering: AtomicUpdateOrdering) -> Value {
    let number = number(desired)
    return value(change(.exchange, inHalvesBy: .exchangeInHalves) { _ in number })
  }

  func compareExchange(
    expected: Value, desired: Value, ordering: AtomicUpdateOrdering
  ) -> (exchanged: Bool, original: Value) {
    let (expected, desired) = (number(expected), number(desired))
    let mask: Int128 = machine.fault == .tagNotCompared ? 1 << 48 - 1 : -1
    let original = change(.exchange, inHalvesBy: .compareExchangeInHalves) { number in
      number & mask == expected & mask ? desired : number
    }
    return (original & mask == expected & mask, value(original))
  }

  func compareExchange(
    expected: Value, desired: Value, successOrdering: AtomicUpdateOrdering,
    failureOrdering: AtomicLoadOrdering
  ) -> (exchanged: Bool, original: Value) {
    compareExchange(expected: expected, desired: desired, ordering: successOrdering)
  }

  private func change(
    _ kind: Operation.Kind, inHalvesBy fault: Machine.Fault,
    _ change: @escaping (Int128) -> Int128
  ) -> Int128 {
    let place = place
    guard machine.fault == fault else {
      return machine.step(kind, at: place) { memory in
        let old = memory[place].number
        memory[place].number = change(old)
        return old
      }
    }
    let old = machine.step(.load, at: place) { $0[place].number }
    let new = change(old)
    guard new != old else { return old }
    _ = machine.step(.store, at: place) { memory in
      memory[place].number = new
      return 0
    }
    return old
  }

  private func value(_ number: Int128) -> Value {
    Value.self == UInt.self ? Value(machine.address(number)) : Value(truncatingIfNeeded: number)
  }

  private func number(_ value: Value) -> Int128 {
    Value.self == UInt.self ? machine.number(ofAddress: UInt(value)) : Int128(value)
  }
}

extension Atomic {
  @discardableResult
  func wrappingAdd(
    _ operand: Value, ordering: AtomicUpdateOrdering
  ) -> (oldValue: Value, newValue: Value) {
    update { $0 &+ operand }
  }

  @discardableResult
  func subtract(
    _ operand: Value, ordering: AtomicUpdateOrdering
  ) -> (oldValue: Value, newValue: Value) {
    update { $0 &- operand }
  }

  @discardableResult
  func bitwiseAnd(
    _ operand: Value, ordering: AtomicUpdateOrdering
  ) -> (oldValue: Value, newValue: Value) {
    update { $0 & operand }
  }

  @discardableResult
  func bitwiseOr(
    _ operand: Value, ordering: AtomicUpdateOrdering
  ) -> (oldValue: Value, newValue: Value) {
    update { $0 | operand }
  }

  private func update(_ body: @escaping (Value) -> Value) -> (oldValue: Value, newValue: Value) {
    let old = change(.change, inHalvesBy: .changeInHalves) { number in
      Int128(body(Value(truncatingIfNeeded: number)))
    }
    let value = Value(truncatingIfNeeded: old)
    return (value, body(value))
  }
}

/// Two words that are exchanged at once.
struct AtomicInt128: ~Copyable, Sendable {
  private let word: Atomic<Int128>

  init(_ value: Int128) { word = Atomic(value) }

  func load() -> Int128 { word.load(ordering: .acquiring) }

  func store(_ value: Int128) { word.store(value, ordering: .releasing) }

  func compareExchange(
    expected: Int128, desired: Int128
  ) -> (exchanged: Bool, original: Int128) {
    word.compareExchange(
      expected: expected, desired: desired, ordering: .acquiringAndReleasing)
  }
}

struct Lock<State: Sendable>: ~Copyable, Sendable {
  private let machine: Machine
  private let place: Int

  init(_ state: consuming sending State) {
    machine = .current ?? Machine()
    place = machine.newLock(guarding: state)
  }

  func withLock<Result: ~Copyable, Failure: Error>(
    _ body: (inout sending State) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result {
    let (version, kept) = machine.acquire(place)
    // What `init` or an earlier release has put there.
    var state = kept as! State
    defer { machine.release(place, version, state) }
    return try body(&state)
  }
}

/// Few stripes, so that threads meet on them, and their number is the thread's.
enum ThreadStripe {
  static let count = 2

  static var current: Int { max(0, Machine.current?.thread ?? 0) % count }
}

/// Twins are kept in no collection.
protocol Evictable { var isEvictable: Bool { get } }
