/// A call with a time limit: its body runs in a child task, while the caller's task waits for the
/// body's end or the timer, whichever comes first.
@available(macOS 26, iOS 26, tvOS 26, watchOS 26, visionOS 26, *)
final class TimedCall: TimerTarget {
  // `@safe`: the continuation in it is taken out, under the lock, before it is resumed.
  @safe
  private enum Phase: Sendable {
    case running
    /// The caller waits.
    case parked(UnsafeContinuation<Bool, Never>)
    /// The body has ended, or the timer has fired; nobody waits any more.
    case over
  }

  private struct State: Sendable {
    var phase = Phase.running
    var failure: (any Error)?
  }

  private let state = Lock(State())

  /// What the body threw, once it has ended.
  var failure: (any Error)? { state.withLock { $0.failure } }

  /// Suspends the caller until the body has ended or the timer has fired.
  ///
  /// - Returns: whether the timer has fired.
  func park(until instant: Int64, on timers: Timers) async -> Bool {
    var timer: Timers.Token?
    // Resumed exactly once: the continuation stands in `phase`, and who finds it there takes it out
    // under the lock; or it is not put there, because the body has ended, and is resumed here. The
    // timer is set only after that, and its token is written before this closure returns, so before
    // the caller goes on.
    let hasFired = await unsafe withUnsafeContinuation { continuation in
      guard unsafe park(continuation) else { return unsafe continuation.resume(returning: false) }
      timer = timers.set(self, at: instant)
    }
    if !hasFired, let timer { timers.cancel(timer) }
    return hasFired
  }

  private func park(_ continuation: UnsafeContinuation<Bool, Never>) -> Bool {
    state.withLock { state in
      guard case .running = state.phase else { return false }
      state.phase = unsafe .parked(continuation)
      return true
    }
  }

  /// The body has ended.
  func end(_ failure: (any Error)?) {
    unsafe finish(failure)?.resume(returning: false)
  }

  func fire() {
    unsafe finish(nil)?.resume(returning: true)
  }

  private func finish(_ failure: (any Error)?) -> UnsafeContinuation<Bool, Never>? {
    unsafe state.withLock { state in
      if let failure { state.failure = failure }
      guard case .parked(let continuation) = state.phase else {
        // The timer does not fire before the caller is parked.
        state.phase = .over
        return nil
      }
      state.phase = .over
      return unsafe continuation
    }
  }
}
