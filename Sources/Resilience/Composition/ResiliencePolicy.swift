/// Anything that runs an operation and may protect it, also by running it concurrently.
///
/// Policies that run the operation where the caller is conform to ``ResiliencePolicy`` instead,
/// which asks less of the operation and its result.
///
/// > Important: A type of yours that conforms must spell `nonisolated(nonsending)` on the method
/// > and on the operation, unless its module enables `NonisolatedNonsendingByDefault`.
public protocol ConcurrentPolicy: Sendable {
  /// What this policy is, for descriptions and checks of a composition: one layer, or for a
  /// composition all of its layers, the outermost first.
  ///
  /// By default one of the role ``PolicyLayer/Role/other`` with the name of the type.
  var layers: [PolicyLayer] { get }

  /// Runs the operation under this policy.
  ///
  /// - Parameters:
  ///   - execution: what the operation is told about this attempt.
  ///   - operation: what to run; it may run more than once, more than once at a time, and still
  ///     when the call is over.
  /// - Returns: what the operation returned, with the verdict on it.
  /// - Throws: what the operation throws, as it is; or a ``RejectionError`` of the policy, in which
  ///   case the operation did not run.
  func execute<Success: Sendable>(
    _ execution: Execution,
    concurrently operation: @escaping @Sendable (Execution) async throws -> Graded<Success>
  ) async throws -> Graded<Success>
}

extension ConcurrentPolicy {
  /// One layer of the role ``PolicyLayer/Role/other`` with the name of the type.
  public var layers: [PolicyLayer] { [PolicyLayer(role: .other, name: "\(Self.self)")] }
}

/// A policy that runs the operation where the caller is.
///
/// The operation keeps the caller's isolation, may capture state that is not `Sendable`, and may
/// return values that are neither `Sendable` nor copyable. Callers use the `run` methods; a policy
/// implements this one.
///
/// > Important: A type of yours that conforms must spell `nonisolated(nonsending)` on the method
/// > and on the operation, unless its module enables `NonisolatedNonsendingByDefault`.
public protocol ResiliencePolicy: ConcurrentPolicy {
  /// Runs the operation under this policy, where the caller is.
  ///
  /// - Parameters:
  ///   - execution: what the operation is told about this attempt.
  ///   - operation: what to run.
  /// - Returns: what the operation returned, with the verdict on it.
  /// - Throws: what the operation throws, as it is; or a ``RejectionError`` of the policy, in which
  ///   case the operation did not run.
  func execute<Success: ~Copyable>(
    _ execution: Execution,
    _ operation: (Execution) async throws -> Graded<Success>
  ) async throws -> Graded<Success>
}

extension ResiliencePolicy {
  /// Runs the operation under this policy, where the caller is.
  @inlinable
  public func execute<Success: Sendable>(
    _ execution: Execution,
    concurrently operation: @escaping @Sendable (Execution) async throws -> Graded<Success>
  ) async throws -> Graded<Success> {
    try await execute(execution, operation)
  }
}
