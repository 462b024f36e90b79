import Resilience
import ResilienceTesting

/// The clock of a simulated client: virtual time, through the troubles that a process has with it.
///
/// It can be stepped, which changes what it shows and moves no timer; and while its process stands
/// still, its timers are due when that is over.
public final class ClientClock: Clock {
  /// A point in time as the clock shows it.
  public struct Instant: InstantProtocol {
    fileprivate let offset: Duration

    /// The instant `duration` later.
    public func advanced(by duration: Duration) -> Instant {
      Instant(offset: VirtualClock.Instant(offset: offset).advanced(by: duration).offset)
    }

    /// The time from this instant to `other`.
    public func duration(to other: Instant) -> Duration {
      VirtualClock.Instant(offset: offset).duration(to: VirtualClock.Instant(offset: other.offset))
    }

    /// Whether `lhs` is earlier.
    public static func < (lhs: Instant, rhs: Instant) -> Bool { lhs.offset < rhs.offset }
  }

  private struct State: Sendable {
    var step = Duration.zero
    var resumesAt = VirtualClock.Instant.start
  }

  private let base: VirtualClock
  private let state = Lock(State())

  init(_ base: VirtualClock) {
    self.base = base
  }

  /// What the clock shows.
  public var now: Instant {
    Instant(offset: base.now.advanced(by: state.withLock { $0.step }).offset)
  }

  /// One attosecond: virtual time is exact.
  public var minimumResolution: Duration { base.minimumResolution }

  /// Waits for as long as the clock now says that it is until the deadline.
  public func sleep(until deadline: Instant, tolerance: Duration? = nil) async throws {
    do {
      try await base.sleep(until: instant(of: deadline))
    } catch {
      await untilRunning()
      throw error
    }
    await untilRunning()
  }

  private func instant(of shown: Instant) -> VirtualClock.Instant {
    base.now.advanced(by: now.duration(to: shown))
  }
}

// MARK: - Troubles

extension ClientClock {
  /// Changes what the clock shows.
  func step(by step: Duration) {
    state.withLock { state in
      state.step = VirtualClock.Instant(offset: state.step).advanced(by: step).offset
    }
  }

  /// Has the process stand still until the instant.
  func pause(until end: VirtualClock.Instant) {
    state.withLock { $0.resumesAt = max($0.resumesAt, end) }
  }

  var isPaused: Bool { base.now < state.withLock { $0.resumesAt } }

  /// Waits until the process runs.
  ///
  /// Not to be interrupted: a process that stands still does not notice that it is cancelled.
  func untilRunning() async {
    while isPaused {
      let end = state.withLock { $0.resumesAt }
      await withCheckedContinuation { continuation in
        _ = base.schedule(at: end) { continuation.resume() }
      }
    }
  }
}

// MARK: - Timers

extension ClientClock: SchedulingClock {
  package func schedule(at instant: Instant, action: @escaping @Sendable () -> Void) -> UInt64 {
    base.schedule(at: self.instant(of: instant)) { [self] in whenRunning(action) }
  }

  /// A timer that has come due while the process stood still cannot be taken back.
  package func cancelAction(_ id: UInt64) -> Bool { base.cancelAction(id) }

  private func whenRunning(_ action: @escaping @Sendable () -> Void) {
    guard isPaused else { return action() }
    let end = state.withLock { $0.resumesAt }
    _ = base.schedule(at: end) { [self] in whenRunning(action) }
  }
}
