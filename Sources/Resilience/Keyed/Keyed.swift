/// One policy for each key: each host, shard or tenant, made when its key first comes.
///
/// A dependency seldom fails as a whole. One breaker for ten shards opens for all of them when one
/// fails, or for none; one for each shard refuses what the dead one would have got, and nothing else.
///
/// ```swift
/// let breakers = Keyed<String, CircuitBreaker>(capacity: 10_000) { host in
///   CircuitBreaker(host)
/// }
///
/// let page = try await breakers["shard-7"].run { try await fetch("shard-7/index") }
/// ```
///
/// Keys may come from outside and be without number, so the collection is bounded. Beyond `capacity`
/// the least recently used policy leaves that may: none that somebody holds strongly, that has calls in
/// flight, or whose ``Evictable/isEvictable`` says no, such as an open circuit. So a key has never two policies
/// at once, and a policy that comes back new has forgotten nothing that matters. While too many cannot
/// leave, there are more than `capacity`.
///
/// Cost: a look into a dictionary under a lock, and another when the policy is made. Keys are hashed
/// and compared under the lock, and policies asked there whether they may leave; `make` is called
/// outside of it.
public final class Keyed<Key: Hashable & Sendable, Policy: Evictable>: Sendable {
  /// How many policies there are before one must leave.
  public let capacity: Int

  private let make: @Sendable (Key) -> Policy
  private let registry: Lock<Registry>

  /// A collection that is empty.
  ///
  /// A capacity that cannot work stops the program, in debug and release.
  ///
  /// - Parameters:
  ///   - capacity: how many policies there are before one must leave; at least 1, 10 000 by default.
  ///   - make: makes the policy for a key. May be called by two threads at once for one key; only one
  ///     of what they make is kept.
  public init(capacity: Int = 10_000, _ make: @escaping @Sendable (Key) -> Policy) {
    var validation = Validation()
    validation.require(capacity >= 1, "capacity", is: capacity, allowed: "1...")
    do { try validation.finish() } catch { stop(misconfigured: "Keyed", error) }
    self.capacity = capacity
    self.make = make
    registry = Lock(Registry(capacity: capacity))
  }

  /// The policy of a key, made now if there is none.
  public subscript(key: Key) -> Policy {
    if let policy = existing(key) { return policy }
    // Made outside the lock: it runs code of the user's. Who comes second drops what he made.
    let made = make(key)
    let (policy, evicted) = registry.withLock { $0.insert(made, for: key) }
    // They end here, outside the lock: their end may deliver events.
    _ = consume evicted
    return policy
  }

  /// The policy of a key, if there is one; this counts as a use.
  public func existing(_ key: Key) -> Policy? {
    registry.withLock { $0.use(key) }
  }

  /// The keys and their policies at one moment, the least recently used first; those that were to leave
  /// and could not count as used then. Passive: it is no use of any. Copies them all: for metrics.
  public func all() -> [(key: Key, policy: Policy)] {
    registry.withLock { $0.all() }
  }

  /// The collection at one moment. Passive; costs a lock.
  public func snapshot() -> KeyedSnapshot {
    registry.withLock {
      KeyedSnapshot(count: $0.count, capacity: capacity, made: $0.made, evicted: $0.evicted)
    }
  }
}

/// A ``Keyed`` collection at one moment.
public struct KeyedSnapshot: Hashable, Sendable {
  /// How many policies there are.
  public let count: Int

  /// How many there are before one must leave.
  public let capacity: Int

  /// How many came in the collection's whole life.
  public let made: Int

  /// How many have left it.
  public let evicted: Int
}
