import ResilienceTesting
import Synchronization

@testable import Resilience

/// Counts how often it is called, and writes down its number.
final class Alarm: TimerTarget {
  private let fired = Atomic(0)
  private let number: Int
  private let log: Shared<[Int]>?

  init(_ number: Int = 0, log: Shared<[Int]>? = nil) {
    self.number = number
    self.log = log
  }

  var calls: Int { fired.load(ordering: .acquiring) }

  func fire() {
    fired.add(1, ordering: .acquiringAndReleasing)
    log?.value.append(number)
  }
}

/// A clock that somebody steps while others wait for it, that refuses to wait so many times, and
/// that, if asked to, returns early when the one who waits is cancelled.
final class OddClock: Clock {
  struct Refusal: Error {}

  private let base: VirtualClock
  private let refusals: Shared<Int>
  private let offset = Shared(Duration.zero)
  private let swallowsCancellation: Bool

  init(_ base: VirtualClock, refusals: Int = 0, swallowsCancellation: Bool = false) {
    self.base = base
    self.refusals = Shared(refusals)
    self.swallowsCancellation = swallowsCancellation
  }

  var now: VirtualClock.Instant { base.now.advanced(by: offset.value) }
  var minimumResolution: Duration { base.minimumResolution }

  func step(by duration: Duration) { offset.value += duration }

  func sleep(until deadline: VirtualClock.Instant, tolerance: Duration?) async throws {
    if refusals.value > 0 {
      refusals.value -= 1
      throw Refusal()
    }
    do {
      try await base.sleep(until: deadline.advanced(by: .zero - offset.value), tolerance: tolerance)
    } catch { if !swallowsCancellation { throw error } }
  }
}

extension Int64 {
  static func seconds(_ count: Int64) -> Int64 { count * 1_000_000_000 }
}

extension VirtualClock {
  /// Moves on without letting anything run.
  func jump(by duration: Duration) { advance(by: duration) }
}
