extension Metastability {
  /// A length that was tried.
  public struct Try: Hashable, Codable, Sendable {
    /// The length, in milliseconds.
    public let milliseconds: Int

    /// The seeds under which the stack never recovered.
    public let fatalSeeds: [UInt64]

    /// The length.
    public var length: Duration { .milliseconds(milliseconds) }

    /// Whether there is a seed under which the stack never recovered.
    public var isFatal: Bool { !fatalSeeds.isEmpty }
  }

  /// What a search has found.
  public struct Verdict: Hashable, Codable, Sendable {
    /// What the trouble is called.
    public let trouble: String

    /// The stack.
    public let stack: String

    /// How many clients there were.
    public let clients: Int

    /// The seeds that each length was tried under.
    public let seeds: [UInt64]

    /// The lengths in the order in which they were tried.
    public let tries: [Try]

    /// The shortest trouble found that the stack never recovers from under some seed; `nil` if it
    /// recovered from all that were tried.
    public var smallestFatal: Duration? { tries.filter(\.isFatal).map(\.length).min() }

    /// The longest trouble shorter than that from which the stack recovered under every seed; `nil` if
    /// there is none.
    public var longestSurvived: Duration? {
      let lengths = tries.map(\.length)
      guard let smallestFatal else { return lengths.max() }
      return lengths.filter { $0 < smallestFatal }.max()
    }
  }
}

extension Metastability.Verdict: CustomStringConvertible {
  /// The verdict in a sentence: "bare: recovers from every brownout up to 60 s".
  public var description: String {
    if let smallestFatal {
      return "\(stack): never recovers from a \(trouble) of \(smallestFatal.written)\(comparison)"
    }
    guard let longestSurvived else { return "\(stack): not tried" }
    return "\(stack): recovers from every \(trouble) up to \(longestSurvived.written)"
  }

  private var comparison: String {
    longestSurvived.map { ", but from one of \($0.written)" } ?? ", the shortest tried"
  }

  /// What the verdict rests on: each length, and under how many seeds it was fatal.
  public var evidence: String {
    let lengths = tries.map { attempt in
      attempt.isFatal
        ? "\(attempt.length.written) (fatal under \(attempt.fatalSeeds.count) of \(seeds.count) seeds)"
        : attempt.length.written
    }
    return "tried with \(clients) clients: \(lengths.joined(separator: ", "))"
  }
}
