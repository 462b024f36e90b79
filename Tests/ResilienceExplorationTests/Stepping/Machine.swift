/// The shared memory of a few threads that run one step at a time, and what they have seen of it.
///
/// A step is one atomic operation, or the taking or releasing of a lock. Between two of its steps a
/// thread does nothing that another could notice: so the order of the steps is all there is to
/// explore, as far as threads agree on one order of them (weaker orderings of memory are left to the
/// thread sanitizer).
///
/// A thread cannot be stopped in the middle of a function. But all that it does follows from what its
/// steps have returned, its *history*: so it is run from its beginning, is told again what it was told
/// before, and thus comes to its next operation. What it does beyond that is done to a copy of the
/// memory, and forgotten. Locks keep nobody out there, since nobody could wait for them.
///
/// Not safe to be used by two real threads; ``StepExploration`` uses each on one.
final class Machine: @unchecked Sendable {
  /// Where atomics and locks that are being made have their place.
  @TaskLocal static var current: Machine?

  let fault: Fault

  private var mode = Mode.direct
  private var memory = Memory()
  private var replay = Replay()
  private var places: [Maker: Int] = [:]
  private var made = 0

  /// What each version of what a lock guards was.
  private var guarded: [Int128: any Sendable] = [:]
  private var versions: [Version: Int128] = [:]

  /// The same for versions that only a run beyond its next operation has seen, or a look.
  private var ghosts: [Int128: any Sendable] = [:]
  private var prepared = 0

  /// Addresses that were stored; memory holds their numbers, which are the same in every run.
  private var addresses: [Int128: UInt] = [:]

  init(fault: Fault = .none) { self.fault = fault }

  private enum Mode { case direct, replaying, beyond }

  /// Which atomic or lock this is: the n-th that a thread makes; those of nobody are made in advance.
  private struct Maker: Hashable {
    let thread: Int
    let number: Int
  }

  private struct Version: Hashable {
    let previous: Int128
    let node: Int
  }

  private struct Replay {
    var thread = -1
    var node = -1
    var history: [Int128] = []
    var cursor = 0
    var born: [Birth] = []
    var pending: Operation?
  }
}

/// What is where. A lock's number is the version of what it guards.
struct Memory: Hashable, Sendable {
  struct Cell: Hashable, Sendable {
    var number: Int128 = 0
    /// Which thread holds it, if it is a lock.
    var holder = -1
  }

  private var cells: [Cell] = []

  subscript(place: Int) -> Cell {
    get { place < cells.count ? cells[place] : Cell() }
    set {
      while cells.count <= place { cells.append(Cell()) }
      cells[place] = newValue
    }
  }
}

/// An atomic or lock that a thread makes before its next operation.
struct Birth {
  let place: Int
  let number: Int128
}

/// What a thread does next.
struct Operation {
  enum Kind: String { case load, store, exchange, change, acquire, release, wait }

  let kind: Kind
  let place: Int
  let births: [Birth]
  let effect: (inout Memory) -> Int128
  var condition: (() -> Bool)?
}

// MARK: - Running

extension Machine {
  var thread: Int { replay.thread }

  /// Makes what the threads share.
  func prepare<Subject>(_ make: () -> Subject) -> (Subject, Memory) {
    mode = .direct
    memory = Memory()
    made = 0
    replay.thread = -1
    let subject = Self.$current.withValue(self) { make() }
    guarded.merge(ghosts) { _, new in new }
    prepared = ghosts.count
    return (subject, memory)
  }

  /// Looks at a memory, or tries something on it that is then forgotten.
  func look<Result>(at memory: Memory, _ body: () -> Result) -> Result {
    let kept = (mode, self.memory)
    (mode, self.memory) = (.direct, memory)
    ghosts = [:]
    defer { (mode, self.memory) = kept }
    return Self.$current.withValue(self) { body() }
  }

  /// Runs a thread up to its next operation, and on.
  ///
  /// - Parameter node: stands for the history.
  /// - Returns: the operation; `nil` if there is none, and then what the thread has returned.
  func run<Output>(
    _ thread: Int, _ body: () -> Output, after history: [Int128], _ node: Int, in memory: Memory
  ) -> (next: Operation?, output: Output) {
    mode = history.isEmpty ? .beyond : .replaying
    ghosts = [:]
    self.memory = memory
    made = 0
    replay = Replay(thread: thread, node: node, history: history)
    let output = Self.$current.withValue(self) { body() }
    mode = .direct
    return (replay.pending, output)
  }
}

