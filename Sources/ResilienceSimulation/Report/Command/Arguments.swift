/// What the simulator is asked for on its command line.
package struct Arguments: Hashable, Sendable {
  package enum Action: Hashable, Sendable {
    case compare
    case searchMetastability
    case list
    case help
  }

  package enum Format: Hashable, Sendable {
    case text
    case markdown
    case json
  }

  package var action = Action.compare
  /// The numbers of the failure scenarios; ascending.
  package var scenarios: [Int]
  /// The names of the stacks, as they write themselves.
  package var stacks: [String]
  package var clients = [20]
  package var seeds = 3
  package var format = Format.text
  /// Whether a missed target is a failure of the program.
  package var isCheck = false
}

/// Why a command line says nothing.
package struct UsageError: Error, Hashable, Sendable, CustomStringConvertible {
  package let description: String

  init(_ description: String) { self.description = description }
}

/// What there is to choose from.
package struct Choices: Sendable {
  package let scenarios: [FailureScenario]
  package let stacks: [Stack]

  package init(scenarios: [FailureScenario], stacks: [Stack]) {
    self.scenarios = scenarios
    self.stacks = stacks
  }
}

// MARK: - Parsing

extension Arguments {
  /// - Parameters:
  ///   - arguments: those of the process, without its name.
  ///   - choices: what scenarios and stacks there are. By default all scenarios are run, and the stack
  ///     that is called "recommended".
  package init(_ arguments: some Sequence<String>, of choices: Choices) throws(UsageError) {
    var words = Words(arguments)
    var numbers: Set<Int> = []
    var names: [String] = []
    scenarios = []
    stacks = []
    while let word = try words.next() {
      switch word {
      case "--stack": names += try choices.stackNames(try words.value(of: word, "a name"))
      case "--clients": clients = try words.counts(of: word)
      case "--seeds": seeds = try words.count(of: word)
      case "--markdown": try choose(.markdown)
      case "--json": try choose(.json)
      case "--check": isCheck = true
      case "--metastability": action = action == .compare ? .searchMetastability : action
      case "--list": action = action == .help ? .help : .list
      case "--help", "-h": action = .help
      default: numbers.formUnion(try choices.scenarioNumbers(word))
      }
    }
    if action == .searchMetastability, !numbers.isEmpty {
      throw UsageError("--metastability searches among brownouts: name no scenarios beside it.")
    }
    let all = choices.scenarios.map(\.number)
    scenarios = all.filter { numbers.isEmpty || numbers.contains($0) }
    stacks = names.isEmpty ? ["recommended"] : names.uniqued
  }

  private mutating func choose(_ format: Format) throws(UsageError) {
    guard self.format == .text || self.format == format else {
      throw UsageError("--markdown and --json exclude each other.")
    }
    self.format = format
  }
}

/// The words of a command line; `--flag=value` counts as two.
private struct Words {
  private var words: [String]
  /// A value that stands in the same word as its flag.
  private var attached: (flag: String, value: String)?

  init(_ words: some Sequence<String>) { self.words = words.reversed() }

  mutating func next() throws(UsageError) -> String? {
    if let attached { throw UsageError("\(attached.flag) takes no value.") }
    guard let word = words.popLast() else { return nil }
    guard word.hasPrefix("--"), let sign = word.firstIndex(of: "=") else { return word }
    let flag = String(word[..<sign])
    attached = (flag, String(word[word.index(after: sign)...]))
    return flag
  }

  mutating func value(of flag: String, _ what: String) throws(UsageError) -> String {
    if let attached {
      self.attached = nil
      if !attached.value.isEmpty { return attached.value }
    } else if let word = words.popLast(), !word.isEmpty, !word.hasPrefix("-") {
      return word
    }
    throw UsageError("\(flag) needs \(what).")
  }

  mutating func count(of flag: String) throws(UsageError) -> Int {
    let what = "a number from 1 on"
    return try positive(try value(of: flag, what), flag, what)
  }

  mutating func counts(of flag: String) throws(UsageError) -> [Int] {
    let what = "numbers from 1 on, such as 20,200"
    var counts: [Int] = []
    let parts = try value(of: flag, what).split(separator: ",", omittingEmptySubsequences: false)
    for part in parts { counts.append(try positive(String(part), flag, what)) }
    return counts.uniqued
  }

  private func positive(
    _ word: String, _ flag: String, _ what: String
  ) throws(UsageError) -> Int {
    guard let number = Int(word), number > 0 else {
      throw UsageError("\(flag) needs \(what), not \"\(word)\".")
    }
    return number
  }
}

// MARK: - Choosing

extension Choices {
  fileprivate func stackNames(_ word: String) throws(UsageError) -> [String] {
    let wanted = word.lowercased()
    let names = stacks.map(\.name)
    if wanted == "all" { return names }
    guard let name = names.first(where: { $0.lowercased() == wanted }) else {
      let known = names.joined(separator: ", ")
      throw UsageError("There is no stack \"\(word)\". There are: \(known); or all.")
    }
    return [name]
  }

  /// By number, or by the beginning of a word of the title: all those that fit.
  fileprivate func scenarioNumbers(_ word: String) throws(UsageError) -> [Int] {
    guard !word.hasPrefix("-") else {
      let known = Usage.flags.joined(separator: ", ")
      throw UsageError("There is no flag \(word). There are: \(known).")
    }
    let wanted = word.lowercased()
    let chosen = scenarios.filter { scenario in
      let title = scenario.title.lowercased()
      return wanted == "all" || Int(word) == scenario.number || title == wanted
        || title.split(separator: " ").contains { !wanted.isEmpty && $0.hasPrefix(wanted) }
    }
    guard !chosen.isEmpty else {
      throw UsageError("There is no scenario \"\(word)\". There are:\n\(scenarioList)")
    }
    return chosen.map(\.number)
  }
}

extension Sequence where Element: Hashable {
  fileprivate var uniqued: [Element] {
    var seen: Set<Element> = []
    return filter { seen.insert($0).inserted }
  }
}
