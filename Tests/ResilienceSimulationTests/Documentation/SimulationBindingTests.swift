import Foundation
import Testing

extension Documentation {
  @Suite("Documentation: what is shown of the simulation is what runs")
  struct SimulationBindingTests {
    let module = "Sources/ResilienceSimulation"
    let page = "Sources/ResilienceSimulation/Documentation.docc/ResilienceSimulation.md"

    func shown() throws -> [Block] {
      try files(in: module, ending: ".md").flatMap(blocks(inMarkdown:))
        + files(in: module, ending: ".swift").flatMap(blocks(inCommentsOf:))
    }

    func snippets() throws -> [Snippet] {
      try Documentation.snippets(below: "Tests/ResilienceSimulationTests/Documentation")
    }

    @Test("every Swift block stands word for word in a test")
    func blocksAreSnippets() throws {
      let snippets = Set(try snippets().map(\.block.code))
      let shown = try shown().filter { $0.info == "swift" }
      #expect(shown.count > 12)
      for block in shown {
        let isTested = snippets.contains(block.code)
        #expect(isTested, "not in a test: \(block)")
      }
    }

    @Test("every snippet is shown, and belongs to a test with expectations or is used by one")
    func snippetsAreShown() throws {
      let shown = Set(try shown().filter { $0.info == "swift" }.map(\.code))
      let snippets = try snippets()
      let tested = snippets.filter(\.isTested).flatMap(\.block.code).joined(separator: "\n")
      for snippet in snippets {
        let isShown = shown.contains(snippet.block.code)
        #expect(isShown, "shown nowhere: \(snippet.block)")
        let isTested =
          snippet.isTested || snippet.block.declared.contains { tested.contains(".\($0)") }
        #expect(isTested, "no test expects anything of it: \(snippet.block)")
      }
    }

    @Test("blocks of other kinds are the ones we know")
    func otherBlocks() throws {
      let others = try shown().filter { $0.info != "swift" }.map(\.info)
      #expect(Set(others) == ["sh", "text"])
    }

    @Test("CI runs the command that the guide shows first")
    func commands() throws {
      let script = try lines(of: ".ci/run")
      let commands = try shown().filter { $0.info == "sh" }.flatMap(\.code)
      #expect(!commands.isEmpty)
      for command in commands {
        let isRun = script.contains(command)
        #expect(isRun, "CI does not run \(command)")
      }
    }

    @Test("the page of the module lists every public type and every stack")
    func topics() throws {
      let listed = try lines(of: page).filter { $0.hasPrefix("- ``") }.joined(separator: "\n")
      let declarations = try files(in: module, ending: ".swift").flatMap(lines(of:)).compactMap {
        try? #/^public (?:struct|enum|final class|func) (\w+)/#.prefixMatch(in: $0)?.1
      }
      #expect(declarations.count > 20)
      for name in declarations {
        let isListed = listed.contains("``\(name)``")
        #expect(isListed, "not listed: \(name)")
      }
    }
  }
}

extension Documentation.Block {
  /// What an extension adds.
  fileprivate var declared: [Substring] {
    guard code.first?.hasPrefix("extension ") == true else { return [] }
    return code.compactMap { line in
      try? #/^  static (?:let|var|func) (\w+)/#.prefixMatch(in: line)?.1
    }
  }
}
