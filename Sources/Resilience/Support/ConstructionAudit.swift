/// Notices that a policy is made on real time or real chance, where neither has a place.
///
/// A simulation binds one while policies are made and used; without one, making a policy costs the
/// look at a task-local and nothing else.
package final class ConstructionAudit: Sendable {
  package struct Findings: Hashable, Sendable {
    /// Something has been made on `ContinuousClock`.
    package var realClock = false

    /// Something has been made that draws from the system's generator.
    package var realChance = false
  }

  @TaskLocal package static var current: ConstructionAudit?

  private let state = Lock(Findings())

  package init() {}

  package var findings: Findings { state.withLock { $0 } }

  static func noteRealClock() { current?.state.withLock { $0.realClock = true } }
  static func noteRealChance() { current?.state.withLock { $0.realChance = true } }
}
