/// What a window counts.
struct Tally: Hashable, Sendable {
  var successes = 0
  var failures = 0
  var ignored = 0
  var slow = 0

  mutating func add(_ other: Tally) {
    successes.add(other.successes)
    failures.add(other.failures)
    ignored.add(other.ignored)
    slow.add(other.slow)
  }

  /// Takes away what was added before; a counter that stood at the top may know too little.
  mutating func subtract(_ other: Tally) {
    successes = max(0, successes - other.successes)
    failures = max(0, failures - other.failures)
    ignored = max(0, ignored - other.ignored)
    slow = max(0, slow - other.slow)
  }
}

/// Outcomes in buckets of time: the last `buckets` − 1 whole buckets, and the present one so far.
///
/// The bucket of an instant t is ⌊(t − start) · buckets / length⌋, exactly, so buckets are as even
/// as nanoseconds allow and do not drift. Buckets hold successes and failures; a second ring of
/// the same shape, for what is rare, is made when the first such outcome comes.
///
/// `Count` is as wide as a bucket's length demands: 32 bits serve where a bucket ends before
/// 2³² calls can, at one a nanosecond.
struct RollingTally<Count: FixedWidthInteger & UnsignedInteger & Sendable>: Sendable {
  private struct Bucket: Sendable {
    var first: Count = 0
    var second: Count = 0
  }

  private let start: Int64
  private let length: Int64
  private let count: Int
  private var index: Int64 = 0
  private var outcomes: [Bucket]
  private var rare: [Bucket] = []

  /// The instant at which the present bucket ends.
  private(set) var end: Int64

  init(start: Int64, length: Int64, buckets: Int) {
    self.start = start
    self.length = length
    count = buckets
    outcomes = Array(repeating: Bucket(), count: buckets)
    end = Self.end(ofBucket: 0, start: start, length: length, buckets: buckets)
  }

  /// Moves on to the bucket of `now`.
  ///
  /// - Returns: what fell out of the window; at most as many buckets are touched as the window
  ///   has, however long nobody looked.
  mutating func advance(to now: Int64) -> Tally {
    guard now >= end else { return Tally() }
    let target = bucket(of: now)
    // At the end of time the present bucket has no end.
    guard target > index else { return Tally() }
    let leaving = leaving(by: target)
    for offset in 1...Int64(clamping: steps(to: target)) { clear(slot(index + offset)) }
    index = target
    end = Self.end(ofBucket: target, start: start, length: length, buckets: count)
    return leaving
  }

  /// What a reader at `now` must take away from the total: the buckets that are over by then.
  func expired(at now: Int64) -> Tally {
    guard now >= end else { return Tally() }
    let target = bucket(of: now)
    return target > index ? leaving(by: target) : Tally()
  }

  /// Counts in the present bucket.
  mutating func add(_ tally: Tally) {
    let slot = slot(index)
    Self.add(tally.successes, to: &outcomes[slot].first)
    Self.add(tally.failures, to: &outcomes[slot].second)
    guard tally.ignored > 0 || tally.slow > 0 else { return }
    if rare.isEmpty { rare = Array(repeating: Bucket(), count: count) }
    Self.add(tally.ignored, to: &rare[slot].first)
    Self.add(tally.slow, to: &rare[slot].second)
  }

  private func leaving(by target: Int64) -> Tally {
    var tally = Tally()
    for offset in 1...Int64(clamping: steps(to: target)) {
      let slot = slot(index + offset)
      tally.successes.add(Int(clamping: outcomes[slot].first))
      tally.failures.add(Int(clamping: outcomes[slot].second))
      guard !rare.isEmpty else { continue }
      tally.ignored.add(Int(clamping: rare[slot].first))
      tally.slow.add(Int(clamping: rare[slot].second))
    }
    return tally
  }

  /// How many buckets to forget on the way to `target`, which is later: at least 1.
  private func steps(to target: Int64) -> Int64 {
    min(target.subtractingSaturated(index), Int64(count))
  }

  private mutating func clear(_ slot: Int) {
    outcomes[slot] = Bucket()
    if !rare.isEmpty { rare[slot] = Bucket() }
  }

  /// The ring's place of a bucket. The place of the next bucket is that of the oldest.
  private func slot(_ bucket: Int64) -> Int {
    Int(bucket % Int64(count))
  }

  private func bucket(of now: Int64) -> Int64 {
    Int64(clamping: Int128(now.subtractingSaturated(start)) * Int128(count) / Int128(length))
  }

  private static func end(
    ofBucket bucket: Int64, start: Int64, length: Int64, buckets: Int
  ) -> Int64 {
    let span = (Int128(bucket) + 1) * Int128(length)
    let (quotient, remainder) = span.quotientAndRemainder(dividingBy: Int128(buckets))
    return start.addingSaturated(Int64(clamping: remainder > 0 ? quotient + 1 : quotient))
  }

  private static func add(_ amount: Int, to count: inout Count) {
    let (sum, overflow) = count.addingReportingOverflow(Count(clamping: amount))
    count = overflow ? .max : sum
  }
}

/// The outcomes of the last calls, two bits each.
struct CallRing: Sendable {
  private static let perWord = 32

  private let capacity: Int
  private var words: [UInt64]
  private var head = 0
  private var count = 0

  init(capacity: Int) {
    self.capacity = capacity
    words = Array(repeating: 0, count: (capacity + Self.perWord - 1) / Self.perWord)
  }

  /// Puts a call in the place of the oldest.
  ///
  /// - Returns: what fell out of the window.
  mutating func add(isFailure: Bool, isSlow: Bool) -> Tally {
    let (word, shift) = (head / Self.perWord, UInt64(head % Self.perWord * 2))
    var leaving = Tally()
    if count == capacity {
      let old = words[word] >> shift
      leaving = Tally(isFailure: old & 1 == 1, isSlow: old & 2 == 2)
    } else {
      count += 1
    }
    let new: UInt64 = (isFailure ? 1 : 0) | (isSlow ? 2 : 0)
    words[word] = words[word] & ~(3 << shift) | new << shift
    head = (head + 1) % capacity
    return leaving
  }
}

extension Tally {
  /// One call that succeeded or failed.
  init(isFailure: Bool, isSlow: Bool) {
    self.init(successes: isFailure ? 0 : 1, failures: isFailure ? 1 : 0, slow: isSlow ? 1 : 0)
  }
}
