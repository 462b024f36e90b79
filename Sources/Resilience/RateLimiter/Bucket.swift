extension RateLimiter {
  /// The tokens there are: the decision core, which has no clock and no lock.
  ///
  /// A pause is nothing but a bucket that will not be empty, let alone fuller, before its end: so
  /// callers are let out one by one after it.
  struct Bucket: Equatable, Sendable {
    private(set) var pace: Pace

    /// When it will be full, in units of ``pace``. May be moved on from outside.
    var fullAt: Int128

    /// Until when nobody is served.
    private(set) var pausedUntil: Int64?

    /// Changes with the pace, and when the clock has stepped back.
    private(set) var generation: UInt8 = 0

    /// The last reading.
    private var latest: Int64

    /// A full bucket.
    init(_ pace: Pace, at now: Int64) {
      self.pace = pace
      fullAt = pace.units(now)
      latest = now
    }

    /// The whole tokens there are.
    func available(at now: Int64) -> Int {
      Int(clamping: level(at: now) / Int128(pace.token))
    }

    func isFull(at now: Int64) -> Bool { fullAt <= pace.units(now) }

    /// When the bucket will have so many tokens, if nobody takes any: also more than it holds, if they
    /// are taken as they come.
    func instant(of tokens: Int128) -> Int64 {
      pace.nanoseconds(fullAt + tokens * Int128(pace.token) - pace.capacity)
    }
  }
}

extension RateLimiter.Bucket {
  /// Looks at the clock, which may have stepped back.
  ///
  /// A pause then ends as much earlier, and no bucket takes longer to become full than an empty one: so
  /// it is not stuck until the clock is where it was. Nobody is granted more by it, counted in the time
  /// for which the clock ran forward.
  mutating func observe(_ now: Int64) {
    if now < latest { stepBack(by: latest.subtractingSaturated(now)) }
    latest = now
    if let end = pausedUntil {
      empty(until: end)
      if end > now { return }
      pausedUntil = nil
    }
    let emptyNow = pace.units(now) + pace.capacity
    guard fullAt > emptyNow else { return }
    fullAt = emptyNow
    generation &+= 1
  }

  /// - Returns: whether there were so many.
  mutating func take(_ tokens: Int, at now: Int64) -> Bool {
    guard let after = pace.take(tokens, from: fullAt, at: pace.units(now)) else { return false }
    fullAt = after
    return true
  }

  /// Takes a grant back, if nobody has been granted anything since.
  ///
  /// Otherwise the bucket may have been full in between, and a further token too many.
  mutating func undo(_ grant: RateLimiter.Grant) {
    guard fullAt == grant.fullAt, generation == grant.generation else { return }
    fullAt -= pace.cost(of: grant.tokens)
  }

  /// - Returns: whether that makes a difference.
  mutating func pause(until end: Int64, at now: Int64) -> Bool {
    guard end > max(now, pausedUntil ?? now) else { return false }
    pausedUntil = end
    empty(until: end)
    return true
  }

  /// Ends a pause; the bucket is empty then.
  ///
  /// - Returns: whether there was one.
  mutating func resume(at now: Int64) -> Bool {
    guard pausedUntil != nil else { return false }
    pausedUntil = nil
    empty(until: now)
    return true
  }

  /// Takes all that is there, fractions of a token too. A bucket that is empty for longer stays so.
  ///
  /// - Returns: how many whole tokens that were; `nil` if there was nothing.
  mutating func drain(at now: Int64) -> Int? {
    guard level(at: now) > 0 else { return nil }
    let tokens = available(at: now)
    empty(until: now)
    return tokens
  }

  /// Goes on at another pace, with the tokens that are there, as far as the new burst holds them.
  ///
  /// So no more is granted in any time than the burst at its beginning, and what came in it at either
  /// rate. A fraction of a token is rounded down to a whole unit.
  mutating func change(to new: RateLimiter.Pace, at now: Int64) {
    // None of these overflows: a count of tokens, and the units of one, are below 2⁶³.
    let (whole, rest) = level(at: now).quotientAndRemainder(dividingBy: Int128(pace.token))
    let kept = whole * Int128(new.token) + rest * Int128(new.token) / Int128(pace.token)
    pace = new
    generation &+= 1
    if let end = pausedUntil { return empty(until: end) }
    fullAt = new.units(now) + new.capacity - min(kept, new.capacity)
  }

  /// How much there is, in units.
  private func level(at now: Int64) -> Int128 {
    max(0, pace.capacity - max(0, fullAt - pace.units(now)))
  }

  private mutating func empty(until instant: Int64) {
    fullAt = pace.units(instant) + pace.capacity
  }

  private mutating func stepBack(by step: Int64) {
    generation &+= 1
    pausedUntil = pausedUntil?.subtractingSaturated(step)
  }
}

extension RateLimiter {
  /// Tokens that somebody has been given, and how that left the bucket.
  @usableFromInline
  struct Grant: Equatable, Sendable {
    let tokens: Int
    let fullAt: Int128
    let generation: UInt8

    init(of tokens: Int, from bucket: Bucket) {
      self.tokens = tokens
      fullAt = bucket.fullAt
      generation = bucket.generation
    }
  }
}
