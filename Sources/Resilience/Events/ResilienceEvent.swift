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
/// policy: return soon, and hand work that takes long to a task of your own. An observer may call
/// back into the policy; what that causes is delivered after the callback has returned.
public protocol ResilienceObserver: Sendable {
  /// Called once for every event.
  func observe(_ event: any ResilienceEvent)
}
