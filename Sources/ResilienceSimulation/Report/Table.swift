/// A table to be written for a terminal or in Markdown.
struct Table: Sendable {
  struct Entry: ExpressibleByStringInterpolation, Sendable {
    var text: String
    /// What a reader's eye should find.
    var isStrong = false

    init(_ text: String, isStrong: Bool = false) {
      self.text = text
      self.isStrong = isStrong
    }

    init(stringLiteral text: String) { self.init(text) }
  }

  let header: [String]
  let rows: [[Entry]]

  /// Leaves out the columns that say nothing in any row.
  init(_ header: [String], _ rows: [[Entry]]) {
    let kept = header.indices.filter { column in
      rows.isEmpty || rows.contains { !$0[column].text.isEmpty }
    }
    self.header = kept.map { header[$0] }
    self.rows = rows.map { row in kept.map { row[$0] } }
  }
}

extension Table {
  /// Columns that are aligned, under a rule.
  var text: String {
    let lines = [header] + rows.map { $0.map(\.text) }
    let widths = header.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    let rule = widths.map { String(repeating: "─", count: $0) }
    return ([header, rule] + lines.dropFirst()).map { line in
      let padded = zip(line, widths).map { text, width in
        text + String(repeating: " ", count: width - text.count)
      }
      return padded.joined(separator: "  ").droppingSpacesAtEnd + "\n"
    }.joined()
  }

  /// A table as GitHub and DocC read it.
  var markdown: String {
    let rule = header.map { _ in "---" }
    let body = rows.map { row in
      row.map { $0.isStrong ? "**\($0.text.inMarkdown)**" : $0.text.inMarkdown }
    }
    return ([header.map(\.inMarkdown), rule] + body).map { cells in
      "| \(cells.joined(separator: " | ")) |\n"
    }.joined()
  }
}

extension String {
  fileprivate var droppingSpacesAtEnd: String {
    String(reversed().drop { $0 == " " }.reversed())
  }

  /// In lines of at most `width` characters, broken between words.
  func wrapped(at width: Int) -> String {
    var length = 0
    let words = split(separator: " ").map { word -> String in
      let isFirst = length == 0
      let fits = length + 1 + word.count <= width
      length = isFirst || !fits ? word.count : length + 1 + word.count
      return isFirst ? String(word) : (fits ? " " : "\n") + word
    }
    return words.joined()
  }

  /// The text as it is: what has a meaning in Markdown loses it.
  var inMarkdown: String {
    var escaped = ""
    for character in self {
      if "\\`*_|<>[]".contains(character) { escaped.append("\\") }
      escaped.append(character)
    }
    return escaped
  }
}
