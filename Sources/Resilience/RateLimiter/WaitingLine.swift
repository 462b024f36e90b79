extension RateLimiter {
  /// Those who wait for tokens, in the order in which they came. Takes no lock, and reads no clock.
  ///
  /// Nobody has a reservation: tokens are given out when they are there. So who leaves just leaves, and
  /// those behind him move up.
  struct WaitingLine: Sendable {
    typealias Place = LinkedQueue<Entry>.Place

    struct Entry: Sendable {
      let waiter: Waiter<Word>
      let tokens: Int
      let limit: WaitLimit
    }

    /// What somebody who waits is told, once.
    enum Word: Sendable {
      case granted(Grant)
      case refused(RateLimitedError.Reason, any Error)
      case cancelled
    }

    /// Somebody who will not be served in time: why, and when the call would have been.
    struct Hopeless {
      let waiter: Waiter<Word>
      let refusal: Refused
    }

    private var entries = LinkedQueue<Entry>()

    /// What all of them wait for.
    private(set) var tokens: Int128 = 0

    var count: Int { entries.count }
    var isEmpty: Bool { entries.isEmpty }

    var first: Entry? { entries.oldest.flatMap { entries[$0] } }

    mutating func join(_ entry: Entry) -> Place {
      tokens += Int128(entry.tokens)
      return entries.append(entry)
    }

    /// - Returns: who stood there; `nil` if that has been decided already.
    mutating func leave(_ place: Place) -> Entry? {
      let entry = entries.remove(place)
      tokens -= Int128(entry?.tokens ?? 0)
      return entry
    }

    mutating func popFirst() -> Entry? { entries.oldest.flatMap { leave($0) } }

    /// Takes out everybody who will not be served in time; those behind them may be then.
    mutating func removeHopeless(_ bucket: Bucket, at now: Int64) -> [Hopeless] {
      var (ahead, hopeless): (Int128, [Hopeless]) = (0, [])
      var next = entries.oldest
      while let place = next, let entry = entries[place] {
        next = entries.newer(than: place)
        if let refusal = Refused(
          entry.tokens, behind: ahead, from: bucket, limit: entry.limit, at: now)
        {
          _ = leave(place)
          hopeless.append(Hopeless(waiter: entry.waiter, refusal: refusal))
        } else {
          ahead += Int128(entry.tokens)
        }
      }
      return hopeless
    }
  }
}

extension RateLimiter {
  /// Why a call does not get its tokens, and when it is worth coming back.
  struct Refused: Equatable, Sendable {
    let reason: RateLimitedError.Reason

    /// `nil` if never.
    let retryAt: Int64?

    private init(_ reason: RateLimitedError.Reason, retryAt: Int64?) {
      self.reason = reason
      self.retryAt = retryAt
    }

    /// The deadline has passed for somebody whose tokens are there.
    static let tooLate = Refused(.deadlineExpired, retryAt: nil)

    /// Looks at a call that is not served now.
    ///
    /// - Parameters:
    ///   - tokens: how many it needs.
    ///   - ahead: how many those need who come first.
    ///   - limit: how long it may wait; `nil` if not at all.
    /// - Returns: `nil` if it will be served in time.
    init?(
      _ tokens: Int, behind ahead: Int128, from bucket: Bucket, limit: WaitLimit?, at now: Int64
    ) {
      guard tokens <= bucket.pace.burst else {
        self.init(.exceedsBurst, retryAt: nil)
        return
      }
      let servedAt = max(now, bucket.instant(of: ahead + Int128(tokens)))
      if let limit, limit.allowsService(at: servedAt) { return nil }
      let isDeadline = limit?.isDeadline ?? false
      // With the same patience, and a deadline that is not in the way.
      let patience = isDeadline ? 0 : limit?.length ?? 0
      let retryAt = max(now, servedAt.subtractingSaturated(patience))
      let isPaused = bucket.pausedUntil != nil
      self.init(isPaused ? .paused : isDeadline ? .deadlineExpired : .noTokens, retryAt: retryAt)
    }
  }
}

extension WaitLimit {
  /// Whether a call that is served then is served in time. A policy's patience lasts until its last
  /// instant; at a deadline nobody waits for the answer any more.
  fileprivate func allowsService(at instant: Int64) -> Bool {
    isDeadline ? instant < self.instant : instant <= self.instant
  }
}
