import Resilience

/// The answer that a client waits for; the client may hang up before it comes.
final class Reply: Sendable {
  private enum State: Sendable {
    case unasked
    case awaited(CheckedContinuation<Result<Void, any Error>, Never>)
    case over(Result<Void, any Error>)
  }

  private let state = Lock(State.unasked)

  /// Whether nobody waits any more.
  var isOver: Bool {
    state.withLock { if case .over = $0 { true } else { false } }
  }

  /// Ends the wait, unless it has ended.
  ///
  /// - Returns: whether somebody was still waiting for it.
  @discardableResult
  func end(_ result: Result<Void, any Error>) -> Bool {
    let (isFirst, continuation) = state.withLock {
      state -> (Bool, CheckedContinuation<Result<Void, any Error>, Never>?) in
      switch state {
      case .over: return (false, nil)
      case .unasked:
        state = .over(result)
        return (true, nil)
      case .awaited(let continuation):
        state = .over(result)
        return (true, continuation)
      }
    }
    continuation?.resume(returning: result)
    return isFirst
  }

  /// Waits for the answer.
  ///
  /// - Throws: what the service answers; or `CancellationError`, at once, if the client hangs up.
  func value() async throws {
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        // Resumed exactly once: by whoever ends it, who finds it under the lock; or here.
        let result = state.withLock { state -> Result<Void, any Error>? in
          if case .over(let result) = state { return result }
          state = .awaited(continuation)
          return nil
        }
        if let result { continuation.resume(returning: result) }
      }
    } onCancel: {
      end(.failure(CancellationError()))
    }
    try result.get()
  }
}
