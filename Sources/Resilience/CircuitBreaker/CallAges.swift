extension CircuitBreaker {
  /// How many of the calls in flight started longer ago than a limit, in memory that does not grow
  /// with their number.
  ///
  /// Calls whose starts lie less than an eighth of the limit apart share a bucket, and count as one:
  /// when the youngest that ever was in it is over the limit. So a call is never counted before the
  /// limit, and always by nine eighths of it.
  struct CallAges: Sendable {
    struct Tally: Hashable, Sendable {
      var all = 0

      /// Those that started after the last success.
      var sinceSuccess = 0
    }

    /// Calls that started at `begin` or less than the width of a bucket later.
    private struct Bucket: Sendable {
      let begin: Int64
      var newest: Int64
      var calls = Tally()
    }

    /// In nanoseconds: a call is over it when it has been in flight for longer.
    let limit: Int64

    private let width: Int64

    /// In the order of their starts. Begins lie at least a width apart, and none that is over the
    /// limit outlasts the next call's start: nine at most.
    private var young: [Bucket] = []

    /// Those of the buckets that were over the limit when a call last started.
    private var old = Tally()

    static let mostBuckets = 9

    init(limit: Int64) {
      self.limit = limit
      width = max(1, limit / 8 + (limit % 8 == 0 ? 0 : 1))
      young.reserveCapacity(Self.mostBuckets)
    }

    /// How many buckets there are.
    var buckets: Int { young.count }

    /// A call starts; none has started later.
    mutating func start(at now: Int64) {
      if let last = young.last, now.subtractingSaturated(last.begin) < width {
        young[young.count - 1].newest = now
      } else {
        forget(before: now)
        young.append(Bucket(begin: now, newest: now))
      }
      young[young.count - 1].calls.all += 1
      young[young.count - 1].calls.sinceSuccess += 1
    }

    /// A call that started at `start` ends.
    mutating func end(startedAt start: Int64, isSinceSuccess: Bool) {
      let call = Tally(all: 1, sinceSuccess: isSinceSuccess ? 1 : 0)
      // Whatever started before the oldest bucket began was in one that is gone.
      if let place = young.lastIndex(where: { $0.begin <= start }) {
        young[place].calls -= call
      } else {
        old -= call
      }
    }

    /// A call succeeded: whatever is in flight started before that.
    mutating func succeed() {
      old.sinceSuccess = 0
      for place in young.indices { young[place].calls.sinceSuccess = 0 }
    }

    mutating func clear() {
      young.removeAll(keepingCapacity: true)
      old = Tally()
    }

    /// The calls that are over the limit.
    func overLimit(at now: Int64) -> Tally {
      var tally = old
      for bucket in young {
        guard isOver(bucket, at: now) else { break }
        tally += bucket.calls
      }
      return tally
    }

    private func isOver(_ bucket: Bucket, at now: Int64) -> Bool {
      now.subtractingSaturated(bucket.newest) > limit
    }

    private mutating func forget(before now: Int64) {
      let count = young.prefix { isOver($0, at: now) }.count
      for bucket in young[..<count] { old += bucket.calls }
      young.removeFirst(count)
    }
  }
}

extension CircuitBreaker.CallAges.Tally {
  fileprivate static func += (left: inout Self, right: Self) {
    left.all += right.all
    left.sinceSuccess += right.sinceSuccess
  }

  fileprivate static func -= (left: inout Self, right: Self) {
    left.all -= right.all
    left.sinceSuccess -= right.sinceSuccess
  }
}
