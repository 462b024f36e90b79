/// Several policies as one: the first is outermost.
///
/// `Pipeline { a; b }` behaves exactly as `a.run { b.run(operation) }`, and is a policy itself: it
/// has every call site, and stands in other pipelines. An operation is judged once, by
/// `failingWhen:`, and all policies see the same verdict.
///
/// The order that serves most calls, from the outside: a total timeout, a retry or a hedge, a
/// circuit breaker, a rate limiter, a bulkhead, a timeout for each attempt. ``validate()`` reports
/// orders that are known not to work.
///
/// A pipeline runs the operation where the caller is, as ``ResiliencePolicy`` promises, if all of
/// its policies do. One that contains a policy which does not, such as a hedge, is a
/// ``ConcurrentPolicy`` only: its operations must be `@Sendable`.
///
/// The policies are held as they are: a class stays shared, so one circuit breaker may be part of
/// many pipelines. A body in which no branch is taken runs the operation as it is; an empty body
/// does not compile.
///
/// Cost: that of the policies, and a few nanoseconds for each after the first. It allocates nothing,
/// unless it is a ``ConcurrentPolicy`` only: then one closure for each policy after the first.
public struct Pipeline<Base: ConcurrentPolicy>: ConcurrentPolicy {
  @usableFromInline let base: Base

  /// The policies in the body, the first of them outermost.
  @inlinable
  public init(@PipelineBuilder _ policies: () -> Base) {
    base = policies()
  }

  /// The layers of all policies, the outermost first; those of branches that were not taken are
  /// not among them.
  public var layers: [PolicyLayer] { base.layers }

  /// Runs the operation under all policies.
  @inlinable
  @_disfavoredOverload
  public func execute<Success: Sendable>(
    _ execution: Execution,
    concurrently operation: @escaping @Sendable (Execution) async throws -> Graded<Success>
  ) async throws -> Graded<Success> {
    try await base.execute(execution, concurrently: operation)
  }
}

extension Pipeline: ResiliencePolicy where Base: ResiliencePolicy {
  /// Runs the operation under all policies, where the caller is.
  @inlinable
  public func execute<Success: ~Copyable>(
    _ execution: Execution,
    _ operation: (Execution) async throws -> Graded<Success>
  ) async throws -> Graded<Success> {
    try await base.execute(execution, operation)
  }
}

extension Pipeline: CustomStringConvertible {
  /// The policies in one line, for a log and for tests, the outermost first:
  /// `timeout "total" (1.0 seconds) > circuit breaker "users" (…)`. Says `no policy` if there is
  /// none.
  public var description: String {
    let layers = layers
    return layers.isEmpty
      ? "no policy" : layers.map(\.description).joined(separator: " > ")
  }
}
