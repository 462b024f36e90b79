/// The operation did not end within its limit and was cancelled.
struct TimeLimitExceeded: Error {
  let limit: Duration
}

/// Runs the operation, and cancels it when the limit has passed.
///
/// URLSession's own timeout will not do on Linux: it drops the fraction of a second, so 1.5 s means
/// 1 s, and 0.25 s fails at once.
func within<Value: Sendable>(
  _ limit: Duration, _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
  try await withThrowingTaskGroup(of: Value.self) { group in
    group.addTask { try await operation() }
    group.addTask {
      try await Task.sleep(for: limit)
      throw TimeLimitExceeded(limit: limit)
    }
    defer { group.cancelAll() }
    guard let first = try await group.next() else { throw CancellationError() }
    return first
  }
}
