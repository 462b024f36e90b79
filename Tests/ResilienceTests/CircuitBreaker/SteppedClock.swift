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

  private let isHoldingUp = Atomic<Bool>(false)
  private let meanwhile = Mutex<(@Sendable () -> Void)?>(nil)

  var now: Instant {
    let reading = nanoseconds.load(ordering: .relaxed)
    if isHoldingUp.exchange(false, ordering: .acquiring) { meanwhile.withLock { $0.take() }?() }
    return Instant(offset: .nanoseconds(reading))
  }

  var minimumResolution: Duration { .nanoseconds(1) }

  func advance(by duration: Duration) {
    nanoseconds.add(duration.saturatingNanoseconds, ordering: .relaxed)
  }

  func set(to reading: Int64) {
    nanoseconds.store(reading, ordering: .relaxed)
  }

  /// Lets something happen after the clock has been read once more, before the reader goes on.
  func holdUpReader(while meanwhile: @escaping @Sendable () -> Void) {
    self.meanwhile.withLock { $0 = meanwhile }
    isHoldingUp.store(true, ordering: .releasing)
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
