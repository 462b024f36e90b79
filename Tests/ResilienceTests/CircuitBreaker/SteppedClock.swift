import Synchronization

@testable import Resilience

/// A clock that is moved by hand, also backwards.
final class SteppedClock: Clock {
  struct Instant: InstantProtocol {
    var offset: Duration

    func advanced(by duration: Duration) -> Self { Self(offset: offset + duration) }
    func duration(to other: Self) -> Duration { other.offset - offset }
    static func < (left: Self, right: Self) -> Bool { left.offset < right.offset }
  }

  private let nanoseconds = Atomic<Int64>(0)

  var now: Instant { Instant(offset: .nanoseconds(nanoseconds.load(ordering: .relaxed))) }

  var minimumResolution: Duration { .nanoseconds(1) }

  func advance(by duration: Duration) {
    nanoseconds.add(duration.saturatingNanoseconds, ordering: .relaxed)
  }

  func set(to reading: Int64) {
    nanoseconds.store(reading, ordering: .relaxed)
  }

  /// Nobody waits for it.
  func sleep(until deadline: Instant, tolerance: Duration?) async throws {
    throw CancellationError()
  }
}

extension CircuitBreaker {
  /// Lets a call in that says nothing about the dependency, if it may pass.
  var admitsCall: Bool {
    guard let permit = tryAcquire() else { return false }
    permit.ignore()
    return true
  }
}
