/// Something that happened in a policy.
///
/// Each policy has its own event type; ``CircuitBreaker/Event`` is the circuit breaker's. The
/// description is one line for a log.
public protocol ResilienceEvent: Sendable, CustomStringConvertible {
  /// The name of the policy it happened in.
  var policy: String { get }
}

/// Receives what happens in the policies it was given to at their construction.
///
/// Events arrive outside any lock, on a task that is using the policy, one at a time for each
/// policy. An observer may call back into the policy; what that causes is delivered after the callback
/// has returned.
///
/// Return soon, and hand work that takes long to a task of your own: a caller delivers at most 64
/// events before it goes on, the others' too, and none is dropped, so an observer that is slower than
/// the traffic lets the events that wait for it grow without bound.
public protocol ResilienceObserver: Sendable {
  /// Called once for every event.
  func observe(_ event: any ResilienceEvent)
}
