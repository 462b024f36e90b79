/// A policy whose type is known at run time only. ``PipelineBuilder`` makes one of a policy under
/// `if #available`.
///
/// Cost: each call goes through a witness table, and the compiler cannot see through it.
public struct AnyResiliencePolicy: ResiliencePolicy {
  @usableFromInline let policy: any ResiliencePolicy

  /// This policy, without its type.
  @inlinable
  public init(_ policy: any ResiliencePolicy) {
    self.policy = policy
  }

  /// The layers of the policy.
  public var layers: [PolicyLayer] { policy.layers }

  /// Runs the operation under the policy, where the caller is.
  @inlinable
  public func execute<Success: ~Copyable>(
    _ execution: Execution,
    _ operation: (Execution) async throws -> Graded<Success>
  ) async throws -> Graded<Success> {
    try await policy.execute(execution, operation)
  }
}

/// A policy whose type is known at run time only and that may run an operation concurrently.
/// ``PipelineBuilder`` makes one of such a policy under `if #available`.
///
/// Cost: each call goes through a witness table, and the compiler cannot see through it.
public struct AnyConcurrentPolicy: ConcurrentPolicy {
  @usableFromInline let policy: any ConcurrentPolicy

  /// This policy, without its type.
  @inlinable
  public init(_ policy: any ConcurrentPolicy) {
    self.policy = policy
  }

  /// The layers of the policy.
  public var layers: [PolicyLayer] { policy.layers }

  /// Runs the operation under the policy.
  @inlinable
  public func execute<Success: Sendable>(
    _ execution: Execution,
    concurrently operation: @escaping @Sendable (Execution) async throws -> Graded<Success>
  ) async throws -> Graded<Success> {
    try await policy.execute(execution, concurrently: operation)
  }
}
