/// How much a call matters: policies that have to refuse some refuse the least critical first.
///
/// It belongs to the request that a program is working for, so it is a property of the task:
/// ``current``. A ``Throttle`` and an ``AdaptiveLimiter`` read it there.
///
/// ```swift
/// let hints = try await Criticality.sheddable.run {
///   try await catalogue.recommendations(for: user)
/// }
/// ```
///
/// Raw values are the words for a header of your own, by which a service tells the next.
public enum Criticality: String, Hashable, Sendable, CaseIterable {
  /// Nobody is hurt if it fails: prefetching, recommendations, batches that run again.
  case sheddable

  /// Somebody waits for it. What a task has unless told otherwise.
  case normal

  /// What the service exists for; refused last.
  case critical

  // Spelled out, because `@TaskLocal` cannot make its projection usable from inlinable code.
  @usableFromInline static let taskLocal = TaskLocal<Criticality>(wrappedValue: .normal)

  /// The criticality of the current task. Child tasks inherit it, and so does an unstructured
  /// `Task { }`.
  public static var current: Criticality { taskLocal.get() }

  /// Runs the operation with this criticality as ``current``, where the caller is.
  ///
  /// - Throws: what the operation throws.
  @inlinable
  public func run<Success: ~Copyable>(
    _ operation: () async throws -> Success
  ) async throws -> Success {
    var result: Success?
    try await bound(#isolation) { result = try await operation() }
    // The operation returned, or this line is not reached.
    return result.take()!
  }

  /// On Swift 6.3.1 a closure given to `withValue` loses the caller's actor unless it captures an
  /// isolated parameter.
  @inlinable
  func bound(
    _ isolation: isolated (any Actor)?, _ body: nonisolated(nonsending) () async throws -> Void
  ) async throws {
    try await Self.taskLocal.withValue(self) {
      _ = isolation
      try await body()
    }
  }
}

extension Criticality: Comparable {
  /// Whether a call of the one is refused before a call of the other.
  public static func < (one: Criticality, other: Criticality) -> Bool { one.rank < other.rank }

  /// From the least critical on.
  var rank: Int {
    switch self {
    case .sheddable: 0
    case .normal: 1
    case .critical: 2
    }
  }
}
