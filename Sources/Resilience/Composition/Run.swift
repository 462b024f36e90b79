// The call sites of every policy: written once, on the protocols.
//
// Each is written out: a wrapper around the operation costs 20 ns, and is one more place where 6.3.1
// could lose the caller's actor.
//
// One overload a shape, and for noncopyable results only: beside a copyable overload of the same
// shape the compiler infers `()` for a noncopyable result and drops it.

extension ResiliencePolicy {
  /// Runs the operation under this policy, where the caller is.
  ///
  /// - Parameters:
  ///   - operation: what to run; it keeps the caller's isolation.
  ///   - failingWhen: whether a returned value counts as a failure, such as a response with
  ///     status 503. Asked once for each value; by default no value does.
  /// - Returns: what the operation returned, also if it counts as a failure.
  /// - Throws: what the operation throws, as it is; a ``RejectionError``, in which case the
  ///   operation did not run; or what the policy throws in its place, such as a ``TimeoutError``.
  @inlinable
  public func run<Success: ~Copyable>(
    _ operation: () async throws -> Success,
    failingWhen: (borrowing Success) -> Bool = { _ in false }
  ) async throws -> Success {
    try await execute(Execution()) { _ in
      let value = try await operation()
      let outcome = Outcome(ofValueThatFails: failingWhen(value))
      return Graded(value, outcome: outcome)
    }.value
  }

  /// Runs the operation under this policy, where the caller is, and tells it which attempt it is.
  ///
  /// - Parameters:
  ///   - operation: what to run; it keeps the caller's isolation.
  ///   - failingWhen: whether a returned value counts as a failure. Asked once for each value; by
  ///     default no value does.
  /// - Returns: what the operation returned, also if it counts as a failure.
  /// - Throws: what the operation throws, as it is; a ``RejectionError``, in which case the
  ///   operation did not run; or what the policy throws in its place, such as a ``TimeoutError``.
  @inlinable
  public func run<Success: ~Copyable>(
    _ operation: (Execution) async throws -> Success,
    failingWhen: (borrowing Success) -> Bool = { _ in false }
  ) async throws -> Success {
    try await execute(Execution()) { execution in
      let value = try await operation(execution)
      let outcome = Outcome(ofValueThatFails: failingWhen(value))
      return Graded(value, outcome: outcome)
    }.value
  }

  /// Runs the operation under this policy, where the caller is; the fallback answers if it is
  /// refused or fails.
  ///
  /// - Parameters:
  ///   - operation: what to run; it keeps the caller's isolation.
  ///   - failingWhen: whether a returned value counts as a failure. Asked once for each value; by
  ///     default no value does.
  ///   - fallback: answers instead, and may throw an error of its own. It is given whatever the
  ///     operation threw, also what the policy does not count as a failure; the policy's
  ///     ``RejectionError``; or a ``FailedResultError`` for a value that counts as a failure.
  ///     `switch` over the error, and throw it again where there is no other answer. Not asked if
  ///     the caller's task is cancelled.
  /// - Returns: what the operation returned, or the fallback; if the caller's task is cancelled,
  ///   also a value that counts as a failure.
  /// - Throws: what the fallback throws; or the error itself if the caller's task is cancelled.
  @inlinable
  public func run<Success: ~Copyable>(
    _ operation: () async throws -> Success,
    failingWhen: (borrowing Success) -> Bool = { _ in false },
    fallback: (any Error) async throws -> Success
  ) async throws -> Success {
    let failure: any Error
    do {
      let graded = try await execute(Execution()) { _ in
        let value = try await operation()
        let outcome = Outcome(ofValueThatFails: failingWhen(value))
        return Graded(value, outcome: outcome)
      }
      // A caller that gave up gets what there is.
      if Task.isCancelled || graded.outcome != .failure { return graded.value }
      failure = FailedResultError()
    } catch {
      if Task.isCancelled { throw error }
      failure = error
    }
    // Asking whether the task is cancelled, on both ways here, also keeps the caller's actor: on
    // 6.3.1 it is lost between an await and the call of a closure if nothing synchronous happens
    // between them.
    return try await fallback(failure)
  }

  /// Runs the operation under this policy, where the caller is, and tells it which attempt it is;
  /// the fallback answers if it is refused or fails.
  ///
  /// - Parameters:
  ///   - operation: what to run; it keeps the caller's isolation.
  ///   - failingWhen: whether a returned value counts as a failure. Asked once for each value; by
  ///     default no value does.
  ///   - fallback: answers instead, and may throw an error of its own. It is given whatever the
  ///     operation threw, also what the policy does not count as a failure; the policy's
  ///     ``RejectionError``; or a ``FailedResultError`` for a value that counts as a failure.
  ///     `switch` over the error, and throw it again where there is no other answer. Not asked if
  ///     the caller's task is cancelled.
  /// - Returns: what the operation returned, or the fallback; if the caller's task is cancelled,
  ///   also a value that counts as a failure.
  /// - Throws: what the fallback throws; or the error itself if the caller's task is cancelled.
  @inlinable
  public func run<Success: ~Copyable>(
    _ operation: (Execution) async throws -> Success,
    failingWhen: (borrowing Success) -> Bool = { _ in false },
    fallback: (any Error) async throws -> Success
  ) async throws -> Success {
    let failure: any Error
    do {
      let graded = try await execute(Execution()) { execution in
        let value = try await operation(execution)
        let outcome = Outcome(ofValueThatFails: failingWhen(value))
        return Graded(value, outcome: outcome)
      }
      if Task.isCancelled || graded.outcome != .failure { return graded.value }
      failure = FailedResultError()
    } catch {
      if Task.isCancelled { throw error }
      failure = error
    }
    // The caller's actor is kept as above.
    return try await fallback(failure)
  }
}

