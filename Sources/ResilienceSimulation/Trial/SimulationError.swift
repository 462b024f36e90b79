/// A trial has no result.
public enum SimulationError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A policy of the stack was made on the real clock: give it ``Client/clock``.
  case realClock(stack: String)

  /// A policy of the stack was made without a seed: give it ``Client/seed()``.
  case realChance(stack: String)

  /// Something outside the simulation took part in it, such as a task of its own: its order is not
  /// the seed's.
  case outsideEvents(stack: String, count: Int)

  /// What is wrong, and what to do about it.
  public var description: String {
    switch self {
    case .realClock(let stack):
      "Stack \"\(stack)\" makes a policy on the real clock; give each of them client.clock."
    case .realChance(let stack):
      "Stack \"\(stack)\" makes a policy that draws from the system's chance; give each that uses "
        + "chance client.seed()."
    case .outsideEvents(let stack, let count):
      "Stack \"\(stack)\" was woken \(count) times from outside the simulation, by a task or a timer "
        + "that does not belong to it; the run would not come again."
    }
  }
}
