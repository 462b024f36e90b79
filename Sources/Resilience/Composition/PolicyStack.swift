// Disfavoured, here and in the other types of compositions, because the label of a trailing closure is
// dropped: `pipeline.execute(execution) { … }` would mean the concurrent requirement where the type has
// both.

/// One policy inside another: what ``PipelineBuilder`` makes of two that follow each other.
public struct PolicyStack<Outer: ConcurrentPolicy, Inner: ConcurrentPolicy>: ConcurrentPolicy {
  @usableFromInline let outer: Outer
  @usableFromInline let inner: Inner

  /// `inner` inside `outer`.
  @inlinable
  public init(_ outer: Outer, _ inner: Inner) {
    self.outer = outer
    self.inner = inner
  }

  /// The layers of the outer policy, then those of the inner one.
  public var layers: [PolicyLayer] { outer.layers + inner.layers }

  /// Runs the operation under the inner policy, and that under the outer one.
  @inlinable
  @_disfavoredOverload
  public func execute<Success: Sendable>(
    _ execution: Execution,
    concurrently operation: @escaping @Sendable (Execution) async throws -> Graded<Success>
  ) async throws -> Graded<Success> {
    let inner = inner
    return try await outer.execute(
      execution,
      concurrently: { execution in
        try await inner.execute(execution, concurrently: operation)
      })
  }
}

extension PolicyStack: ResiliencePolicy where Outer: ResiliencePolicy, Inner: ResiliencePolicy {
  /// Runs the operation under the inner policy, and that under the outer one, where the caller is.
  @inlinable
  public func execute<Success: ~Copyable>(
    _ execution: Execution,
    _ operation: (Execution) async throws -> Graded<Success>
  ) async throws -> Graded<Success> {
    try await outer.execute(execution) { execution in
      try await inner.execute(execution, operation)
    }
  }
}
