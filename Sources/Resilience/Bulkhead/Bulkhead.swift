import Synchronization

/// Bounds how many calls run at a time, so that a dependency that is slow cannot take everything that
/// the program has.
///
/// A call that finds room runs at once. One that does not is refused with a ``BulkheadFullError``, or
/// waits, if there is a queue: bounded in length and in time, and never beyond ``Deadline/current``.
/// Nobody overtakes those who wait, unless the ``Order`` says so.
///
/// ```swift
/// let bulkhead = Bulkhead("user-service", limit: 25, queue: 50)
///
/// let user = try await bulkhead.run {
///   try await users.find(id)
/// }
/// ```
///
/// A place is held until the operation has ended, however it ends, and given back exactly once. A call
/// that is cancelled while it waits leaves at once with a `CancellationError`, and holds nothing; one
/// whose task is cancelled already does not begin to wait. Where there is room, neither cancellation
/// nor deadline are asked for: that is up to the operation.
///
/// One bulkhead stands for one dependency: make it once and share it.
///
/// Cost: a call that finds room takes no lock, allocates nothing and reads no clock. Being refused
/// allocates nothing. A call that waits costs a lock, a timer and a few allocations, O(log n) in the
/// number of those who wait; and as long as calls wait, those that end take the lock and read the clock.
public final class Bulkhead: ResiliencePolicy {
  /// The name of the dependency, for errors and events.
  public let name: String

  let configuration: Configuration
  let timers: Timers
  let events: Announcer<Event>
  let refusals: BulkheadFullError.Prepared

  let gate: Gate
  let core: Lock<Core<Waiter<Verdict>>>

  /// Calls admitted and refused without the lock. Relaxed: counts guard no other memory.
  let admittedOutside = Atomic<Int>(0)
  let refusedOutside = Atomic<Int>(0)

  /// A bulkhead with settings given one by one.
  ///
  /// Settings that cannot work stop the program, in debug and release, with a message that names the
  /// parameter, the value and the allowed range.
  ///
  /// - Parameters:
  ///   - name: the name of the dependency, for errors and events.
  ///   - limit: how many calls may be in flight; at least 1, held at 2 147 483 647.
  ///   - queue: how many calls may wait; zero or more, zero by default.
  ///   - maxWait: for how long a call may wait; zero or more, 1 s by default, held at 292 years. With
  ///     zero none waits.
  ///   - order: who of those who wait is served first; first in first out by default.
  ///   - clock: what waits are measured on; `ContinuousClock` by default. A clock of your own is read
  ///     under the bulkhead's lock: it must not call back into the bulkhead.
  ///   - observers: who is told what happens.
  public convenience init(
    _ name: String = "bulkhead",
    limit: Int,
    queue: Int = 0,
    maxWait: Duration = .seconds(1),
    order: Order = .fifo,
    clock: any Clock<Duration> = ContinuousClock(),
    observers: [any ResilienceObserver] = []
  ) {
    let configuration = Configuration(limit: limit, queue: queue, maxWait: maxWait, order: order)
    self.init(name, configuration: configuration, clock: clock, observers: observers)
  }

  /// A bulkhead with settings in one value.
  ///
  /// Settings that cannot work stop the program; check those that arrive at run time with
  /// ``Configuration/validate()`` before.
  ///
  /// - Parameters:
  ///   - name: the name of the dependency, for errors and events.
  ///   - configuration: the settings.
  ///   - clock: what waits are measured on; `ContinuousClock` by default. As in the other initializer:
  ///     one of your own is read under the bulkhead's lock.
  ///   - observers: who is told what happens.
  public init(
    _ name: String = "bulkhead",
    configuration: Configuration,
    clock: any Clock<Duration> = ContinuousClock(),
    observers: [any ResilienceObserver] = []
  ) {
    do { try configuration.validate() } catch {
      stop(misconfigured: "Bulkhead \"\(name)\"", error)
    }
    self.name = name
    self.configuration = configuration
    timers = .on(clock)
    events = Announcer(to: observers)
    refusals = BulkheadFullError.Prepared(policy: name)
    let limit = configuration.heldLimit
    gate = Gate(limit: limit)
    core = Lock(
      Core(limit: limit, capacity: configuration.capacity, order: configuration.order.kind))
  }

  /// Runs the operation as soon as there is room.
  ///
  /// - Parameters:
  ///   - execution: what the operation is told about this attempt.
  ///   - operation: what to run.
  /// - Returns: what the operation returned, with the verdict on it.
  /// - Throws: what the operation throws, as it is; or a ``BulkheadFullError``, or a
  ///   `CancellationError` if the caller was cancelled while it waited, in which cases the operation
  ///   did not run.
  @inlinable
  public func execute<Success: ~Copyable>(
    _ execution: Execution,
    _ operation: (Execution) async throws -> Graded<Success>
  ) async throws -> Graded<Success> {
    if let ticket = try admit() {
      try await wait(with: ticket)
      // Served, and cancelled before it went on. Asking this here also keeps the caller's actor: on
      // 6.3.1 it is lost between an await and the call of a closure if nothing synchronous happens
      // between them.
      if Task.isCancelled { throw renounce() }
    }
    defer { leave() }
    return try await operation(execution)
  }
}

// MARK: - Reading and changing

extension Bulkhead {
  /// How many calls may be in flight. Costs an atomic read; setting it costs the lock.
  ///
  /// It may change while calls run and wait. When it grows, those who wait are served at once; when it
  /// shrinks, nobody is stopped and nobody is blocked: calls that end are not replaced until no more
  /// are in flight than may be.
  ///
  /// At least 1, held at 2 147 483 647; anything less stops the program.
  public var limit: Int {
    get { gate.current.limit }
    set { resize(to: newValue) }
  }

  private func resize(to limit: Int) {
    var wanted = configuration
    wanted.limit = limit
    do { try wanted.validate() } catch { stop(misconfigured: "Bulkhead \"\(name)\"", error) }
    let new = wanted.heldLimit
    locked { core, now -> Event.Kind? in
      let old = core.limit
      core.resize(to: new, at: now)
      return old == new ? nil : .resized(from: old, to: new)
    } telling: { change in
      change
    }
    events.deliver()
  }

  /// What has happened so far, and what is going on. Passive; costs a lock.
  public func snapshot() -> Snapshot {
    core.withLock { core in
      // With the lock held nobody closes or opens the gate.
      let word = gate.current
      var totals = core.totals
      totals.admitted.add(admittedOutside.load(ordering: .relaxed))
      totals.full.add(refusedOutside.load(ordering: .relaxed))
      return Snapshot(
        name: name, limit: word.limit, inFlight: word.inFlight, waiting: core.waiting,
        queue: configuration.queue, totals: totals)
    }
  }

  /// The bulkhead in a composition.
  public var layers: [PolicyLayer] {
    var present = configuration
    present.limit = limit
    return [PolicyLayer(role: .bulkhead, name: name, settings: present.description)]
  }
}

extension Bulkhead: Evictable {
  /// Whether no call is in flight (so nobody waits), and the limit is the one it was made with.
  public var isEvictable: Bool {
    let word = gate.current
    return word.inFlight == 0 && word.limit == configuration.heldLimit
  }
}
