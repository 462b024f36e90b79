extension Bulkhead {
  /// Asks for a place, for callers that cannot wrap their work in
  /// ``ResiliencePolicy/run(_:failingWhen:)-(()->Success,_)``.
  ///
  /// ```swift
  /// guard let permit = bulkhead.tryAcquire() else { return .serviceUnavailable }
  /// let reply = try await send(request)
  /// permit.release()
  /// return reply
  /// ```
  ///
  /// - Returns: a permit that holds the place; `nil` if there is no room, or others wait for it.
  public func tryAcquire() -> Permit? {
    enter() ? Permit(self) : nil
  }

  /// Waits for a place, as long as the bulkhead lets calls wait.
  ///
  /// - Returns: a permit that holds the place.
  /// - Throws: a ``BulkheadFullError``; a `CancellationError` if the task was cancelled while it
  ///   waited, or before it began to.
  public func acquire() async throws -> Permit {
    if let ticket = try admit() {
      try await wait(with: ticket)
      if Task.isCancelled { throw renounce() }
    }
    return Permit(self)
  }

  /// A place in a bulkhead.
  ///
  /// It is given back exactly once: the compiler refuses a second ``release()``, and a permit that is
  /// dropped, by an error for instance, gives its place back then.
  ///
  /// > Important: A permit without a name (`guard let _ = bulkhead.tryAcquire()`) is dropped at
  /// > once, and guards nothing. Name it, and make ``release()`` the last line of the work.
  ///
  /// A closure that escapes cannot consume a permit. To hand one to another task, put it in a box:
  ///
  /// ```swift
  /// let box = Mutex<Bulkhead.Permit?>(permit)
  /// Task {
  ///   await work()
  ///   box.withLock { $0.take() }?.release()
  /// }
  /// ```
  public struct Permit: ~Copyable, Sendable {
    private let bulkhead: Bulkhead

    init(_ bulkhead: Bulkhead) { self.bulkhead = bulkhead }

    /// Gives the place back; the same as dropping the permit, and as a last line the reason that it is
    /// not dropped earlier.
    public consuming func release() {}

    deinit { bulkhead.leave() }
  }
}
