package enum Usage {
  static let flags = [
    "--stack", "--clients", "--seeds", "--markdown", "--json", "--metastability", "--check",
    "--list", "--help",
  ]

  /// How the simulator is called.
  package static let text = """
    Runs stacks of policies through failure scenarios, in virtual time, and reports how they fare.

    resilience-simulator [scenario …] [flag …]

      scenario          its number, or the beginning of a word of its title; all by default

      --stack NAME      what the clients call through: may be given several times, or as all;
                        recommended by default
      --clients N,N     how many clients there are; 20 by default
      --seeds N         under how many seeds each trial is run, from 1 on; 3 by default
      --markdown        a report in Markdown
      --json            a report in JSON
      --metastability   looks for the shortest brownout that each stack never recovers from,
                        instead of running scenarios
      --check           exits with 1 if a target is missed, or a stack never recovers
      --list            lists scenarios and stacks
      --help            says this

    Exits with 0; with 64 if it is called in a way that it does not understand; with 70 if a stack
    cannot be simulated.
    """
}

extension Choices {
  /// What may be named on the command line.
  package var list: String {
    let names = stacks.map { "  \($0.name)\n" }.joined()
    return "Scenarios\n\(scenarioList)\nStacks\n\(names)"
  }

  var scenarioList: String {
    scenarios.map { scenario in
      let number = String(scenario.number)
      let indent = String(repeating: " ", count: max(2, 4 - number.count))
      return "\(indent)\(number)  \(scenario.title)\n"
    }.joined()
  }
}
