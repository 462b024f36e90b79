import Synchronization

extension RateLimiter {
  /// The bucket as long as nothing but tokens is asked of it: one number, and no lock.
  ///
  /// Where somebody waits, or the bucket is paused, it is shut: then the holder of the limiter's lock
  /// alone changes it. So does whoever holds the lock for a moment.
  struct Meter: ~Copyable, Sendable {
    private let word: AtomicInt128

    // The pace. Written by the lock's holder while the meter is shut, and followed by another
    // generation: who has read a pace exchanges the word of its generation only. Each is released and
    // acquired, so that who has seen a part of the next pace finds the word shut.
    private let nanosecond: Atomic<Int64>
    private let token: Atomic<Int64>
    private let burst: Atomic<Int>

    /// Calls that were decided without the lock. Relaxed: a count guards no other memory.
    private let granted = Atomic<Int>(0)
    private let refused = Atomic<Int>(0)

    init(_ bucket: Bucket) {
      word = AtomicInt128(Word(bucket, isShut: false).bits)
      nanosecond = Atomic(bucket.pace.nanosecond)
      token = Atomic(bucket.pace.token)
      burst = Atomic(bucket.pace.burst)
    }

    enum Answer {
      case granted, refused
      /// Somebody has to look under the lock.
      case unclear
    }

    /// Takes tokens, if they are there. One reading of the clock, or more if the pace changes at
    /// this moment.
    func take(_ tokens: Int, _ source: TimeSource) -> Answer {
      var word = Word(bits: self.word.load())
      while !word.isShut {
        let pace = pace
        guard tokens <= pace.burst else { return .unclear }
        let (generation, now) = (word.generation, pace.units(source.now()))
        // Readings of several threads come in any order: an older one finds fewer tokens.
        while !word.isShut, word.generation == generation {
          guard let after = pace.take(tokens, from: word.fullAt, at: now) else {
            // Fuller than empty at once: the clock has stepped back, or the reading is too old.
            return word.fullAt - now > pace.capacity ? .unclear : .refused
          }
          let next = Word(fullAt: after, generation: generation, isShut: false)
          let result = self.word.compareExchange(expected: word.bits, desired: next.bits)
          if result.exchanged { return .granted }
          word = Word(bits: result.original)
        }
      }
      return .unclear
    }

    private var pace: Pace {
      Pace(
        nanosecond: nanosecond.load(ordering: .acquiring), token: token.load(ordering: .acquiring),
        burst: burst.load(ordering: .acquiring))
    }
  }
}

// MARK: - For the holder of the lock

extension RateLimiter.Meter {
  /// When the bucket will be full, as it is.
  var fullAt: Int128 { Word(bits: word.load()).fullAt }

  /// Lets nobody else take any more.
  ///
  /// - Returns: when the bucket will be full. A reading of the clock that is taken now is later than
  ///   all that have come to this.
  func shut() -> Int128 {
    var word = Word(bits: self.word.load())
    while !word.isShut {
      let result = self.word.compareExchange(expected: word.bits, desired: word.shut.bits)
      if result.exchanged { break }
      word = Word(bits: result.original)
    }
    return word.fullAt
  }

  /// Goes on with a bucket. The meter is shut.
  func set(_ bucket: RateLimiter.Bucket, staysShut: Bool) {
    if bucket.pace != pace {
      nanosecond.store(bucket.pace.nanosecond, ordering: .releasing)
      token.store(bucket.pace.token, ordering: .releasing)
      burst.store(bucket.pace.burst, ordering: .releasing)
    }
    word.store(Word(bucket, isShut: staysShut).bits)
  }

  func countGranted() { granted.wrappingAdd(1, ordering: .relaxed) }
  func countRefused() { refused.wrappingAdd(1, ordering: .relaxed) }

  var counts: (granted: Int, refused: Int) {
    (granted.load(ordering: .relaxed), refused.load(ordering: .relaxed))
  }

  /// An instant of 107 bits, a generation of 20, and whether it is shut.
  ///
  /// A generation that comes again after a million changes harms only who has slept through all of
  /// them between two instructions.
  private struct Word {
    let bits: Int128

    init(bits: Int128) { self.bits = bits }

    init(fullAt: Int128, generation: UInt32, isShut: Bool) {
      bits = fullAt << 21 | Int128(generation & 0xf_ffff) << 1 | (isShut ? 1 : 0)
    }

    init(_ bucket: RateLimiter.Bucket, isShut: Bool) {
      self.init(fullAt: bucket.fullAt, generation: bucket.generation, isShut: isShut)
    }

    var isShut: Bool { bits & 1 == 1 }
    var generation: UInt32 { UInt32(truncatingIfNeeded: bits >> 1) & 0xf_ffff }
    var fullAt: Int128 { bits >> 21 }
    var shut: Word { Word(bits: bits | 1) }
  }
}
