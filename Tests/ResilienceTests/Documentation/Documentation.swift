import Foundation

/// The tests of what is written about the library: README, guides, documentation comments.
///
/// Every Swift block there stands, word for word, between `// snippet` and `// end snippet` in a
/// test of this folder. ``BindingTests`` compares the two; the tests run the code. The tests of
/// `ResilienceSimulation` do the same by a link to this file.
enum Documentation {
  static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  static let readme = "README.md"
  static let catalog = "Sources/Resilience/Documentation.docc"
  static let guide = "\(catalog)/CircuitBreakerGuide.md"

  static func lines(of path: String) throws -> [String] {
    try String(contentsOf: root.appending(path: path), encoding: .utf8)
      .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  /// Paths of the files below a folder, relative to the root.
  static func files(in folder: String, ending suffix: String) throws -> [String] {
    let prefix = root.appending(path: folder).path()
    let paths = FileManager.default.enumerator(atPath: prefix)?.compactMap { $0 as? String } ?? []
    return paths.filter { $0.hasSuffix(suffix) }.sorted().map { "\(folder)/\($0)" }
  }
}

// MARK: - Blocks of code

extension Documentation {
  /// Lines of code without their common indentation, and where they stand.
  struct Block: Hashable, CustomStringConvertible {
    let file: String
    let line: Int
    let info: String
    let code: [String]

    init(file: String, line: Int, info: String, indented code: [String]) {
      self.file = file
      self.line = line
      self.info = info
      let depths = code.filter { !$0.isEmpty }.map { $0.prefix { $0 == " " }.count }
      self.code = code.map { String($0.dropFirst(depths.min() ?? 0)) }
    }

    var description: String { "\(file):\(line)\n\(code.joined(separator: "\n"))" }
  }

  /// The fenced blocks of a Markdown file.
  static func blocks(inMarkdown file: String) throws -> [Block] {
    fences(in: try lines(of: file), of: file)
  }

  /// The fenced blocks in the documentation comments of a source file.
  static func blocks(inCommentsOf file: String) throws -> [Block] {
    let comments = try lines(of: file).map { line in
      let line = line.drop { $0 == " " }
      guard line.hasPrefix("///") else { return "" }
      return String(line.dropFirst(line.hasPrefix("/// ") ? 4 : 3))
    }
    return fences(in: comments, of: file)
  }

  private static func fences(in lines: [String], of file: String) -> [Block] {
    var blocks: [Block] = []
    var open: (line: Int, info: String, code: [String])?
    for (index, line) in lines.enumerated() {
      let text = line.drop { $0 == " " }
      guard text.hasPrefix("```") else {
        open?.code.append(line)
        continue
      }
      if let block = open {
        blocks.append(
          Block(file: file, line: block.line, info: block.info, indented: block.code))
        open = nil
      } else {
        open = (index + 1, String(text.dropFirst(3)), [])
      }
    }
    return blocks
  }
}

// MARK: - Snippets

extension Documentation {
  /// A part of a test that the documentation shows.
  struct Snippet {
    let block: Block

    /// Whether it belongs to a test that expects something.
    let isTested: Bool
  }

  static func snippets(
    below folder: String = "Tests/ResilienceTests/Documentation"
  ) throws -> [Snippet] {
    try files(in: folder, ending: ".swift").flatMap { file in try snippets(in: file) }
  }

  private static func snippets(in file: String) throws -> [Snippet] {
    let lines = try lines(of: file)
    let tests = tests(in: lines)
    var snippets: [Snippet] = []
    var start: Int?
    for (index, line) in lines.enumerated() {
      switch line.drop(while: { $0 == " " }) {
      case "// snippet": start = index
      case "// end snippet":
        guard let first = start else { continue }
        let test = tests.first { $0.overlaps(first..<index) }
        let isTested = test.map { lines[$0].contains { $0.contains("#expect(") } } ?? false
        snippets.append(
          Snippet(
            block: Block(
              file: file, line: first + 1, info: "swift", indented: Array(lines[first + 1..<index])),
            isTested: isTested))
        start = nil
      default: break
      }
    }
    return snippets
  }

  /// The lines of each test function: from its attribute to the brace at the same depth.
  private static func tests(in lines: [String]) -> [Range<Int>] {
    lines.indices.compactMap { first in
      let indentation = lines[first].prefix { $0 == " " }
      guard lines[first].dropFirst(indentation.count).hasPrefix("@Test") else { return nil }
      guard let last = lines[first...].firstIndex(of: indentation + "}") else { return nil }
      return first..<last + 1
    }
  }
}

// MARK: - Tables

extension Documentation {
  /// The rows of all tables of a Markdown file, cell by cell.
  static func rows(inMarkdown file: String) throws -> [[String]] {
    try lines(of: file).filter { $0.hasPrefix("|") }.map { line in
      line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
    }
  }
}
