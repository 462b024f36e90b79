/// A clock to wait on, with instants as a ``TimeSource`` has them.
struct WaitingClock: Sendable {
  /// Tells the instants that this clock waits for.
  let source: TimeSource

  private let sleepUntil: @Sendable (Int64) async throws -> Void

  /// How the clock calls timers by itself, if it does.
  let scheduling: Scheduling?

  struct Scheduling: Sendable {
    let schedule: @Sendable (_ instant: Int64, _ action: @escaping @Sendable () -> Void) -> UInt64
    let cancel: @Sendable (_ id: UInt64) -> Void
  }

  /// No clock is asked for more at a time: `ContinuousClock` traps on distant instants, and
  /// whoever waits longer just asks again.
  private static let longestSleep: Int64 = 86_400_000_000_000

  init(_ clock: any Clock<Duration>) {
    if let clock = clock as? ContinuousClock {
      self.init(clock, from: TimeSource.origin, read: TimeSource(clock))
    } else {
      self.init(opening: clock)
    }
  }

  private init<C: Clock<Duration>>(opening clock: C) {
    let origin = clock.now
    self.init(clock, from: origin, read: TimeSource(clock, from: origin))
  }

  private init<C: Clock<Duration>>(_ clock: C, from origin: C.Instant, read source: TimeSource) {
    self.source = source
    sleepUntil = { instant in
      try await clock.sleep(until: origin.advanced(by: .nanoseconds(instant)), tolerance: nil)
    }
    scheduling = (clock as? any SchedulingClock<C.Instant>).map {
      Self.scheduling(of: $0, from: origin)
    }
  }

  private static func scheduling<C: SchedulingClock>(
    of clock: C, from origin: C.Instant
  ) -> Scheduling {
    Scheduling(
      schedule: { instant, action in
        clock.schedule(at: origin.advanced(by: .nanoseconds(instant)), action: action)
      },
      cancel: { _ = clock.cancelAction($0) })
  }

  /// Waits until the instant, which may be any number.
  ///
  /// - Throws: `CancellationError`, or what the clock throws.
  func sleep(until instant: Int64) async throws {
    var now = source.now()
    repeat {
      // Some clocks swallow cancellation; asking those again and again would never end.
      try Task.checkCancellation()
      try await sleepUntil(min(instant, now.addingSaturated(Self.longestSleep)))
      now = source.now()
    } while now < instant
  }

  func sleep(for nanoseconds: Int64) async throws {
    try await sleep(until: source.now().addingSaturated(nanoseconds))
  }
}

/// A clock that calls timers by itself, as a virtual clock does: then they have run when the clock
/// has been advanced.
package protocol SchedulingClock<Instant>: Clock where Duration == Swift.Duration {
  /// Calls the action once, when the clock comes to the instant.
  func schedule(at instant: Instant, action: @escaping @Sendable () -> Void) -> UInt64

  /// Takes a scheduled action back.
  ///
  /// - Returns: whether it has not been called and never will be.
  func cancelAction(_ id: UInt64) -> Bool
}
