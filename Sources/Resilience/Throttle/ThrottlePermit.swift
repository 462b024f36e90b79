extension Throttle {
  /// Asks whether a call may pass, for callers that cannot wrap it in
  /// ``ResiliencePolicy/run(_:failingWhen:)-(()->Success,_)``.
  ///
  /// ```swift
  /// guard let permit = throttle.tryAcquire() else { return .serviceUnavailable }
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
    guard let criticality = try? admit() else { return nil }
    return Permit(self, criticality)
  }

  /// The right to make one call, and the duty to say how it ended.
  ///
  /// It reports exactly once: the compiler refuses a second report, and a permit that is dropped
  /// reports that its call is ignored.
  ///
  /// > Important: A permit without a name (`guard let _ = throttle.tryAcquire()`) is dropped at
  /// > once.
  public struct Permit: ~Copyable, Sendable {
    private let throttle: Throttle
    private let criticality: Criticality

    /// What is still to be reported; `nil` once it is.
    private var outcome: Outcome? = .ignored

    init(_ throttle: Throttle, _ criticality: Criticality) {
      self.throttle = throttle
      self.criticality = criticality
    }

    /// The call succeeded.
    public consuming func succeed() {
      outcome = .success
    }

    /// The call failed.
    public consuming func fail() {
      outcome = .failure
    }

    /// The call threw an error, which is classified as if ``Throttle`` had run the call: a caller
    /// that cancelled is no failure.
    ///
    /// Whether the caller cancelled is asked of the current task, and so is its deadline: report on
    /// the task that made the call. Elsewhere decide yourself, between ``fail()`` and
    /// ``ignore()``.
    ///
    /// - Parameter error: what the call threw.
    public consuming func end(throwing error: any Error) {
      throttle.record(error, of: criticality)
      outcome = nil
    }

    /// The call says nothing about the dependency; the same as dropping the permit.
    public consuming func ignore() {}

    deinit {
      if let outcome { throttle.record(outcome, of: criticality) }
    }
  }
}
