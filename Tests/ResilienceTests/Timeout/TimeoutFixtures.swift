import Resilience
import ResilienceTesting

/// How a call with a limit ended, as a value.
enum Ending: Hashable, Sendable {
  case value(Int)
  case timedOut(Duration, underlying: String)
  case refused(DeadlineExpiredError.Reason, by: String)
  case tooManyAbandoned
  case threw(String)

  static let cancelled = Ending.threw("CancellationError")

  /// Calls, where the caller is.
  static func of(_ call: () async throws -> Int) async -> Ending {
    do {
      return .value(try await call())
    } catch let error as TimeoutError {
      return .timedOut(error.limit, underlying: error.underlying.map(name) ?? "nothing")
    } catch let error as DeadlineExpiredError {
      return .refused(error.reason, by: error.policy)
    } catch is TooManyAbandonedError {
      return .tooManyAbandoned
    } catch {
      return .threw(name(error))
    }
  }

  private static func name(_ error: any Error) -> String { "\(type(of: error))" }
}

/// A body that suspends for a second, so many times, and takes cancellation in its own manner.
struct Body: Sendable {
  enum Manner: CaseIterable, Sendable {
    /// Throws at once.
    case obeys
    /// Throws an error of its own at once.
    case complains
    /// Returns a value at once.
    case answers
    /// Notices nothing, and returns.
    case deaf
    /// Notices nothing, and throws an error of its own.
    case deafAndFails
  }

  struct Complaint: Error {}

  let manner: Manner
  var suspensions = 4
  let clock: VirtualClock

  func callAsFunction() async throws -> Int {
    for _ in 0..<suspensions { try await suspend() }
    if manner == .deafAndFails { throw Complaint() }
    return suspensions
  }

  private func suspend() async throws {
    if manner == .deaf || manner == .deafAndFails { return await Self.deafSleep(clock) }
    do { try await clock.sleep(for: .seconds(1)) } catch {
      switch manner {
      case .complains: throw Complaint()
      case .answers: return
      default: throw error
      }
    }
  }

  /// Sleeps a second, whatever happens.
  static func deafSleep(_ clock: VirtualClock, for duration: Duration = .seconds(1)) async {
    await withCheckedContinuation { continuation in
      _ = clock.schedule(at: clock.now.advanced(by: duration)) { continuation.resume() }
    }
  }
}

/// A clock that keeps the time of another, and does not call timers by itself.
struct PlainClock<Base: Clock>: Clock where Base.Duration == Duration {
  let base: Base

  init(_ base: Base) { self.base = base }

  var now: Base.Instant { base.now }
  var minimumResolution: Duration { base.minimumResolution }

  func sleep(until deadline: Base.Instant, tolerance: Duration?) async throws {
    try await base.sleep(until: deadline, tolerance: tolerance)
  }
}

extension Timeout.Snapshot {
  /// What happened: timed out, late, rejected.
  var counts: [Int] { [timedOut, late, rejected] }
}
