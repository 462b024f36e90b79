/// Failure scenarios that several stacks go through, with so many clients, under so many seeds.
///
/// ```swift
/// let report = try await Campaign([brownouts], stacks: [.bare, mine], seeds: [1, 2]).run()
/// print(report.text)
/// ```
///
/// A failure scenario is one of the ten, such as ``FailureScenario/brownout``, or one of your own.
///
/// Trials do not depend on one another: as many run at a time as there are cores, and the report is
/// the same whichever of them ends first. Of each trial only its figures are kept.
public struct Campaign: Sendable {
  /// What the clients go through.
  public var scenarios: [FailureScenario]

  /// The columns of the report. Targets name stacks: two of them should not have the same name.
  public var stacks: [Stack]

  /// The numbers of clients, one after another.
  public var clients: [Int]

  /// The seeds that each trial is repeated under.
  public var seeds: [UInt64]

  /// Stacks that targets of others may refer to, such as "no more than twice what bare has". One that
  /// is not in ``stacks`` is run beside them where such a target is to be judged, and nowhere else;
  /// it has no column. What refers to a stack in neither list is not judged.
  public var references: [Stack]

  /// How many trials run at a time; as many as there are cores by default.
  public var width = Processors.count

  /// Makes a campaign.
  ///
  /// - Parameters:
  ///   - scenarios: what the clients go through; all ten by default.
  ///   - stacks: the columns of the report; by default ``Stack/recommended`` alone.
  ///   - clients: the numbers of clients; 20 by default. Less than one counts as one.
  ///   - seeds: what trials are repeated under; 1, 2 and 3 by default.
  ///   - references: stacks that targets may refer to; those of this library by default.
  public init(
    _ scenarios: [FailureScenario] = FailureScenario.all, stacks: [Stack] = [.recommended],
    clients: [Int] = [20], seeds: [UInt64] = [1, 2, 3],
    references: [Stack] = [.bare, .naiveRetry, .retryAndBudget, .recommended]
  ) {
    self.scenarios = scenarios
    self.stacks = stacks
    self.clients = clients.map { max(1, $0) }
    self.seeds = seeds
    self.references = references
  }

  /// How far a campaign is.
  public struct Progress: Hashable, Sendable {
    /// Trials that are over.
    public let done: Int

    /// Trials that the campaign consists of.
    public let total: Int

    /// The one that ended last, in words.
    public let latest: String
  }

  /// Runs all trials.
  ///
  /// - Parameter progress: is called after each trial, one call at a time.
  /// - Returns: what they came to.
  /// - Throws: the ``SimulationError`` of the first stack that cannot be simulated, which ends the
  ///   others; `CancellationError` if the task is cancelled.
  @concurrent
  public func run(
    _ progress: @escaping @Sendable (Progress) -> Void = { _ in }
  ) async throws -> Report {
    let trials = plannedTrials()
    let figures = try await concurrentMap(
      trials, width: width,
      progress: { done, latest in
        progress(Progress(done: done, total: trials.count, latest: title(of: latest)))
      },
      { trial in try await measure(trial) })
    return report(on: Dictionary(zip(trials, figures)) { first, _ in first })
  }
}

// MARK: - Trials

extension Campaign {
  /// Where a trial stands in the campaign: indices, but for what tells a trial by itself.
  struct PlannedTrial: Hashable, Sendable {
    var scenario: Int
    var variant: Int
    /// An index into ``Campaign/lineup``.
    var stack: Int
    var clients: Int
    var seed: UInt64
  }

  /// Those that may run: the columns, then the references.
  var lineup: [Stack] {
    let names = Set(stacks.map(\.name))
    return stacks + references.filter { !names.contains($0.name) }
  }

  /// In the order of the report; each once.
  func plannedTrials() -> [PlannedTrial] {
    var trials: [PlannedTrial] = []
    for (scenario, failure) in scenarios.enumerated() {
      for (variant, form) in failure.variants.enumerated() {
        for clients in clients {
          for stack in runners(in: form, clients: clients) {
            for seed in seeds {
              trials.append(
                PlannedTrial(
                  scenario: scenario, variant: variant, stack: stack, clients: clients, seed: seed))
            }
          }
        }
      }
    }
    var seen: Set<PlannedTrial> = []
    return trials.filter { seen.insert($0).inserted }
  }

  /// The columns, and the references that targets of theirs need here.
  private func runners(in variant: FailureScenario.Variant, clients: Int) -> [Int] {
    let needed = Set(
      variant.figures.flatMap { figure in
        stacks.compactMap { figure.target?.applying(to: $0.name, clients: clients)?.reference }
      })
    return lineup.indices.filter { $0 < stacks.count || needed.contains(lineup[$0].name) }
  }

  private func measure(_ planned: PlannedTrial) async throws -> [Double?] {
    let variant = scenarios[planned.scenario].variants[planned.variant]
    let trial = Trial(
      variant.scenario, lineup[planned.stack], clients: planned.clients, seed: planned.seed)
    let result = try await trial.run()
    // What is not a number of this world never came; JSON has no word for it either.
    return variant.figures.map { $0.measure(result).flatMap { $0.isFinite ? $0 : nil } }
  }

  private func title(of trial: PlannedTrial) -> String {
    let scenario = scenarios[trial.scenario]
    let variant = scenario.variants[trial.variant].name
    let form = variant.isEmpty ? "" : ", \(variant)"
    return "\(scenario.number). \(scenario.title)\(form): \(lineup[trial.stack].name)"
  }
}
