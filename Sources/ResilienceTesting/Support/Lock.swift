import Synchronization

/// The `Lock` of the core, once more. Generic code that is not public is not specialized in another
/// module, and on the way of every job and every timer that takes ten times as long.
struct Lock<State>: ~Copyable, Sendable {
  private let mutex: Mutex<State>
  /// Shows the thread sanitizer the edges of the mutex.
  private let edge = Atomic<Bool>(false)

  init(_ state: consuming sending State) {
    mutex = Mutex(state)
  }

  /// Not inlined: the mutex asks which thread this is, and inlined into an asynchronous function the
  /// optimizer keeps the answer across suspensions, after which the mutex stops the program because
  /// another thread unlocks it. See `ThreadIdentity`.
  @inline(never)
  func withLock<Result: ~Copyable, Failure: Error>(
    _ body: (inout sending State) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result {
    try mutex.withLock { state throws(Failure) in
      _ = edge.load(ordering: .acquiring)
      defer { edge.store(true, ordering: .releasing) }
      return try body(&state)
    }
  }
}
