import Resilience

/// Looks for the smallest trouble that a stack never recovers from.
///
/// A system is metastable if a trouble that is over keeps it down: its retries, say, are load enough
/// (N. Bronson et al., "Metastable Failures in Distributed Systems", HotOS 2021).
/// A search is one of brownouts as in the first scenario, ``brownout``, or of a trouble of your own,
/// ``init(of:from:to:_:)``.
///
/// ```swift
/// let verdict = try await search.verdict(on: mine)
/// #expect(verdict.smallestFatal == nil, "\(verdict)")
/// ```
///
/// Lengths are tried from ``shortest`` on, each twice the one before, up to ``longest``. The first one
/// that the stack does not recover from under every seed is fatal; by halves the search then closes in
/// on the least fatal length between it and the one before.
///
/// > Note: Longer is not always worse: what recovers from 4 s and from 8 s may not recover from 6 s,
/// > which is then not found. ``Verdict/tries`` says what the verdict rests on. Recovery is watched
/// > for as long as the scenario says; what takes longer counts as never.
public struct Metastability: Sendable {
  /// What the trouble is called: a noun, such as "brownout".
  public let trouble: String

  /// The length to begin with; 1 s by default. Lengths are whole milliseconds, one at least.
  public var shortest: Duration

  /// The last length to try; 60 s by default.
  public var longest: Duration

  /// How far the fatal length that is found may lie above one that is not, as a share of it; 0.1 by
  /// default.
  public var precision = 0.1

  /// How many trials run at a time; as many as there are cores by default.
  public var width = Processors.count

  private let scenario: @Sendable (Duration) -> Scenario

  /// Makes a search.
  ///
  /// - Parameters:
  ///   - trouble: what the trouble is called: a noun, such as "brownout".
  ///   - shortest: the length to begin with; 1 s by default.
  ///   - longest: the last length to try; 60 s by default.
  ///   - scenario: makes a scenario of a length. Its phase should have no spread, for the length to be
  ///     what it says.
  public init(
    of trouble: String, from shortest: Duration = .seconds(1), to longest: Duration = .seconds(60),
    _ scenario: @escaping @Sendable (Duration) -> Scenario
  ) {
    self.trouble = trouble
    self.shortest = shortest
    self.longest = longest
    self.scenario = scenario
  }

  /// Of brownouts as in the first scenario: 40 % of the capacity, at a load of 80 %.
  public static var brownout: Metastability {
    Metastability(of: "brownout") { length in
      var scenario = Scenario.brownout(lasting: length)
      scenario.phases = scenario.phases.map { phase in
        var exact = phase
        exact.spread = .zero
        return exact
      }
      return scenario
    }
  }

  /// Searches.
  ///
  /// - Parameters:
  ///   - stack: what the clients call through.
  ///   - clients: how many there are; 20 by default.
  ///   - seeds: what each length is tried under; 1, 2 and 3 by default.
  ///   - progress: is called after each length.
  /// - Returns: what was found.
  /// - Throws: a ``SimulationError`` if the stack cannot be simulated; `CancellationError` if the task
  ///   is cancelled.
  @concurrent
  public func verdict(
    on stack: Stack, clients: Int = 20, seeds: [UInt64] = [1, 2, 3],
    _ progress: @escaping @Sendable (Try) -> Void = { _ in }
  ) async throws -> Verdict {
    var search = MetastabilitySearch(
      from: shortest.wholeMilliseconds, to: longest.wholeMilliseconds, precision: precision)
    var tries: [Try] = []
    while let length = search.next {
      let scenario = scenario(.milliseconds(length))
      let outcomes = try await concurrentMap(seeds, width: width) { seed in
        try await Trial(scenario, stack, clients: clients, seed: seed).run().isMetastable
      }
      let fatalSeeds = zip(seeds, outcomes).filter { $0.1 }.map { $0.0 }
      let latest = Try(milliseconds: length, fatalSeeds: fatalSeeds)
      tries.append(latest)
      search.note(isFatal: latest.isFatal)
      progress(latest)
    }
    return Verdict(
      trouble: trouble, stack: stack.name, clients: max(1, clients), seeds: seeds, tries: tries)
  }
}

extension Duration {
  fileprivate var wholeMilliseconds: Int { max(1, Int(saturatingNanoseconds / 1_000_000)) }
}
