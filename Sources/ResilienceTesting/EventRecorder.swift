public import Resilience

/// An observer that keeps the events it receives, in their order.
///
/// ```swift
/// let events = EventRecorder()
/// let breaker = CircuitBreaker("users", observers: [events])
/// breaker.trip()
/// #expect(events.events(of: CircuitBreaker.Event.self).count == 1)
/// ```
public final class EventRecorder: ResilienceObserver {
  private struct State {
    var events: [any ResilienceEvent] = []
    var arrivals = Arrivals()
  }

  private let state = Lock(State())

  /// Makes a recorder that has seen nothing.
  public init() {}

  /// What has been received since the start or the last ``clear()``.
  public var events: [any ResilienceEvent] {
    state.withLock { $0.events }
  }

  /// The events as lines for a log.
  public var descriptions: [String] {
    events.map { $0.description }
  }

  /// The events of one type.
  public func events<Event: ResilienceEvent>(of type: Event.Type) -> [Event] {
    events.compactMap { $0 as? Event }
  }

  /// Forgets what has been received.
  public func clear() {
    state.withLock { $0.events = [] }
  }

  /// Keeps the event.
  public func observe(_ event: any ResilienceEvent) {
    let arrived = state.withLock { state in
      state.events.append(event)
      return state.arrivals.take(reached: state.events.count)
    }
    for waiter in arrived { waiter.resume() }
  }

  /// Waits until at least `count` events have been received since the start or the last
  /// ``clear()``. Returns early if the task is cancelled.
  public func events(atLeast count: Int) async {
    let id = state.withLock { $0.arrivals.nextID() }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        // The cancellation handler takes the same lock: either it finds the waiter, or the waiter
        // finds the flag.
        let isWaiting = state.withLock { state in
          if Task.isCancelled || state.events.count >= count { return false }
          state.arrivals.add(continuation, id, waitingFor: count)
          return true
        }
        if !isWaiting { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.arrivals.remove(id) }?.resume()
    }
  }
}
