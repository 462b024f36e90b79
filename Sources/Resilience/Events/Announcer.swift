/// Hands events to the observers of a policy: in order, each once, outside any lock.
///
/// For policies whose events are made outside their own lock, in no order that matters. Without
/// observers an event costs nothing: it is not even made.
package struct Announcer<Event: ResilienceEvent>: ~Copyable, Sendable {
  private let observers: [any ResilienceObserver]
  private let outbox = Lock(Outbox<Event>())

  package init(to observers: [any ResilienceObserver]) {
    self.observers = observers
  }

  /// Whether anybody is told: without observers there is no need to make an event.
  package var isObserved: Bool { !observers.isEmpty }

  package func announce(_ event: @autoclosure () -> Event) {
    guard isObserved else { return }
    let event = event()
    let mustDeliver = outbox.withLock { outbox in
      outbox.add(event)
      return outbox.beginTurn()
    }
    if mustDeliver { deliver(atMost: Outbox<Event>.turn) }
  }

  /// Gives an event its place in the order, for whoever delivers next: where no observer may be
  /// called, because a lock is held or a timer fires.
  package func prepare(_ event: @autoclosure () -> Event) {
    guard isObserved else { return }
    let event = event()
    outbox.withLock { $0.add(event) }
  }

  /// Delivers what waits, if nobody does.
  package func deliver() {
    guard isObserved, outbox.withLock({ $0.beginTurn() }) else { return }
    deliver(atMost: Outbox<Event>.turn)
  }

  private func deliver(atMost most: Int) {
    var left = most
    while true {
      let batch = outbox.withLock { $0.next(atMost: left) }
      if batch.isEmpty { return }
      left -= batch.count
      for event in batch {
        for observer in observers { observer.observe(event) }
      }
    }
  }

  // Nobody touches the policy any more: what earlier turns have left is delivered now.
  deinit { deliver(atMost: .max) }
}
