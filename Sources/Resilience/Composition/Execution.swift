/// What a policy tells the operation it runs: which attempt this is.
///
/// Policies that repeat an operation pass it inwards; a body that takes a parameter receives it.
public struct Execution: Hashable, Sendable {
  /// The number of this attempt; the first is 1.
  public var attempt: Int

  /// The number of this hedge: 0 for the attempt that was started first, 1 for its first hedge.
  public var hedge: Int

  /// The first attempt of a call, unless told otherwise.
  @inlinable
  public init(attempt: Int = 1, hedge: Int = 0) {
    self.attempt = attempt
    self.hedge = hedge
  }
}

/// What a call meant for the dependency behind it.
public enum Outcome: Hashable, Sendable {
  /// The dependency answered as it should.
  case success

  /// The dependency did not answer as it should.
  case failure

  /// The call says nothing about the dependency: its caller cancelled it, or a policy inside
  /// refused it. It gives back what it held, and no decision depends on it.
  case ignored
}

/// A result on its way outwards through the policies, with the verdict on it.
///
/// The verdict is passed once, where the operation returned; every policy on the way sees the
/// same one. Frozen, so that policies of yours can take a value out that cannot be copied.
@frozen
public struct Graded<Value: ~Copyable>: ~Copyable {
  /// What the operation returned.
  public var value: Value

  /// The verdict on it.
  public let outcome: Outcome

  /// A result and its verdict; a result is a success unless told otherwise.
  @inlinable
  public init(_ value: consuming Value, outcome: Outcome = .success) {
    self.value = value
    self.outcome = outcome
  }
}

extension Graded: Copyable where Value: Copyable {}
extension Graded: Sendable where Value: Sendable & ~Copyable {}
