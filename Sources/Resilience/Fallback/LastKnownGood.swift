/// Remembers good answers, and serves them again when the call is refused or fails.
///
/// An answer that may be stale says so, and how old it is: only the caller knows whether a price
/// from five minutes ago is better than none.
///
/// ```swift
/// let profiles = LastKnownGood<UserID, Profile>("profiles", maxAge: .seconds(3600))
///
/// let answer = try await profiles.run(id, through: breaker) {
///   try await users.profile(of: id)
/// }
/// switch answer {
/// case .fresh(let profile): show(profile)
/// case .stale(let profile, let age): show(profile, asOf: age)
/// }
/// ```
///
/// It is no cache: every call is made, and a value is served only where the caller would get an error
/// instead. By default it remembers 1000 values for 10 minutes; when it is full, the least recently
/// used one leaves. A value is used when it is remembered, served or recalled.
///
/// > Important: The key must name everything that the answer depends on, such as the user on whose
/// > behalf the call is made. What is remembered for a key is served to whoever asks for it.
///
/// If two calls for one key overlap, the one that completes later is remembered, so a key's value
/// never becomes older than it was. (Its answer may nevertheless have been made earlier: no clock
/// of the server's is known.)
///
/// Cost: every operation takes a lock; remembering and serving read the clock and take constant time.
/// Keys are hashed and compared, and a clock of your own is read, under the lock: they must not call
/// back. Values end their lives outside of it.
public final class LastKnownGood<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  /// An answer, and whether it is the call's own.
  public enum Answer: Sendable {
    /// What the call returned.
    case fresh(Value)

    /// What an earlier call returned; and how long ago that was, on a monotonic clock.
    case stale(Value, age: Duration)

    /// The answer, however old.
    public var value: Value {
      switch self {
      case .fresh(let value), .stale(let value, age: _): value
      }
    }
  }

  /// The name of the memory, for events and snapshots.
  public let name: String

  private let configuration: Configuration
  private let classify: (@Sendable (any Error) -> Outcome?)?
  private let source: TimeSource
  private let shared: Lock<Shared>
  private let announcer: Announcer<Event>

  /// A memory with settings given one by one.
  ///
  /// Settings that cannot work stop the program, in debug and release, with a message that names
  /// the parameter, the value and the allowed range.
  ///
  /// - Parameters:
  ///   - name: the name of the memory, for events and snapshots.
  ///   - capacity: how many values are remembered at most; 1000 by default. Memory is taken as it is
  ///     needed.
  ///   - maxAge: how old a value may be to be served; 10 minutes by default. At exactly this age it
  ///     still is. More than 292 years are held at that.
  ///   - classify: what an error means. For a ``Outcome/failure`` what is remembered is served. A
  ///     ``Outcome/success`` is an answer, such as that there is no such user: it is thrown, and what
  ///     was remembered is forgotten. What is ``Outcome/ignored`` is thrown, too, and nothing
  ///     changes. `nil` from it, as without it, means a failure, rejections included. Called once
  ///     for each error, outside any lock, but not for calls that their callers cancelled.
  ///   - clock: what time is; `ContinuousClock` by default. One that steps back is read as one that
  ///     stands still.
  ///   - observers: who is told when a stale value is served.
  public convenience init(
    _ name: String = "last-known-good",
    capacity: Int = 1_000,
    maxAge: Duration = .seconds(600),
    classify: (@Sendable (any Error) -> Outcome?)? = nil,
    clock: any Clock<Duration> = ContinuousClock(),
    observers: [any ResilienceObserver] = []
  ) {
    self.init(
      name, configuration: Configuration(capacity: capacity, maxAge: maxAge), classify: classify,
      clock: clock, observers: observers)
  }

  /// A memory with settings in one value.
  ///
  /// Settings that cannot work stop the program; check those that arrive at run time with
  /// ``Configuration/validate()`` before.
  ///
  /// - Parameters:
  ///   - name: the name of the memory, for events and snapshots.
  ///   - configuration: the settings.
  ///   - classify: what an error means. As in the other initializer.
  ///   - clock: what time is; `ContinuousClock` by default. As in the other initializer.
  ///   - observers: who is told when a stale value is served.
  public init(
    _ name: String = "last-known-good",
    configuration: Configuration,
    classify: (@Sendable (any Error) -> Outcome?)? = nil,
    clock: any Clock<Duration> = ContinuousClock(),
    observers: [any ResilienceObserver] = []
  ) {
    do { try configuration.validate() } catch {
      stop(misconfigured: "LastKnownGood \"\(name)\"", error)
    }
    self.name = name
    self.configuration = configuration
    self.classify = classify
    source = TimeSource(clock)
    shared = Lock(Shared(Self.emptyStore(configuration)))
    announcer = Announcer(to: observers)
  }

  private static func emptyStore(_ configuration: Configuration) -> Store {
    Store(
      capacity: configuration.capacity, maxAge: configuration.maxAge.nanosecondsRoundedUp)
  }
}

