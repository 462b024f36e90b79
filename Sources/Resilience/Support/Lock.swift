import Synchronization

/// A mutex around its state, whose edges the thread sanitizer can see.
///
/// `Mutex` alone is enough for correctness, but its slow path lives in a library that is not
/// instrumented, so the sanitizer reports data under a contended mutex as a race. The atomic edge
/// (acquired on entry, released on exit) tells it what the mutex already guarantees; without
/// contention it costs less than a nanosecond.
package struct Lock<State>: ~Copyable, Sendable {
  private let mutex: Mutex<State>
  private let edge = Atomic<Bool>(false)

  package init(_ state: consuming sending State) {
    mutex = Mutex(state)
  }

  package func withLock<Result: ~Copyable, Failure: Error>(
    _ body: (inout sending State) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result {
    try mutex.withLock { state throws(Failure) in
      _ = edge.load(ordering: .acquiring)
      defer { edge.store(true, ordering: .releasing) }
      return try body(&state)
    }
  }
}
