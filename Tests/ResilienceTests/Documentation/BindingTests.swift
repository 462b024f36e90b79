import Foundation
import Testing

extension Documentation {
  @Suite("Documentation: what is shown is what runs")
  struct BindingTests {
    /// Swift that is no part of a program.
    let manifests = ["swift package"]

    func shown() throws -> [Block] {
      let markdown = [readme] + (try files(in: catalog, ending: ".md"))
      let sources = try files(in: "Sources/Resilience", ending: ".swift")
      return try markdown.flatMap(blocks(inMarkdown:)) + sources.flatMap(blocks(inCommentsOf:))
    }

    @Test("every Swift block stands word for word in a test")
    func blocksAreSnippets() throws {
      let snippets = Set(try Documentation.snippets().map(\.block.code))
      let shown = try shown().filter { $0.info == "swift" }
      #expect(shown.count > 40)
      for block in shown {
        let isTested = snippets.contains(block.code)
        #expect(isTested, "not in a test: \(block)")
      }
    }

    @Test("every snippet is shown, and belongs to a test with expectations")
    func snippetsAreShown() throws {
      let shown = Set(try shown().filter { $0.info == "swift" }.map(\.code))
      for snippet in try Documentation.snippets() {
        let isShown = shown.contains(snippet.block.code)
        #expect(isShown, "shown nowhere: \(snippet.block)")
        #expect(snippet.isTested, "no test expects anything of it: \(snippet.block)")
      }
    }

    @Test("blocks of other kinds are the ones we know")
    func otherBlocks() throws {
      let others = try shown().filter { $0.info != "swift" }.map { "\($0.file) \($0.info)" }
      #expect(
        Set(others) == [
          "\(readme) swift package", "\(readme) sh", "\(readme) text", "\(guide) text",
          "\(RetryFigures.guide) text", "\(TimeoutUsage.guide) text",
          "\(FallbackUsage.guide) text", "\(PipelineUsage.guide) text",
          "\(FaultInjectionUsage.guide) text", "\(ThrottleUsage.guide) text",
          "\(HedgeUsage.guide) text",
        ])
    }

    @Test("the manifest in the README names the products of this package")
    func manifest() throws {
      let blocks = try blocks(inMarkdown: readme).filter { manifests.contains($0.info) }
      let shown = try #require(blocks.first).code.joined()
      let manifest = try lines(of: "Package.swift").joined()
      #expect(blocks.count == 1)
      for product in ["Resilience", "ResilienceTesting"] {
        #expect(shown.contains(#".product(name: "\#(product)", package: "swift-resilience")"#))
        #expect(manifest.contains(#".library(name: "\#(product)""#))
      }
      #expect(manifest.contains(#"name: "swift-resilience""#))
    }

    @Test(
      "CI runs every command that the README and CONTRIBUTING name",
      arguments: [
        readme, "CONTRIBUTING.md",
      ])
    func commands(file: String) throws {
      let script = try lines(of: ".ci/run")
      let commands = try blocks(inMarkdown: file).filter { $0.info == "sh" }.flatMap(\.code)
      #expect(!commands.isEmpty)
      for command in commands where command != ".ci/run" {
        let isRun = script.contains(command)
        #expect(isRun, "CI does not run \(command)")
      }
    }
  }
}
