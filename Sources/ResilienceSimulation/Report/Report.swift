/// What a ``Campaign`` came to: for each failure scenario the figures of each stack, and whether they
/// are what they should be.
///
/// A stack that misses a target is reported as missing it.
public struct Report: Codable, Hashable, Sendable {
  /// The stacks, in the order of all cells.
  public let stacks: [String]

  /// The numbers of clients.
  public let clients: [Int]

  /// The seeds that each trial was repeated under.
  public let seeds: [UInt64]

  /// What the scenarios have in common, in words.
  public let model: String

  /// A section for each failure scenario.
  public let sections: [Section]

  /// What a failure scenario came to.
  public struct Section: Codable, Hashable, Sendable {
    /// The scenario's number.
    public let number: Int

    /// The scenario in a few words.
    public let title: String

    /// What goes wrong in it.
    public let summary: String

    /// The figures of all variants and numbers of clients.
    public let rows: [Row]
  }

  /// One figure of one variant with one number of clients.
  public struct Row: Codable, Hashable, Sendable {
    /// The form of the scenario; empty if it has one only.
    public let variant: String

    /// What was measured.
    public let figure: String

    /// How it is written.
    public let unit: Figure.Unit

    /// How many clients there were.
    public let clients: Int

    /// What the figure should be, in words; `nil` if nothing is demanded of any of the stacks.
    public let target: String?

    /// A cell for each stack.
    public let cells: [Cell]
  }

  /// What one stack came to, over all seeds.
  public struct Cell: Codable, Hashable, Sendable {
    /// The stack.
    public let stack: String

    /// The least number; `nil` if it never came to one.
    public let least: Double?

    /// The greatest number; `nil` if it never came to one.
    public let greatest: Double?

    /// The mean of the numbers; `nil` if it never came to one.
    public let mean: Double?

    /// Under how many seeds it never came to a number.
    public let never: Int

    /// Whether it is what it should be.
    public let verdict: Verdict

    init(stack: String, values: [Double?], verdict: Verdict) {
      let numbers = values.compactMap(\.self)
      self.stack = stack
      least = numbers.min()
      greatest = numbers.max()
      mean = numbers.isEmpty ? nil : numbers.mean
      never = values.count - numbers.count
      self.verdict = verdict
    }
  }
}

// MARK: - Scores

extension Report {
  /// How many targets a stack has met, of those that it was judged by.
  public struct Score: Codable, Hashable, Sendable {
    /// Targets met.
    public let met: Int

    /// Targets judged.
    public let judged: Int

    init(_ verdicts: some Sequence<Verdict>) {
      let judged = verdicts.filter { $0 != .notJudged }
      self.judged = judged.count
      met = judged.count { $0 == .met }
    }
  }

  /// The scores in all scenarios together, by stack.
  public var scores: [Score] { scores(of: sections.flatMap(\.rows)) }

  /// The scores in one scenario, by stack.
  public func scores(in section: Section) -> [Score] { scores(of: section.rows) }

  private func scores(of rows: [Row]) -> [Score] {
    stacks.indices.map { stack in Score(rows.map { $0.cells[stack].verdict }) }
  }

  /// Whether no stack has missed a target.
  public var meetsAllTargets: Bool { scores.allSatisfy { $0.met == $0.judged } }
}
