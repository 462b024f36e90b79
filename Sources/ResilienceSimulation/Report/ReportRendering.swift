extension Report {
  /// The report for a terminal.
  public var text: String {
    var text = "Failure scenarios\n\n"
    for (name, value) in preface { text += "\(name): \(value)".wrapped(at: Self.width) + "\n" }
    text += "\n\(summary.text)"
    for section in sections {
      text += "\n\(section.number). \(section.title)\n"
      text += section.summary.wrapped(at: Self.width) + "\n\n"
      text += table(of: section).text
    }
    return text
  }

  /// The report as Markdown: a table of scores, then one for each failure scenario. What misses its
  /// target is bold.
  public var markdown: String {
    var text = "# Failure scenarios\n\n"
    for (name, value) in preface { text += "- \(name): \(value.inMarkdown)\n" }
    text += "\n\(summary.markdown)"
    for section in sections {
      text += "\n## \(section.number). \(section.title.inMarkdown)\n\n"
      text += "\(section.summary.inMarkdown)\n\n\(table(of: section).markdown)"
    }
    return text
  }

  /// How long a line of prose is on a terminal. Tables are as wide as they are.
  private static let width = 100

  private var preface: [(String, String)] {
    [
      ("Stacks", stacks.joined(separator: ", ")),
      ("Clients", clients.map(String.init).joined(separator: ", ")),
      ("Seeds", seeds.inWords),
      ("Model", model),
      (
        "Cells",
        "the mean over the seeds (least–greatest); ✓ meets its target under every seed, or in the "
          + "mean where the target says so; ✗ misses it; no mark: only reported."
      ),
    ]
  }
}

// MARK: - Tables

extension Report {
  /// Targets met of those judged, by scenario and stack.
  private var summary: Table {
    var rows = sections.map { section in
      ["\(section.number). \(section.title)"] + scores(in: section).map(\.entry)
    }
    if sections.count > 1 { rows.append(["all"] + scores.map(\.entry)) }
    return Table(["Targets met"] + stacks, rows)
  }

  private func table(of section: Section) -> Table {
    var variant: String?
    let rows = section.rows.map { row in
      defer { variant = row.variant }
      return [
        // Said once, where it begins.
        Table.Entry(row.variant == variant ? "" : row.variant),
        Table.Entry(row.figure),
        Table.Entry(clients.count > 1 ? "\(row.clients)" : ""),
        Table.Entry(row.target ?? ""),
      ] + row.cells.map { $0.entry(row.unit, seeds: seeds.count) }
    }
    return Table(["Variant", "Figure", "Clients", "Target"] + stacks, rows)
  }
}

extension Report.Score {
  fileprivate var entry: Table.Entry {
    guard judged > 0 else { return "–" }
    let isMet = met == judged
    return Table.Entry("\(met) of \(judged) \(isMet ? "✓" : "✗")", isStrong: !isMet)
  }
}

extension Report.Cell {
  fileprivate func entry(_ unit: Figure.Unit, seeds: Int) -> Table.Entry {
    let words = words(unit, seeds: seeds)
    return switch verdict {
    case .met: Table.Entry("\(words) ✓")
    case .missed: Table.Entry("\(words) ✗", isStrong: true)
    case .notJudged: Table.Entry(words.isEmpty ? "–" : words)
    }
  }
}

extension [UInt64] {
  /// "1 to 10" where they follow one another.
  var inWords: String {
    if count > 3, let first, first <= UInt64.max - UInt64(count),
      elementsEqual(first..<first + UInt64(count))
    {
      return "\(first) to \(first + UInt64(count) - 1)"
    }
    return map(String.init).joined(separator: ", ")
  }
}
