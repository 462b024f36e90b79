import Resilience
import ResilienceTesting

/// What reaches another process with a request: how much it matters, and when nobody waits for the
/// answer any more. Nothing else of the caller's task does.
struct Arrival: Sendable {
  let criticality: Criticality
  let deadline: Deadline?

  /// Handles a request in a task that has nothing but this from its caller.
  ///
  /// (And what watches over the trial: policies may be made when the first request comes.)
  func handle(on clock: VirtualClock, _ body: @escaping @Sendable () async -> Void) {
    let audit = ConstructionAudit.current
    Task.detached(executorPreference: clock.executor) {
      await ConstructionAudit.$current.withValue(audit) { await handle(body) }
    }
  }

  private func handle(_ body: @escaping @Sendable () async -> Void) async {
    // Nothing throws in here but what `body` has caught.
    try? await criticality.run {
      guard let deadline else { return await body() }
      try await deadline.run { await body() }
    }
  }
}
