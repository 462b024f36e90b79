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

  package func announce(_ event: @autoclosure () -> Event) {
    guard !observers.isEmpty else { return }
    let event = event()
    let mustDeliver = outbox.withLock { outbox in
      outbox.add(event)
      return outbox.beginTurn()
    }
    if mustDeliver { deliver(atMost: Outbox<Event>.turn) }
  }

  /// Delivers what earlier turns have left. For the policy's end: nobody touches it any more.
  package func finish() {
    deliver(atMost: .max)
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

  deinit { finish() }
}