extension ConcurrentPolicy {
  /// Runs the operation under this policy, which may run it more than once, and more than once at
  /// a time.
  ///
  /// - Parameters:
  ///   - operation: what to run.
  ///   - failingWhen: whether a returned value counts as a failure. Asked once for each value; by
  ///     default no value does.
  /// - Returns: what the operation returned, also if it counts as a failure.
  /// - Throws: what the operation throws, as it is; a ``RejectionError``, in which case the
  ///   operation did not run; or what the policy throws in its place, such as a ``TimeoutError``.
  @inlinable
  public func run<Success: Sendable>(
    _ operation: @escaping @Sendable () async throws -> Success,
    failingWhen: @escaping @Sendable (Success) -> Bool = { _ in false }
  ) async throws -> Success {
    try await run({ _ in try await operation() }, failingWhen: failingWhen)
  }

  /// Runs the operation under this policy, which may run it more than once, and more than once at
  /// a time.
  ///
  /// - Parameters:
  ///   - operation: what to run; it is told which attempt and which hedge it is.
  ///   - failingWhen: whether a returned value counts as a failure. Asked once for each value; by
  ///     default no value does.
  /// - Returns: what the operation returned, also if it counts as a failure.
  /// - Throws: what the operation throws, as it is; a ``RejectionError``, in which case the
  ///   operation did not run; or what the policy throws in its place, such as a ``TimeoutError``.
  @inlinable
  public func run<Success: Sendable>(
    _ operation: @escaping @Sendable (Execution) async throws -> Success,
    failingWhen: @escaping @Sendable (Success) -> Bool = { _ in false }
  ) async throws -> Success {
    try await execute(
      Execution(),
      concurrently: { execution in
        let value = try await operation(execution)
        return Graded(value, outcome: Outcome(ofValueThatFails: failingWhen(value)))
      }
    ).value
  }

  /// Runs the operation under this policy, which may run it more than once, and more than once at
  /// a time; the fallback answers if it is refused or fails.
  ///
  /// - Parameters:
  ///   - operation: what to run.
  ///   - failingWhen: whether a returned value counts as a failure. Asked once for each value; by
  ///     default no value does.
  ///   - fallback: answers instead, where the caller is, and may throw an error of its own. Not
  ///     asked if the caller's task is cancelled.
  /// - Returns: what the operation returned, or the fallback.
  /// - Throws: what the fallback throws; or the error itself if the caller's task is cancelled.
  @inlinable
  public func run<Success: Sendable>(
    _ operation: @escaping @Sendable () async throws -> Success,
    failingWhen: @escaping @Sendable (Success) -> Bool = { _ in false },
    fallback: (any Error) async throws -> Success
  ) async throws -> Success {
    try await run({ _ in try await operation() }, failingWhen: failingWhen, fallback: fallback)
  }

  /// Runs the operation under this policy, which may run it more than once, and more than once at
  /// a time; the fallback answers if it is refused or fails.
  ///
  /// - Parameters:
  ///   - operation: what to run; it is told which attempt and which hedge it is.
  ///   - failingWhen: whether a returned value counts as a failure. Asked once for each value; by
  ///     default no value does.
  ///   - fallback: answers instead, where the caller is, and may throw an error of its own. Not
  ///     asked if the caller's task is cancelled.
  /// - Returns: what the operation returned, or the fallback.
  /// - Throws: what the fallback throws; or the error itself if the caller's task is cancelled.
  @inlinable
  public func run<Success: Sendable>(
    _ operation: @escaping @Sendable (Execution) async throws -> Success,
    failingWhen: @escaping @Sendable (Success) -> Bool = { _ in false },
    fallback: (any Error) async throws -> Success
  ) async throws -> Success {
    let failure: any Error
    do {
      let graded = try await execute(
        Execution(),
        concurrently: { execution in
          let value = try await operation(execution)
          return Graded(value, outcome: Outcome(ofValueThatFails: failingWhen(value)))
        })
      if Task.isCancelled || graded.outcome != .failure { return graded.value }
      failure = FailedResultError()
    } catch {
      if Task.isCancelled { throw error }
      failure = error
    }
    // The caller's actor is kept as above.
    return try await fallback(failure)
  }
}
