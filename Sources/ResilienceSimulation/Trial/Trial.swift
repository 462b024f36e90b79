import Resilience
import ResilienceTesting

/// One run of a stack through a scenario.
public struct Trial: Sendable {
  /// What the clients go through.
  public var scenario: Scenario

  /// What they call through.
  public var stack: Stack

  /// How many clients there are.
  public var clients: Int

  /// What all chance comes from.
  public var seed: UInt64

  /// Makes a trial.
  ///
  /// - Parameters:
  ///   - scenario: what the clients go through.
  ///   - stack: what they call through.
  ///   - clients: how many there are, 20 by default; at least 1.
  ///   - seed: what all chance comes from: the same seed gives the same run.
  public init(_ scenario: Scenario, _ stack: Stack, clients: Int = 20, seed: UInt64 = 1) {
    self.scenario = scenario
    self.stack = stack
    self.clients = max(1, clients)
    self.seed = seed
  }

  /// Runs it, in virtual time.
  ///
  /// - Returns: what happened.
  /// - Throws: a ``SimulationError`` if the stack cannot be simulated; `CancellationError` if the
  ///   task is cancelled.
  public func run() async throws -> TrialResult {
    try await run(isTracing: false).result
  }

  /// Runs it and also returns everything that happened: a line for each call, request, completion,
  /// ending and change of a circuit's state, with the instant in nanoseconds.
  public func trace() async throws -> [String] {
    try await run(isTracing: true).trace
  }

  private func run(isTracing: Bool) async throws -> (result: TrialResult, trace: [String]) {
    // What is bound in the caller's task is none of the clients' business.
    try await Deadline.withoutDeadline {
      try await Criticality.normal.run { try await runAudited(isTracing: isTracing) }
    }
  }

  private func runAudited(
    isTracing: Bool
  ) async throws -> (result: TrialResult, trace: [String]) {
    let audit = ConstructionAudit()
    return try await ConstructionAudit.$current.withValue(audit) {
      try await withVirtualTime(jobLimit: .max) { clock in
        let world = World(self, on: clock, isTracing: isTracing)
        try throwFindings(of: audit)
        let leftoverTimers = try await world.run()
        try throwFindings(of: audit)
        guard clock.foreignEnqueues == 0 else {
          throw SimulationError.outsideEvents(stack: stack.name, count: clock.foreignEnqueues)
        }
        let result = world.journal.result(
          of: scenario, stack: stack.name, clients: clients, seed: seed,
          leftoverTimers: leftoverTimers)
        return (result, world.journal.trace)
      }
    }
  }

  private func throwFindings(of audit: ConstructionAudit) throws {
    let findings = audit.findings
    if findings.realClock { throw SimulationError.realClock(stack: stack.name) }
    if findings.realChance { throw SimulationError.realChance(stack: stack.name) }
  }
}
