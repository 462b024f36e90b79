extension RateLimiter {
  /// Wakes a limiter when the first in line can be served.
  final class Alarm: TimerTarget {
    private let limiter: RateLimiter
    private let number: UInt64

    init(_ limiter: RateLimiter, _ number: UInt64) {
      self.limiter = limiter
      self.number = number
    }

    func fire() { limiter.wake(number) }
  }
}

extension RateLimiter.Alarm {
  /// Which alarm is set, if one is. Timers are set and cancelled outside the lock, so each has a
  /// number, and only the last counts.
  struct Setting: Sendable {
    private var number: UInt64 = 0
    private var instant: Int64?
    private var token: Timers.Token?

    /// A timer that is not wanted any more, and one that is wanted now.
    struct Change: Sendable {
      let cancelled: Timers.Token?
      let next: (number: UInt64, instant: Int64)?
    }

    mutating func set(to next: Int64?) -> Change? {
      guard next != instant else { return nil }
      number += 1
      instant = next
      return Change(cancelled: token.take(), next: next.map { (number, $0) })
    }

    /// It has fired, and must be set again if somebody still waits.
    mutating func fired(_ number: UInt64) {
      guard number == self.number else { return }
      instant = nil
      token = nil
    }

    /// - Returns: whether the timer is still wanted.
    mutating func keep(_ token: Timers.Token, of number: UInt64) -> Bool {
      guard number == self.number, instant != nil else { return false }
      self.token = token
      return true
    }
  }
}
