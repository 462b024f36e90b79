extension CircuitBreaker {
  /// Asks whether a call may pass, for callers that cannot wrap it in
  /// ``ResiliencePolicy/run(_:failingWhen:)-(()->Success,_)``.
  ///
  /// ```swift
  /// guard let permit = breaker.tryAcquire() else { return .serviceUnavailable }
  /// do {
  ///   let reply = try await send(request)
  ///   permit.succeed()
  ///   return reply
  /// } catch {
  ///   permit.end(throwing: error)
  ///   throw error
  /// }
  /// ```
  ///
  /// - Returns: a permit that must report how the call ended; `nil` if the call is refused.
  public func tryAcquire() -> Permit? {
    guard let admission = try? admit() else { return nil }
    return Permit(self, admission)
  }

  /// The right to make one call, and the duty to say how it ended.
  ///
  /// It reports exactly once: the compiler refuses a second report, and a permit that is dropped
  /// reports that its call is ignored and gives back its place.
  ///
  /// > Important: A permit without a name (`guard let _ = breaker.tryAcquire()`) is dropped at
  /// > once.
  ///
  /// A closure that escapes cannot consume a permit. To hand one to another task, put it in a box:
  ///
  /// ```swift
  /// let box = Mutex<CircuitBreaker.Permit?>(permit)
  /// Task {
  ///   await work()
  ///   box.withLock { $0.take() }?.succeed()
  /// }
  /// ```
  public struct Permit: ~Copyable, Sendable {
    private let breaker: CircuitBreaker
    private let admission: Admission

    /// What is still to be reported; `nil` once it is.
    private var outcome: Outcome? = .ignored

    init(_ breaker: CircuitBreaker, _ admission: Admission) {
      self.breaker = breaker
      self.admission = admission
    }

    /// The call succeeded.
    public consuming func succeed() {
      outcome = .success
    }

    /// The call failed.
    ///
    /// - Parameter error: what it failed with, for observers and for its ``RetryAfterHint``. It
    ///   is not classified: the permit's holder has decided.
    public consuming func fail(_ error: (any Error)? = nil) {
      breaker.recordLocked(.failure, error, hint: error as? any RetryAfterHint, of: admission)
      outcome = nil
    }

    /// The call threw an error, which is classified as if ``CircuitBreaker`` had run the call: a
    /// caller that cancelled is no failure.
    ///
    /// Whether the caller cancelled is asked of the current task, and so is its deadline: report on
    /// the task that made the call. Elsewhere decide yourself, between ``fail(_:)`` and
    /// ``ignore()``.
    ///
    /// - Parameter error: what the call threw.
    public consuming func end(throwing error: any Error) {
      breaker.record(error, of: admission)
      outcome = nil
    }

    /// The call says nothing about the dependency; the same as dropping the permit.
    public consuming func ignore() {}

    deinit {
      if let outcome { breaker.record(outcome, of: admission) }
    }
  }
}
