extension Outcome {
  /// What an error thrown by an operation means, unless somebody knows better.
  ///
  /// - A ``RejectionError`` is ``ignored``: a policy inside refused, the operation did not run.
  /// - A `CancellationError`, and every error thrown while the task is cancelled, is ``ignored``
  ///   if somebody gave up on the call, but a ``failure`` if ``Deadline/current`` has passed: then
  ///   the dependency did not answer in time.
  /// - Everything else is a ``failure``; a ``TimeoutError`` too.
  ///
  /// > Note: A client that answers its own shutdown with `CancellationError` looks like a caller
  /// > that gave up; a policy's `classify:` can tell them apart.
  public init(classifying error: any Error) {
    self.init(classifying: error, hint: error as? any RetryAfterHint, by: nil)
  }

  /// The same, after a caller's classification, which is asked about everything but a call that
  /// its own caller cancelled.
  ///
  /// - Parameter hint: the error, if it is one; rejections are found among them, so that an error
  ///   is cast once.
  init(
    classifying error: any Error, hint: (any RetryAfterHint)?,
    by classify: (@Sendable (any Error) -> Outcome?)?
  ) {
    if Task.isCancelled, !Deadline.hasPassed {
      self = .ignored
    } else if let outcome = classify?(error) {
      self = outcome
    } else if let hint, hint is any RejectionError {
      self = .ignored
    } else if error is CancellationError, !Deadline.hasPassed {
      self = .ignored
    } else {
      self = .failure
    }
  }

  /// What a returned value means: one that counts as a failure says nothing about the dependency if
  /// its caller gave up on the call.
  @inlinable
  init(ofValueThatFails isFailure: Bool) {
    self = isFailure ? .ofFailingValue : .success
  }

  @usableFromInline
  static var ofFailingValue: Outcome {
    Task.isCancelled && !Deadline.hasPassed ? .ignored : .failure
  }
}