// MARK: - For atomics and locks

extension Machine {
  /// - Parameter number: what is there at first, given the place.
  func newPlace(_ number: (Int) -> Int128) -> Int {
    let maker = Maker(thread: mode == .direct ? -1 : replay.thread, number: made)
    made += 1
    let place = places[maker] ?? places.count
    places[maker] = place
    let number = number(place)
    switch mode {
    case .direct: memory[place] = .init(number: number)
    case .replaying where replay.cursor < replay.history.count: break
    case .replaying, .beyond:
      memory[place] = .init(number: number)
      if replay.pending == nil { replay.born.append(Birth(place: place, number: number)) }
    }
    return place
  }

  /// One step.
  func step(
    _ kind: Operation.Kind, at place: Int, until condition: (() -> Bool)? = nil,
    _ effect: @escaping (inout Memory) -> Int128
  ) -> Int128 {
    guard mode != .direct else { return effect(&memory) }
    if replay.cursor < replay.history.count {
      defer { replay.cursor += 1 }
      return replay.history[replay.cursor]
    }
    mode = .beyond
    if replay.pending == nil {
      replay.pending = Operation(
        kind: kind, place: place, births: replay.born, effect: effect, condition: condition)
    }
    return effect(&memory)
  }

  /// Waits until a condition holds, about what the threads share.
  ///
  /// - Returns: whether it does; if not, this is beyond the thread's next operation.
  static func wait(until condition: @escaping () -> Bool) -> Bool {
    guard let machine = current else { return condition() }
    _ = machine.step(.wait, at: 0, until: condition) { _ in 0 }
    return machine.mode == .replaying
  }

  func address(_ number: Int128) -> UInt { addresses[number] ?? UInt(number) }

  func number(ofAddress address: UInt) -> Int128 {
    // As many addresses as are small numbers are never stored.
    guard address > 15 else { return Int128(address) }
    let number = Int128(1) << 100 | Int128(replay.thread + 1) << 64 | Int128(replay.cursor)
    addresses[number] = address
    return number
  }
}

// MARK: - Locks

extension Machine {
  func newLock(guarding state: any Sendable) -> Int {
    let place = newPlace { place in -Int128(place + 1) << 64 }
    guarded[-Int128(place + 1) << 64] = state
    return place
  }

  func acquire(_ place: Int) -> (version: Int128, state: any Sendable) {
    let (thread, isDirect) = (replay.thread, mode == .direct)
    let version = step(.acquire, at: place) { memory in
      if !isDirect { memory[place].holder = thread }
      return memory[place].number
    }
    // Every version was kept when it was made.
    return (version, guarded[version] ?? ghosts[version]!)
  }

  func release(_ place: Int, _ previous: Int128, _ state: any Sendable) {
    let isNext = mode != .direct && replay.cursor == replay.history.count && replay.pending == nil
    let next = isNext ? version(after: previous, state) : ghost(state)
    _ = step(.release, at: place) { memory in
      memory[place] = .init(number: next)
      return next
    }
  }

  private func version(after previous: Int128, _ state: any Sendable) -> Int128 {
    let key = Version(previous: previous, node: replay.node)
    if let known = versions[key] { return known }
    let version = Int128(versions.count + 1)
    versions[key] = version
    guarded[version] = state
    return version
  }

  private func ghost(_ state: any Sendable) -> Int128 {
    let version = -Int128(prepared + ghosts.count + 1)
    ghosts[version] = state
    return version
  }
}

// MARK: - Faults

extension Machine {
  /// A machine that does not keep its promises. Algorithms that need them must fail on it: so the
  /// exploration shows that it would notice.
  enum Fault: Hashable, Sendable, CaseIterable {
    case none
    /// Between the two halves of an exchange somebody else may come.
    case exchangeInHalves
    /// Between the comparison and the exchange somebody else may come.
    case compareExchangeInHalves
    /// The same for adding, and for setting and clearing bits.
    case changeInHalves
    /// The upper 16 bits are not compared.
    case tagNotCompared
  }
}
