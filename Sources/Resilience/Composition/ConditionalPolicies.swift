/// One of two policies: what ``PipelineBuilder`` makes of `if` with `else`, and of `switch`.
public enum EitherPolicy<First: ConcurrentPolicy, Second: ConcurrentPolicy>: ConcurrentPolicy {
  /// The policy of the first branch.
  case first(First)

  /// The policy of the second branch.
  case second(Second)

  /// The layers of the branch that was taken.
  public var layers: [PolicyLayer] {
    switch self {
    case .first(let policy): policy.layers
    case .second(let policy): policy.layers
    }
  }

  /// Runs the operation under the policy of the branch that was taken.
  @inlinable
  @_disfavoredOverload
  public func execute<Success: Sendable>(
    _ execution: Execution,
    concurrently operation: @escaping @Sendable (Execution) async throws -> Graded<Success>
  ) async throws -> Graded<Success> {
    switch self {
    case .first(let policy): try await policy.execute(execution, concurrently: operation)
    case .second(let policy): try await policy.execute(execution, concurrently: operation)
    }
  }
}

extension EitherPolicy: ResiliencePolicy where First: ResiliencePolicy, Second: ResiliencePolicy {
  /// Runs the operation under the policy of the branch that was taken, where the caller is.
  @inlinable
  public func execute<Success: ~Copyable>(
    _ execution: Execution,
    _ operation: (Execution) async throws -> Graded<Success>
  ) async throws -> Graded<Success> {
    switch self {
    case .first(let policy): try await policy.execute(execution, operation)
    case .second(let policy): try await policy.execute(execution, operation)
    }
  }
}

/// A policy or none: what ``PipelineBuilder`` makes of `if` without `else`.
public struct OptionalPolicy<Wrapped: ConcurrentPolicy>: ConcurrentPolicy {
  @usableFromInline let policy: Wrapped?

  /// This policy, or none.
  @inlinable
  public init(_ policy: Wrapped?) {
    self.policy = policy
  }

  /// The layers of the policy; none if there is none.
  public var layers: [PolicyLayer] { policy?.layers ?? [] }

  /// Runs the operation under the policy, or as it is if there is none.
  @inlinable
  @_disfavoredOverload
  public func execute<Success: Sendable>(
    _ execution: Execution,
    concurrently operation: @escaping @Sendable (Execution) async throws -> Graded<Success>
  ) async throws -> Graded<Success> {
    guard let policy else { return try await operation(execution) }
    return try await policy.execute(execution, concurrently: operation)
  }
}

extension OptionalPolicy: ResiliencePolicy where Wrapped: ResiliencePolicy {
  /// Runs the operation under the policy, or as it is if there is none, where the caller is.
  @inlinable
  public func execute<Success: ~Copyable>(
    _ execution: Execution,
    _ operation: (Execution) async throws -> Graded<Success>
  ) async throws -> Graded<Success> {
    guard let policy else { return try await operation(execution) }
    return try await policy.execute(execution, operation)
  }
}
