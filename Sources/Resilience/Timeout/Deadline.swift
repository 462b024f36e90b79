/// The instant after which nobody waits for an answer, with the clock it was read on.
///
/// Instants of two clocks cannot be compared, so a deadline carries its clock and is asked only
/// how much time remains. The deadline of the current task is ``current``; policies judge a
/// cancelled call by it: if it has passed, the dependency did not answer in time, and the call
/// failed; if not, the caller gave up, and the call says nothing.
public struct Deadline: Sendable, CustomStringConvertible {
  // Spelled out, because `@TaskLocal` cannot make its projection usable from inlinable code.
  @usableFromInline static let taskLocal = TaskLocal<Deadline?>(wrappedValue: nil)

  private let instant: Int64
  private let source: TimeSource

  /// A deadline that passes after `duration`, counted on `clock`.
  ///
  /// A duration that is zero or negative has passed already. Durations beyond 292 years are held
  /// at that.
  public init(in duration: Duration, clock: any Clock<Duration> = ContinuousClock()) {
    source = TimeSource(clock)
    instant = source.now().addingSaturated(duration.saturatingNanoseconds)
  }

  package init(at instant: Int64, on source: TimeSource) {
    self.instant = instant
    self.source = source
  }

  /// The deadline of the current task, if it has one. Child tasks inherit it, and so does an
  /// unstructured `Task { }`, for better or worse: see ``withoutDeadline(_:)``.
  public static var current: Deadline? { taskLocal.get() }

  /// What is left until the deadline, read on its own clock; never negative.
  public var remaining: Duration {
    .nanoseconds(max(0, instant.subtractingSaturated(source.now())))
  }

  /// Whether the deadline has passed; at exactly its instant it has.
  public var isExpired: Bool { source.now() >= instant }

  /// Whether the current task has a deadline that has passed.
  static var hasPassed: Bool { current?.isExpired ?? false }

  /// How long ago it passed, in nanoseconds; negative if it has not.
  var overdue: Int64 { source.now().subtractingSaturated(instant) }

  /// The same deadline for work that may become moot: from then on it never passes.
  func unless(_ isMoot: @escaping @Sendable () -> Bool) -> Deadline {
    let source = source
    return Deadline(at: instant, on: TimeSource(reading: { isMoot() ? .min : source.now() }))
  }

  /// One line for a log: what remains.
  public var description: String { "in \(remaining)" }

  @usableFromInline
  func earlier(of outer: Deadline?) -> Deadline {
    guard let outer, outer.remaining < remaining else { return self }
    return outer
  }
}

// MARK: - The deadline of a task

extension Deadline {
  /// Runs the operation with this deadline as ``current``, where the caller is.
  ///
  /// If the task already has a deadline with less time remaining, that one stays. Nothing is
  /// cancelled when the deadline passes: the policies inside judge cancelled calls by it.
  ///
  /// - Throws: what the operation throws.
  @inlinable
  public func run<Success: ~Copyable>(
    _ operation: () async throws -> Success
  ) async throws -> Success {
    let earlier = earlier(of: Self.current)
    var result: Success?
    try await Self.bound(#isolation, to: earlier) { result = try await operation() }
    // The operation returned, or this line is not reached.
    return result.take()!
  }

  /// Runs the operation with no deadline as ``current``, where the caller is.
  ///
  /// It is for work that outlives the call it was started in. `Task { }` copies the task's
  /// deadline, so what is started inside a call stays under that call's deadline for ever: a minute
  /// later it has long passed, and every policy that asks finds no time left. Start such a task
  /// here:
  ///
  /// ```swift
  /// let upkeep = try await Deadline.withoutDeadline {
  ///   Task { try await cache.refresh() }
  /// }
  /// ```
  ///
  /// `Task.detached` has no deadline either, but loses the caller's actor, priority and every other
  /// task-local value. After the operation the task's own deadline is back.
  ///
  /// - Throws: what the operation throws.
  @inlinable
  public static func withoutDeadline<Success: ~Copyable>(
    _ operation: () async throws -> Success
  ) async throws -> Success {
    var result: Success?
    try await bound(#isolation, to: nil) { result = try await operation() }
    // The operation returned, or this line is not reached.
    return result.take()!
  }

  /// On Swift 6.3.1 a closure given to `withValue` loses the caller's actor unless it captures an
  /// isolated parameter.
  @inlinable
  static func bound(
    _ isolation: isolated (any Actor)?, to deadline: Deadline?,
    _ body: nonisolated(nonsending) () async throws -> Void
  ) async throws {
    try await taskLocal.withValue(deadline) {
      _ = isolation
      try await body()
    }
  }
}
