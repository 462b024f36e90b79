extension RateLimiter {
  /// What the limiter's lock guards.
  struct State: Sendable {
    var bucket: Bucket
    var line = WaitingLine()
    var totals = Totals()
    var alarm = Alarm.Setting()

    /// What the bucket's pace was made from, as it was given.
    var settings: Configuration
    private var refusals: Refusals

    init(_ bucket: Bucket, _ settings: Configuration, _ refusals: Refusals) {
      self.bucket = bucket
      self.settings = settings
      self.refusals = refusals
    }

    /// What remains to be done when the lock is released: whoever is told goes on at once, and a
    /// timer may fire as it is set.
    struct Aftermath: Sendable {
      var told: [(waiter: Waiter<WaitingLine.Word>, word: WaitingLine.Word)] = []
      var alarm: Alarm.Setting.Change?
    }

    /// Nobody but the lock's holder may change the bucket.
    var needsLock: Bool { !line.isEmpty || bucket.pausedUntil != nil }

    /// Takes over what was granted without the lock.
    mutating func absorb(_ reading: Meter.Reading) {
      bucket.fullAt = reading.fullAt
      totals.admitted.add(reading.granted)
    }

    mutating func error(for refused: Refused) -> any Error { refusals.error(for: refused) }
  }
}

// MARK: - Serving

extension RateLimiter.State {
  /// Serves those whose tokens are there, first come first served.
  mutating func serve(at now: Int64, _ aftermath: inout Aftermath) {
    while let first = line.first {
      if first.limit.isDeadline, first.limit.instant <= now {
        refuse(first.waiter, .tooLate, &aftermath)
      } else {
        guard bucket.take(first.tokens, at: now) else { return }
        aftermath.told.append((first.waiter, .granted(.init(of: first.tokens, from: bucket))))
      }
      _ = line.popFirst()
    }
  }

  /// Refuses those who will not be served in time any more.
  mutating func refuseHopeless(at now: Int64, _ aftermath: inout Aftermath) {
    for hopeless in line.removeHopeless(bucket, at: now) {
      refuse(hopeless.waiter, hopeless.refusal, &aftermath)
    }
  }

  private mutating func refuse(
    _ waiter: Waiter<RateLimiter.WaitingLine.Word>, _ refused: RateLimiter.Refused,
    _ aftermath: inout Aftermath
  ) {
    totals.countRejected(refused.reason)
    aftermath.told.append((waiter, .refused(refused.reason, error(for: refused))))
  }

  /// Sets the alarm to when the first in line can be served.
  mutating func setAlarm(_ aftermath: inout Aftermath) {
    aftermath.alarm = alarm.set(to: line.first.map { bucket.instant(of: Int128($0.tokens)) })
  }
}

// MARK: - Errors

extension RateLimiter {
  /// The errors for refused calls. Until the next token comes, all calls that come in vain are told the
  /// same: so that is made once.
  struct Refusals: Sendable {
    private let policy: String
    private let source: TimeSource
    private var last: (refused: Refused, error: any Error)

    init(by policy: String, _ source: TimeSource) {
      self.policy = policy
      self.source = source
      last = (.tooLate, RateLimitedError(policy: policy, .tooLate, on: source))
    }

    mutating func error(for refused: Refused) -> any Error {
      if refused != last.refused {
        last = (refused, RateLimitedError(policy: policy, refused, on: source))
      }
      return last.error
    }
  }
}
