import Synchronization

/// A mutex around its state, whose edges the thread sanitizer can see.
///
/// `Mutex` alone is enough for correctness, but its slow path lives in a library that is not
/// instrumented, so the sanitizer reports data under a contended mutex as a race. The atomic edge
/// (acquired on entry, released on exit) tells it what the mutex already guarantees; without
/// contention it costs less than a nanosecond.
///
/// Generic code that is not public is not specialized in another module, and unspecialized this takes
/// ten times as long: `ResilienceTesting` and `ResilienceSimulation` compile this file once more, by a
/// link to it.
package struct Lock<State>: ~Copyable, Sendable {
  private let mutex: Mutex<State>
  private let edge = Atomic<Bool>(false)

  package init(_ state: consuming sending State) {
    mutex = Mutex(state)
  }

  /// Not inlined: the mutex asks which thread this is, and inlined into an asynchronous function the
  /// optimizer may keep the answer across a suspension; then the mutex stops the program, because
  /// another thread unlocks it. (It does so on 6.3.1 in release, where a clock sleeps.)
  @inline(never)
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
