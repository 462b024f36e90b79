/// The last latencies, and any quantile of them.
///
/// A latency is kept as a code of two bytes (``LatencyCode``), twice: in the order of arrival, and
/// sorted. So memory is four bytes a latency, whatever the values; a quantile is one look, too long by
/// at most ``LatencyCode/error``; and a new latency costs two searches and moves at most twice two
/// bytes a latency.
struct LatencyWindow: Sendable {
  private let capacity: Int
  private var arrived: [LatencyCode] = []
  private var sorted: [LatencyCode] = []
  private var oldest = 0

  /// - Parameter capacity: how many latencies are remembered; at least 1.
  init(capacity: Int) {
    self.capacity = capacity
  }

  var count: Int { sorted.count }

  /// Remembers a latency, in nanoseconds, and forgets the oldest if there are too many.
  mutating func add(_ latency: Int64) {
    let code = LatencyCode(latency)
    if arrived.count < capacity {
      arrived.append(code)
    } else {
      // What has arrived and is not forgotten stands in the sorted ones.
      sorted.remove(at: position(of: arrived[oldest]))
      arrived[oldest] = code
      oldest = (oldest + 1) % capacity
    }
    sorted.insert(code, at: position(of: code))
  }

  /// The smallest latency that is not less than this share of all (the nearest rank); `nil` if there
  /// is none at all.
  func quantile(_ share: Ratio) -> Int64? {
    guard !sorted.isEmpty else { return nil }
    let (product, whole) = (
      Int128(share.numerator) * Int128(sorted.count), Int128(share.denominator)
    )
    let rank = (product + whole - 1) / whole
    return sorted[Int(rank) - 1].latency
  }

  /// What the next latency exceeds with a chance of `share`, as far as these can tell; `nil` if there
  /// is none at all.
  ///
  /// Of n latencies the k longest are exceeded with a chance of k / (n + 1), whatever their
  /// distribution (E. J. Gumbel, "Statistics of Extremes", 1958, 1.2.6), so k is share × (n + 1). While
  /// there are too few for that, it is the second longest that counts, if a full window tells as much:
  /// the longest of all is one call, and may be the very kind that is to be exceeded.
  func bound(exceededBy share: Ratio) -> Int64? {
    guard !sorted.isEmpty else { return nil }
    let fewest = max(1, min(2, Self.exceeding(share, of: capacity)))
    let longest = min(sorted.count, max(fewest, Self.exceeding(share, of: sorted.count)))
    return sorted[sorted.count - longest].latency
  }

  private static func exceeding(_ share: Ratio, of count: Int) -> Int {
    Int(Int128(share.numerator) * Int128(count + 1) / Int128(share.denominator))
  }

  /// Where the first code stands that is not less.
  private func position(of code: LatencyCode) -> Int {
    var (low, high) = (0, sorted.count)
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle] < code { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

/// A latency in two bytes: its 11 highest bits and their place, as in a floating-point number.
///
/// Below 2048 ns it is exact; above, the latencies between two powers of two fall into 1024 buckets
/// of the same width. The longest of a bucket is read, so that a call that takes as long as a
/// quantile does not take longer than what is read. The buckets are those of HdrHistogram
/// (hdrhistogram.org), in integers only.
struct LatencyCode: Comparable, Sendable {
  /// What a reading is too long by at most, as a share of the latency.
  static var error: Double { 1.0 / 1024 }

  private static var bits: Int { 10 }

  private let code: UInt16

  /// - Parameter latency: in nanoseconds; less than zero counts as zero.
  init(_ latency: Int64) {
    let latency = max(0, latency)
    let width = Int64.bitWidth - latency.leadingZeroBitCount
    let shift = max(0, width - Self.bits - 1)
    // At most 52 · 1024 + 2047.
    code = UInt16(shift << Self.bits + Int(latency >> Int64(shift)))
  }

  /// The longest in the bucket.
  var latency: Int64 {
    let code = Int64(code)
    let shift = max(0, code >> Int64(Self.bits) - 1)
    let least = (code - shift << Int64(Self.bits)) << shift
    return least + ((1 << shift) - 1)
  }

  static func < (one: LatencyCode, other: LatencyCode) -> Bool { one.code < other.code }
}
