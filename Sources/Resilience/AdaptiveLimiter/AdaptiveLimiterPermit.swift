extension AdaptiveLimiter {
  /// Asks whether a call may pass, for callers that cannot wrap it in
  /// ``ResiliencePolicy/run(_:failingWhen:)-(()->Success,_)``: a server that limits what it takes
  /// on, for one.
  ///
  /// ```swift
  /// guard let permit = limiter.tryAcquire() else { return Response(status: 503) }
  /// do {
  ///   let response = try await handle(request)
  ///   permit.succeed()
  ///   return response
  /// } catch {
  ///   permit.end(throwing: error)
  ///   throw error
  /// }
  /// ```
  ///
  /// - Returns: a permit that must report how the call ended; `nil` if the call is refused.
  public func tryAcquire() -> Permit? {
    guard case .admitted(let admission) = decide() else { return nil }
    return Permit(self, admission)
  }

  /// The right to make one call, and the duty to say how it ended.
  ///
  /// It reports exactly once: the compiler refuses a second report, and a permit that is dropped
  /// gives back its place and changes nothing else.
  ///
  /// > Important: A permit without a name (`guard let _ = limiter.tryAcquire()`) is dropped at
  /// > once.
  ///
  /// A closure that escapes cannot consume a permit; see ``CircuitBreaker/Permit`` for how to hand
  /// one to another task.
  public struct Permit: ~Copyable, Sendable {
    private let limiter: AdaptiveLimiter
    private let admission: Admission
    private var ending = Ending.other
    private var error: (any Error)?

    init(_ limiter: AdaptiveLimiter, _ admission: Admission) {
      self.limiter = limiter
      self.admission = admission
    }

    /// The call was answered. The time until now is its latency.
    public consuming func succeed() {
      ending = .success
    }

    /// The call met overload: no answer in time, or one that says there is too much to do. (A call
    /// that failed otherwise is to ``ignore()``.)
    ///
    /// - Parameter error: what it failed with, for observers. It is not judged: the permit's holder
    ///   has decided.
    public consuming func drop(_ error: (any Error)? = nil) {
      ending = .overload
      self.error = error
    }

    /// The call threw an error, which is judged as if ``AdaptiveLimiter`` had run the call.
    ///
    /// Whether the caller cancelled is asked of the current task, and so is its deadline: report on
    /// the task that made the call. Elsewhere decide yourself, between ``drop(_:)`` and
    /// ``ignore()``.
    ///
    /// - Parameter error: what the call threw.
    public consuming func end(throwing error: any Error) {
      ending = limiter.ending(of: error, in: admission)
      self.error = error
    }

    /// The call says nothing about how much the dependency can do: it failed for another reason, or
    /// nobody waited for it. The same as dropping the permit.
    public consuming func ignore() {}

    deinit { limiter.end(admission, ending, error) }
  }
}
