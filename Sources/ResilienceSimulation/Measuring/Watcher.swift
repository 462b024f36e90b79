import Resilience
import ResilienceTesting

/// Tells the journal what the circuit breakers of one client do.
struct Watcher: ResilienceObserver {
  let client: Int
  let hop: Int
  let clock: VirtualClock
  let journal: Journal

  func observe(_ event: any ResilienceEvent) {
    guard let event = event as? CircuitBreaker.Event, case .stateChanged(let change) = event.kind
    else { return }
    journal.changed(change, of: "\(hop)/\(client)/\(event.policy)", client, at: clock.now)
  }
}
