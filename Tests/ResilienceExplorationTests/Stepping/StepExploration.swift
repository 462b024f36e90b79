/// All orders in which the steps of a few threads can come.
///
/// Two orders that leave the same memory behind, to threads that have seen the same, go on alike: so
/// each such state is looked at once. They are visited in the order of their distance from the
/// beginning, and a counterexample is as short as can be.
struct StepExploration<Ending: Hashable & Sendable>: Sendable {
  /// How many states there are.
  private(set) var states = 0

  /// How the program can end.
  private(set) var endings: Set<Ending> = []

  /// The shortest way to where it may not come; `nil` if there is none.
  private(set) var counterexample: Counterexample?
}

extension StepExploration {
  /// What is wrong; `nil` if nothing is.
  var flaw: Counterexample.Flaw? { counterexample?.flaw }
}

/// A way to where a program may not come.
struct Counterexample: Sendable, CustomStringConvertible {
  enum Flaw: Hashable, Sendable {
    /// Nobody can go on, and these threads have not ended.
    case deadlock(Set<Int>)
    case ending(String)
    /// The rule does not hold on the way.
    case broken
  }

  let flaw: Flaw
  let steps: [String]

  var description: String { "\(flaw) after\n  " + steps.joined(separator: "\n  ") }
}

/// A few threads, and what they share.
struct StepProgram<Subject, Output, Ending: Hashable & Sendable> {
  /// Makes what they share.
  let subject: () -> Subject

  let threads: [(Subject) -> Output]

  /// What there is to say when all have ended.
  let ending: (Subject, [Output]) -> Ending

  /// Which endings there may be.
  var allows: (Ending) -> Bool = { _ in true }

  /// What holds at every moment.
  var always: ((Subject) -> Bool)?
}

extension StepProgram {
  func explored(on fault: Machine.Fault = .none) -> StepExploration<Ending> {
    let machine = Machine(fault: fault)
    var explorer = StepExplorer(self, machine)
    return explorer.explore()
  }
}

private struct StepExplorer<Subject, Output, Ending: Hashable & Sendable> {
  /// A thread's history: a way from the root of a tree.
  private struct Node {
    let parent: Int
    let seen: Int128
    var next: Operation?
    var output: Output?
  }

  private struct Way: Hashable {
    let node: Int
    let seen: Int128
  }

  private struct State: Hashable {
    var memory: Memory
    var nodes: [Int]
  }

  private struct Visit {
    let parent: Int
    let thread: Int
    let kind: Operation.Kind?
    let place: Int
  }

  private let program: StepProgram<Subject, Output, Ending>
  private let machine: Machine
  private let subject: Subject
  private let start: Memory
  private var nodes: [Node] = []
  private var ways: [Way: Int] = [:]
  private var visits: [Visit] = []
  private var known: Set<State> = []
  private var frontier: [(state: State, visit: Int)] = []
  private var endings: Set<Ending> = []

  init(_ program: StepProgram<Subject, Output, Ending>, _ machine: Machine) {
    self.program = program
    self.machine = machine
    (subject, start) = machine.prepare(program.subject)
  }

  mutating func explore() -> StepExploration<Ending> {
    var first = State(memory: start, nodes: [])
    for thread in program.threads.indices {
      first.nodes.append(addNode(of: thread, parent: -1, seen: 0, in: start))
    }
    var flaw = reach(first, from: Visit(parent: -1, thread: -1, kind: nil, place: -1))
    while flaw == nil, !frontier.isEmpty {
      let layer = frontier
      frontier = []
      for (state, visit) in layer {
        flaw = expand(state, visit)
        if flaw != nil { break }
      }
    }
    return StepExploration(
      states: known.count, endings: endings,
      counterexample: flaw.map { Counterexample(flaw: $0, steps: trace()) })
  }

  private mutating func expand(_ state: State, _ visit: Int) -> Counterexample.Flaw? {
    for thread in program.threads.indices {
      guard let next = nodes[state.nodes[thread]].next, isEnabled(next, in: state.memory) else {
        continue
      }
      var following = state
      for birth in next.births { following.memory[birth.place] = .init(number: birth.number) }
      let seen = next.effect(&following.memory)
      following.nodes[thread] = child(of: state.nodes[thread], thread, seen, in: following.memory)
      let visit = Visit(parent: visit, thread: thread, kind: next.kind, place: next.place)
      if let flaw = reach(following, from: visit) { return flaw }
    }
    return nil
  }

  /// Looks at a state, if it is new.
  private mutating func reach(_ state: State, from visit: Visit) -> Counterexample.Flaw? {
    guard known.insert(state).inserted else { return nil }
    visits.append(visit)
    if let always = program.always, !machine.look(at: state.memory, { always(subject) }) {
      return .broken
    }
    let running = state.nodes.indices.filter { nodes[state.nodes[$0]].next != nil }
    if running.isEmpty { return end(state) }
    let canGoOn = running.contains { thread in
      nodes[state.nodes[thread]].next.map { isEnabled($0, in: state.memory) } ?? false
    }
    guard canGoOn else { return .deadlock(Set(running)) }
    frontier.append((state, visits.count - 1))
    return nil
  }

  private mutating func end(_ state: State) -> Counterexample.Flaw? {
    let outputs = state.nodes.compactMap { nodes[$0].output }
    let ending = machine.look(at: state.memory) { program.ending(subject, outputs) }
    endings.insert(ending)
    return program.allows(ending) ? nil : .ending("\(ending)")
  }

  private func isEnabled(_ next: Operation, in memory: Memory) -> Bool {
    switch next.kind {
    case .acquire: memory[next.place].holder < 0
    case .wait: machine.look(at: memory) { next.condition?() ?? true }
    default: true
    }
  }

  private mutating func child(
    of node: Int, _ thread: Int, _ seen: Int128, in memory: Memory
  ) -> Int {
    let way = Way(node: node, seen: seen)
    if let known = ways[way] { return known }
    let new = addNode(of: thread, parent: node, seen: seen, in: memory)
    ways[way] = new
    return new
  }

  private mutating func addNode(
    of thread: Int, parent: Int, seen: Int128, in memory: Memory
  ) -> Int {
    let new = nodes.count
    nodes.append(Node(parent: parent, seen: seen))
    let (body, subject) = (program.threads[thread], subject)
    let run = machine.run(thread, { body(subject) }, after: history(of: new), new, in: memory)
    nodes[new].next = run.next
    nodes[new].output = run.next == nil ? run.output : nil
    return new
  }

  private func history(of node: Int) -> [Int128] {
    var (seen, node): ([Int128], Int) = ([], node)
    while nodes[node].parent >= 0 {
      seen.append(nodes[node].seen)
      node = nodes[node].parent
    }
    return seen.reversed()
  }

  private func trace() -> [String] {
    var (steps, visit): ([String], Int) = ([], visits.count - 1)
    while visit >= 0, let kind = visits[visit].kind {
      steps.append("thread \(visits[visit].thread): \(kind) at \(visits[visit].place)")
      visit = visits[visit].parent
    }
    return steps.reversed()
  }
}
