import Resilience

/// The simulator as a program: what it is asked for, and what it says.
package struct Simulator: Sendable {
  /// What a program ends with (64 and 70 as in sysexits.h).
  package enum ExitCode: Int32, Hashable, Sendable {
    case success = 0
    case missed = 1
    case usage = 64
    case failed = 70
  }

  private let choices: Choices
  private let output: @Sendable (String) -> Void
  private let errors: @Sendable (String) -> Void
  private let progress: @Sendable (String) -> Void

  /// - Parameters:
  ///   - choices: what there is to choose from.
  ///   - output: takes what was asked for.
  ///   - errors: takes what went wrong.
  ///   - progress: takes a line that stands for the one before, while trials run.
  package init(
    choices: Choices, output: @escaping @Sendable (String) -> Void,
    errors: @escaping @Sendable (String) -> Void, progress: @escaping @Sendable (String) -> Void
  ) {
    self.choices = choices
    self.output = output
    self.errors = errors
    self.progress = progress
  }

  /// - Parameter words: the arguments of the process, without its name.
  package func run(_ words: [String]) async -> ExitCode {
    do {
      return try await run(Arguments(words, of: choices))
    } catch let error as UsageError {
      errors("\(error)\nTry --help.\n")
      return .usage
    } catch {
      errors("\(error)\n")
      return .failed
    }
  }

  private func run(_ arguments: Arguments) async throws -> ExitCode {
    switch arguments.action {
    case .help: output(Usage.text + "\n")
    case .list: output(choices.list)
    case .compare:
      let report = try await compare(arguments)
      output(try report.written(as: arguments.format))
      if arguments.isCheck, !report.meetsAllTargets { return .missed }
    case .searchMetastability:
      let verdicts = try await searchMetastability(arguments)
      output(try verdicts.written(as: arguments.format))
      if arguments.isCheck, verdicts.contains(where: { $0.smallestFatal != nil }) { return .missed }
    }
    return .success
  }

  private func compare(_ arguments: Arguments) async throws -> Report {
    let campaign = Campaign(
      choices.scenarios.filter { arguments.scenarios.contains($0.number) },
      stacks: stacks(arguments), clients: arguments.clients, seeds: arguments.seedList,
      references: choices.stacks)
    return try await campaign.run { [progress] in
      progress("\($0.done) of \($0.total) trials   \($0.latest)")
    }
  }

  private func searchMetastability(_ arguments: Arguments) async throws -> [Metastability.Verdict] {
    var verdicts: [Metastability.Verdict] = []
    for stack in stacks(arguments) {
      for clients in arguments.clients {
        let verdict = try await Metastability.brownout.verdict(
          on: stack, clients: clients, seeds: arguments.seedList
        ) { [progress] in
          let outcome = $0.isFatal ? "never recovers" : "recovers"
          progress("\(stack.name), \(clients) clients: \(outcome) from \($0.length.written)")
        }
        verdicts.append(verdict)
      }
    }
    return verdicts
  }

  /// In the order in which they were named.
  private func stacks(_ arguments: Arguments) -> [Stack] {
    arguments.stacks.compactMap { name in choices.stacks.first { $0.name == name } }
  }
}

extension Arguments {
  fileprivate var seedList: [UInt64] { Array(1...UInt64(seeds)) }
}

// MARK: - Output

extension Report {
  fileprivate func written(as format: Arguments.Format) throws -> String {
    switch format {
    case .text: text
    case .markdown: markdown
    case .json: try json() + "\n"
    }
  }
}

extension [Metastability.Verdict] {
  package func written(as format: Arguments.Format) throws -> String {
    switch format {
    case .text: map { "\($0)\n  \($0.evidence)\n" }.joined()
    case .markdown: map { "- \("\($0)".inMarkdown)\n  (\($0.evidence.inMarkdown))\n" }.joined()
    case .json: try inJSON(self) + "\n"
    }
  }
}
