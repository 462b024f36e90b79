/// A task that waits to be told something, by whoever comes first.
///
/// It may be told before it waits.
final class Waiter<Word: Sendable>: Sendable {
  private enum State: Sendable {
    case untold(CheckedContinuation<Word, Never>?)
    case told(Word)
  }

  private let state = Lock(State.untold(nil))

  /// Whether somebody has told it.
  var isTold: Bool {
    state.withLock { if case .told = $0 { true } else { false } }
  }

  /// Tells it, unless somebody has.
  ///
  /// - Parameter recording: what else to do if this is the first word, before the task goes on or
  ///   the next one who has something to tell learns that he is late. Runs under the waiter's lock.
  /// - Returns: whether this is the first word.
  @discardableResult
  func tell(_ word: Word, recording: () -> Void = {}) -> Bool {
    let (isFirst, continuation) = state.withLock { state in
      guard case .untold(let continuation) = state else {
        return (false, CheckedContinuation<Word, Never>?.none)
      }
      state = .told(word)
      recording()
      return (true, continuation)
    }
    continuation?.resume(returning: word)
    return isFirst
  }

  /// Waits for the word. Asked by one task, once; it is not ended by that task's cancellation.
  func word() async -> Word {
    // Resumed exactly once: by whoever tells, who finds it under the lock; or here, if that has
    // happened.
    await withCheckedContinuation { continuation in
      let word = state.withLock { state -> Word? in
        if case .told(let word) = state { return word }
        state = .untold(continuation)
        return nil
      }
      if let word { continuation.resume(returning: word) }
    }
  }
}
