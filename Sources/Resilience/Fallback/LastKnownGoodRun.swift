// The call sites: written out, one for each way to call, as those of the policies are.
//
// Every `ResiliencePolicy` is a `ConcurrentPolicy` too, and by their closures the compiler cannot rank
// the overloads; so the concurrent one says that it comes second.

extension LastKnownGood {
  /// Runs the operation under a policy, where the caller is; if it is refused or fails, what is
  /// remembered for the key answers instead.
  ///
  /// A value that counts as a success is remembered. Repeated attempts inside the policy are one
  /// call: its outcome is what leaves the policy.
  ///
  /// - Parameters:
  ///   - key: names everything that the answer depends on.
  ///   - policy: what the operation runs under, such as a circuit breaker or a pipeline.
  ///   - operation: what to run; it keeps the caller's isolation.
  ///   - failingWhen: whether a returned value counts as a failure, such as a response with status
  ///     503. Asked once for each value; by default no value does.
  /// - Returns: what the operation returned; or what is remembered, if the call was refused or
  ///   failed. A value that counts as a failure is returned as fresh if nothing is remembered, or
  ///   if the caller's task is cancelled.
  /// - Throws: what the operation or the policy throws, as it is, if nothing is remembered that is
  ///   young enough, if `classify:` says otherwise, or if the caller's task is cancelled.
  @inlinable
  public func run(
    _ key: Key,
    through policy: some ResiliencePolicy,
    _ operation: () async throws -> Value,
    failingWhen: (Value) -> Bool = { _ in false }
  ) async throws -> Answer {
    do {
      // In parentheses: a trailing closure could be the concurrent operation, too.
      let graded = try await policy.execute(
        Execution(),
        { _ in
          let value = try await operation()
          return Graded(value, outcome: Outcome(ofValueThatFails: failingWhen(value)))
        })
      return answer(to: graded, for: key)
    } catch {
      return try answer(to: error, for: key)
    }
  }

  /// Runs the operation under a policy that may run it more than once at a time; if it is refused or
  /// fails, what is remembered for the key answers instead.
  ///
  /// - Parameters:
  ///   - key: names everything that the answer depends on.
  ///   - policy: what the operation runs under.
  ///   - operation: what to run.
  ///   - failingWhen: whether a returned value counts as a failure. Asked once for each value; by
  ///     default no value does.
  /// - Returns: what the operation returned; or what is remembered, if the call was refused or
  ///   failed. A value that counts as a failure is returned as fresh if nothing is remembered, or
  ///   if the caller's task is cancelled.
  /// - Throws: what the operation or the policy throws, as it is, if nothing is remembered that is
  ///   young enough, if `classify:` says otherwise, or if the caller's task is cancelled.
  @_disfavoredOverload
  @inlinable
  public func run(
    _ key: Key,
    through policy: some ConcurrentPolicy,
    _ operation: @escaping @Sendable () async throws -> Value,
    failingWhen: @escaping @Sendable (Value) -> Bool = { _ in false }
  ) async throws -> Answer {
    do {
      let graded = try await policy.execute(
        Execution(),
        concurrently: { _ in
          let value = try await operation()
          return Graded(value, outcome: Outcome(ofValueThatFails: failingWhen(value)))
        })
      return answer(to: graded, for: key)
    } catch {
      return try answer(to: error, for: key)
    }
  }

  /// Runs the operation where the caller is; if it fails, what is remembered for the key answers
  /// instead.
  ///
  /// - Parameters:
  ///   - key: names everything that the answer depends on.
  ///   - operation: what to run; it keeps the caller's isolation, and may contain policies.
  ///   - failingWhen: whether a returned value counts as a failure. By default no value does.
  /// - Returns: what the operation returned; or what is remembered, if it failed. A value that
  ///   counts as a failure is returned as fresh if nothing is remembered, or if the caller's task
  ///   is cancelled.
  /// - Throws: what the operation throws, as it is, if nothing is remembered that is young enough,
  ///   if `classify:` says otherwise, or if the caller's task is cancelled.
  @inlinable
  public func run(
    _ key: Key,
    _ operation: () async throws -> Value,
    failingWhen: (Value) -> Bool = { _ in false }
  ) async throws -> Answer {
    do {
      let value = try await operation()
      let outcome = Outcome(ofValueThatFails: failingWhen(value))
      return answer(to: Graded(value, outcome: outcome), for: key)
    } catch {
      return try answer(to: error, for: key)
    }
  }
}
