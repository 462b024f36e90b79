extension CircuitBreaker {
  /// The changes of this breaker's state from now on, in order, each once.
  ///
  /// A reader that does not keep up loses the oldest when more than 64 changes wait for it;
  /// ``StateChange/missed`` of the next one says how many. The sequence ends with the breaker. It
  /// has one reader: read the property once for each.
  public var stateChanges: StateChanges {
    let (stream, continuation) = AsyncStream.makeStream(
      of: StateChange.self, bufferingPolicy: .bufferingNewest(64))
    let (number, generation) = shared.withLock { shared in
      (shared.subscribe(continuation), shared.core.generation)
    }
    // Nobody can have ended the stream yet: it leaves this function below.
    continuation.onTermination = { [weak self] _ in
      self?.shared.withLock { shared in shared.unsubscribe(number) }
    }
    return StateChanges(stream: stream, generation: generation)
  }

  /// The changes of a circuit breaker's state; see ``CircuitBreaker/stateChanges``.
  public struct StateChanges: AsyncSequence, Sendable {
    fileprivate let stream: AsyncStream<StateChange>
    fileprivate let generation: UInt64

    /// Reads the changes.
    public struct AsyncIterator: AsyncIteratorProtocol {
      fileprivate var base: AsyncStream<StateChange>.AsyncIterator
      fileprivate var generation: UInt64

      /// The next change; `nil` when the breaker is gone or the task is cancelled.
      public mutating func next() async -> StateChange? {
        await next(isolation: #isolation)
      }

      /// The next change; `nil` when the breaker is gone or the task is cancelled.
      public mutating func next(isolation: isolated (any Actor)?) async -> StateChange? {
        guard var change = await base.next(isolation: isolation) else { return nil }
        change.missed = Int(clamping: change.generation - generation - 1)
        generation = change.generation
        return change
      }
    }

    /// Reads the changes; a sequence has one reader.
    public func makeAsyncIterator() -> AsyncIterator {
      AsyncIterator(base: stream.makeAsyncIterator(), generation: generation)
    }
  }

  /// A reader of ``stateChanges``.
  struct Subscriber: Sendable {
    let number: Int
    let since: UInt64
    private let continuation: AsyncStream<StateChange>.Continuation

    init(number: Int, since: UInt64, _ continuation: AsyncStream<StateChange>.Continuation) {
      self.number = number
      self.since = since
      self.continuation = continuation
    }

    /// Takes a change, unless it happened before the subscription and was only announced late.
    func receive(_ change: StateChange) {
      if change.generation > since { continuation.yield(change) }
    }

    func finish() {
      continuation.finish()
    }
  }
}

extension CircuitBreaker.Shared {
  fileprivate mutating func subscribe(
    _ continuation: AsyncStream<CircuitBreaker.StateChange>.Continuation
  ) -> Int {
    let number = (subscribers.last?.number ?? 0) + 1
    subscribers.append(.init(number: number, since: core.generation, continuation))
    return number
  }

  fileprivate mutating func unsubscribe(_ number: Int) {
    subscribers.removeAll { $0.number == number }
  }
}
