/// Something that a ``Keyed`` collection may have to part with.
///
/// The policies of this package that keep state of their own conform. Conform a class of yours to have
/// one of it for each key, a composition of several policies for instance: it may leave when all of
/// them may.
public protocol Evictable: AnyObject, Sendable {
  /// Whether it can be forgotten now, and a new one be made in its place when its key comes again,
  /// without harm: no call is in flight, nobody waits in it, and it does not protect anybody.
  ///
  /// Read under the collection's lock: it must not call back into the collection.
  var isEvictable: Bool { get }
}

extension CircuitBreaker: Evictable {
  /// Whether the circuit is closed, or would let a probe pass, and no call is in flight.
  ///
  /// A breaker that a person has set to a state never is.
  public var isEvictable: Bool {
    let snapshot = snapshot()
    guard snapshot.running == 0 else { return false }
    return snapshot.state == .closed || snapshot.state == .halfOpen
  }
}

extension RetryBudget: Evictable {
  /// Whether there are as many tokens as a new budget has.
  public var isEvictable: Bool { snapshot().tokens >= Double(minimumCapacity) }
}

extension AbandoningTimeout: Evictable {
  /// Whether no abandoned operation goes on.
  public var isEvictable: Bool { snapshot().abandoned == 0 }
}
