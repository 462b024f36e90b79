extension AdaptiveLimiter.Ending {
  /// What a value means, by its grade: one that counts as a failure is an ordinary failure.
  init(_ outcome: Outcome) {
    self = outcome == .success ? .success : .other
  }

  /// What a thrown error means.
  ///
  /// Overload shows in time that has passed and in words: a ``TimeoutError``, anything thrown once
  /// ``Deadline/current`` has passed during the call, and a reply that says when to come back. Who fails
  /// fast is not slow, and a policy inside that refuses has not asked the dependency at all.
  ///
  /// - Parameter isOverload: the caller's own judgement, which is asked about everything but a call
  ///   that its own caller cancelled.
  /// - Parameter latency: how long the call took, in nanoseconds.
  init(
    throwing error: any Error, after latency: @autoclosure () -> Int64,
    overloaded isOverload: (@Sendable (any Error) -> Bool)?
  ) {
    // Compared as a type first: that is a nanosecond, a cast to a protocol eighty.
    if isOverload == nil, type(of: error) == LimitReachedError.self {
      self = .other
      return
    }
    let overdue = Deadline.current?.overdue ?? -1
    let isLate = overdue >= 0 && overdue < latency()
    if Task.isCancelled, !isLate {
      self = .other
    } else if let isOverload {
      self = isOverload(error) ? .overload : .other
    } else {
      self = Self.isOverload(error, isLate: isLate) ? .overload : .other
    }
  }

  private static func isOverload(_ error: any Error, isLate: Bool) -> Bool {
    if error is TimeoutError { return true }
    let hint = error as? any RetryAfterHint
    if let hint, hint is any RejectionError { return false }
    return isLate || hint?.retryAfter != nil
  }
}
