import Synchronization

/// Notices that a policy is made on real time or real chance, where neither has a place.
///
/// A simulation binds one while policies are made and used; without one, making a policy costs the
/// look at a task-local and nothing else.
package final class ConstructionAudit: Sendable {
  @TaskLocal package static var current: ConstructionAudit?

  private let realClock = Atomic(false)
  private let realChance = Atomic(false)

  package init() {}

  /// Whether something has been made on `ContinuousClock`.
  package var sawRealClock: Bool { realClock.load(ordering: .relaxed) }

  /// Whether something has been made that draws from the system's generator.
  package var sawRealChance: Bool { realChance.load(ordering: .relaxed) }

  static func noteRealClock() { current?.realClock.store(true, ordering: .relaxed) }
  static func noteRealChance() { current?.realChance.store(true, ordering: .relaxed) }
}
