import Testing

@testable import ResilienceSimulation

@Suite struct ArgumentsTests {
  static let choices = Choices(
    scenarios: [
      .fixture(1, "Brownout"), .fixture(2, "Total outage"), .fixture(3, "Partial outage"),
    ],
    stacks: [.bare, .naiveRetry, .recommended])

  struct Case: Sendable, CustomTestStringConvertible {
    let line: [String]
    var action = Arguments.Action.compare
    var scenarios = [1, 2, 3]
    var stacks = ["recommended"]
    var clients = [20]
    var seeds = 3
    var format = Arguments.Format.text
    var isCheck = false

    var testDescription: String { line.joined(separator: " ") }

    init(_ line: String..., change: (inout Case) -> Void = { _ in }) {
      self.line = line
      change(&self)
    }

    var arguments: Arguments {
      Arguments(
        action: action, scenarios: scenarios, stacks: stacks, clients: clients, seeds: seeds,
        format: format, isCheck: isCheck)
    }
  }

  @Test(
    "CLI-1: what the words on the command line mean",
    arguments: [
      Case(),
      Case("2") { $0.scenarios = [2] },
      Case("3", "1", "3") { $0.scenarios = [1, 3] },
      Case("OUT") { $0.scenarios = [2, 3] },
      Case("total outage", "brown") { $0.scenarios = [1, 2] },
      Case("all"),
      Case("--stack", "Naive Retry") { $0.stacks = ["naive retry"] },
      Case("--stack", "bare", "--stack=recommended", "--stack", "BARE") {
        $0.stacks = ["bare", "recommended"]
      },
      Case("--stack", "all") { $0.stacks = ["bare", "naive retry", "recommended"] },
      Case("--clients", "200,20,200", "1") {
        $0.clients = [200, 20]
        $0.scenarios = [1]
      },
      Case("--seeds=10") { $0.seeds = 10 },
      Case("--markdown", "--markdown") { $0.format = .markdown },
      Case("--json", "--check") {
        $0.format = .json
        $0.isCheck = true
      },
      Case("--metastability", "--stack", "bare") {
        $0.action = .searchMetastability
        $0.stacks = ["bare"]
      },
      Case("--list", "--metastability") { $0.action = .list },
      Case("--list", "-h", "--list") { $0.action = .help },
      Case("--metastability", "--help") { $0.action = .help },
    ])
  func meanings(_ example: Case) throws {
    #expect(try Arguments(example.line, of: Self.choices) == example.arguments)
  }

  @Test(
    "CLI-2: what cannot be understood is said, with what there is",
    arguments: [
      (
        ["--stak"],
        "There is no flag --stak. There are: --stack, --clients, --seeds, --markdown, --json, "
          + "--metastability, --check, --list, --help."
      ),
      (
        ["flood"],
        "There is no scenario \"flood\". There are:\n   1  Brownout\n   2  Total outage\n"
          + "   3  Partial outage\n"
      ),
      (
        ["--stack", "mine"],
        "There is no stack \"mine\". There are: bare, naive retry, recommended; or all."
      ),
      (["--stack"], "--stack needs a name."),
      (["--stack", "--check"], "--stack needs a name."),
      (["--stack="], "--stack needs a name."),
      (["--seeds", "0"], "--seeds needs a number from 1 on, not \"0\"."),
      (["--seeds=many"], "--seeds needs a number from 1 on, not \"many\"."),
      (["--clients", "20,,3"], "--clients needs numbers from 1 on, such as 20,200, not \"\"."),
      (["--check=yes"], "--check takes no value."),
      (["--check=yes", "1"], "--check takes no value."),
      (["--json", "--markdown"], "--markdown and --json exclude each other."),
      (
        ["2", "--metastability"],
        "--metastability searches among brownouts: name no scenarios beside it."
      ),
    ] as [([String], String)])
  func errors(_ line: [String], _ error: String) {
    #expect(throws: UsageError(error)) { try Arguments(line, of: Self.choices) }
  }
}
