// One overload a shape, and noncopyable results only: a second, copyable overload of the same
// shape makes the compiler infer `()` for noncopyable results and drop them.

extension ResiliencePolicy {
  /// Runs the operation under this policy, where the caller is.
  ///
  /// - Parameters:
  ///   - operation: what to run; it keeps the caller's isolation.
  ///   - failingWhen: whether a returned value counts as a failure, such as a response with
  ///     status 503. Asked once for each value; by default no value does.
  /// - Returns: what the operation returned, also if it counts as a failure.
  /// - Throws: what the operation throws, as it is; or a ``RejectionError``, in which case the
  ///   operation did not run.
  @inlinable
  public func run<Success: ~Copyable>(
    _ operation: () async throws -> Success,
    failingWhen: (borrowing Success) -> Bool = { _ in false }
  ) async throws -> Success {
    try await execute(Execution()) { _ in
      try await grade(failingWhen, operation)
    }.value
  }

  /// Runs the operation under this policy, where the caller is, and tells it which attempt it is.
  ///
  /// - Parameters:
  ///   - operation: what to run; it keeps the caller's isolation.
  ///   - failingWhen: whether a returned value counts as a failure. Asked once for each value; by
  ///     default no value does.
  /// - Returns: what the operation returned, also if it counts as a failure.
  /// - Throws: what the operation throws, as it is; or a ``RejectionError``, in which case the
  ///   operation did not run.
  @inlinable
  public func run<Success: ~Copyable>(
    _ operation: (Execution) async throws -> Success,
    failingWhen: (borrowing Success) -> Bool = { _ in false }
  ) async throws -> Success {
    try await execute(Execution()) { execution in
      let value = try await operation(execution)
      let outcome: Outcome = failingWhen(value) ? .failure : .success
      return Graded(value, outcome: outcome)
    }.value
  }

  /// Runs the operation under this policy; if it is refused or fails, the fallback answers.
  @inlinable
  public func run<Success: ~Copyable>(
    _ operation: () async throws -> Success,
    failingWhen: (borrowing Success) -> Bool = { _ in false },
    fallback: (any Error) async throws -> Success
  ) async throws -> Success {
    let failure: any Error
    do {
      let graded = try await execute(Execution()) { _ in
        try await grade(failingWhen, operation)
      }
      if graded.outcome != .failure { return graded.value }
      failure = FailedResultError()
    } catch {
      failure = error
    }
    if Task.isCancelled { throw failure }
    return try await fallback(failure)
  }
}

@inlinable
func grade<Success: ~Copyable>(
  _ failingWhen: (borrowing Success) -> Bool,
  _ operation: () async throws -> Success
) async throws -> Graded<Success> {
  let value = try await operation()
  let outcome: Outcome = failingWhen(value) ? .failure : .success
  return Graded(value, outcome: outcome)
}
