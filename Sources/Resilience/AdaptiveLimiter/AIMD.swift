extension AdaptiveLimiter {
  /// Additive increase, multiplicative decrease: TCP's congestion avoidance (Jacobson 1988), which
  /// Netflix' concurrency-limits brought to calls.
  ///
  /// Each success adds 1/limit where at least half of the limit is in use, so a round of them adds
  /// one. A call that met overload multiplies the limit; see ``Cut``.
  struct AIMD: Sendable {
    private(set) var value: Double
    private let maximum: Double
    private var cut: Cut

    init(initial: Int, maximum: Int, backoff: Double, cooldown: Int64) {
      value = Double(initial)
      self.maximum = Double(maximum)
      cut = Cut(factor: backoff, cooldown: cooldown)
    }

    var limit: Int { Int(value) }

    mutating func record(inFlight: Int) {
      cut.noteAnswer()
      guard 2 * Double(inFlight) >= value else { return }
      value = min(maximum, value + 1 / value)
    }

    mutating func drop(latency: Int64, at now: Int64) {
      guard cut.begins(startedAt: now.subtractingSaturated(latency), at: now) else { return }
      value = cut.lowered(value)
    }
  }

  /// The answer to overload: the limit times a factor, and never below 1.
  ///
  /// One moment of overload ends many calls, so there is a cooldown, and as long as the dependency
  /// answers at all, a call that began before the last cut is no reason for another: it was
  /// admitted under the old limit, and knows nothing of the new one. (TCP cuts once in a round trip
  /// likewise: RFC 6582. With the cooldown alone a limit that timeouts of half a second find goes
  /// down to a fifth each time, not to 0.7.) Where no call has succeeded since the last cut, every
  /// cooldown may see one.
  struct Cut: Sendable {
    private let factor: Double
    private let cooldown: Int64
    private var last: Int64?
    private var isAnswered = false

    init(factor: Double = 0.7, cooldown: Int64 = 100_000_000) {
      self.factor = factor
      self.cooldown = cooldown
    }

    mutating func noteAnswer() { isAnswered = true }

    mutating func begins(startedAt start: Int64, at now: Int64) -> Bool {
      if let last {
        guard now.subtractingSaturated(last) >= cooldown else { return false }
        guard !isAnswered || start >= last else { return false }
      }
      last = now
      isAnswered = false
      return true
    }

    func lowered(_ value: Double) -> Double { max(1, value * factor) }
  }
}