extension LastKnownGood.Answer: Equatable where Value: Equatable {}
extension LastKnownGood.Answer: Hashable where Value: Hashable {}

// MARK: - By hand

extension LastKnownGood {
  /// Remembers a value as the latest for its key.
  public func remember(_ value: Value, for key: Key) {
    // What had to go is released here, outside the lock.
    _ = locked { shared, now in shared.store.remember(value, for: key, at: now) }
  }

  /// What is remembered for the key, with its age; nothing if it is too old. Counts as a use, but
  /// not in the ``snapshot()``.
  public func recall(_ key: Key) -> Answer? {
    stale(locked { shared, now in shared.store.recall(key, at: now) })
  }

  /// Forgets what is remembered for the key.
  public func forget(_ key: Key) {
    _ = shared.withLock { $0.store.forget(key) }
  }

  /// Forgets all values. What has been counted stays.
  public func removeAll() {
    let empty = Self.emptyStore(configuration)
    _ = shared.withLock { shared in
      let store = shared.store
      shared.store = empty
      return store
    }
  }

  /// The memory as it is now. Passive: it is no use of any value. Costs a lock.
  public func snapshot() -> Snapshot {
    shared.withLock { shared in
      Snapshot(
        name: name, count: shared.store.count, capacity: configuration.capacity,
        fresh: shared.fresh, stale: shared.stale, missed: shared.missed)
    }
  }

  private func stale(_ recollection: Store.Recollection) -> Answer? {
    recollection.known.map { .stale($0.value, age: .nanoseconds($0.age)) }
  }
}

// MARK: - Calls

extension LastKnownGood {
  /// How a call that returned is answered.
  @usableFromInline
  func answer(to graded: Graded<Value>, for key: Key) -> Answer {
    switch graded.outcome {
    case .success:
      _ = locked { shared, now in
        shared.fresh.increment()
        return shared.store.remember(graded.value, for: key, at: now)
      }
      return .fresh(graded.value)
    case .failure where !Task.isCancelled:
      return served(for: key, insteadOf: FailedResultError()) ?? .fresh(graded.value)
    case .failure, .ignored:
      // A caller that gave up gets what there is.
      return .fresh(graded.value)
    }
  }

  /// How a call that threw is answered.
  @usableFromInline
  func answer(to error: any Error, for key: Key) throws -> Answer {
    if Task.isCancelled { throw error }
    switch classify?(error) {
    case .failure, nil: break
    case .ignored: throw error
    case .success:
      forget(key)
      throw error
    }
    guard let answer = served(for: key, insteadOf: error) else { throw error }
    return answer
  }

  private func served(for key: Key, insteadOf error: any Error) -> Answer? {
    let recollection = locked { shared, now in
      let recollection = shared.store.recall(key, at: now)
      if recollection.known == nil { shared.missed.increment() } else { shared.stale.increment() }
      return recollection
    }
    guard let known = recollection.known else { return nil }
    let age = Duration.nanoseconds(known.age)
    announcer.announce(Event(policy: name, kind: .servedStale(age: age, error: error)))
    return .stale(known.value, age: age)
  }
}

// MARK: - The lock

extension LastKnownGood {
  /// What the lock guards.
  private struct Shared: Sendable {
    var store: Store
    var fresh = 0
    var stale = 0
    var missed = 0
    private var time = SteadyTime()

    init(_ store: Store) { self.store = store }

    mutating func now(at reading: Int64) -> Int64 { time.now(at: reading) }
  }

  /// Runs `body` under the lock, in which the clock is read as well: so values are remembered in
  /// the order of their instants, and none becomes older.
  private func locked<Result: Sendable>(
    _ body: (inout Shared, _ now: Int64) -> Result
  ) -> Result {
    shared.withLock { shared in
      let now = shared.now(at: source.now())
      return body(&shared, now)
    }
  }
}
