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

    /// The generation of the word, to be known before the clock is read: a load of the word itself costs
    /// as much as taking a token. Written with the pace.
    private let generation: Atomic<UInt8>

    /// Calls that were refused without the lock. Relaxed: a count guards no other memory.
    private let refused = Atomic<Int>(0)

    init(_ bucket: Bucket) {
      word = AtomicInt128(Word(bucket, isShut: false).bits)
      nanosecond = Atomic(bucket.pace.nanosecond)
      token = Atomic(bucket.pace.token)
      burst = Atomic(bucket.pace.burst)
      generation = Atomic(bucket.generation)
    }

    enum Answer {
      case granted, refused
      /// Somebody has to look under the lock.
      case unclear
    }

    /// Takes tokens, if they are there.
    ///
    /// Readings of several threads come in any order: an older one finds fewer tokens. The clock is read
    /// before the bucket is looked at, so that nothing lies between looking and taking but arithmetic; and
    /// a reading from before the clock stepped back, or from before another pace, is not used after it.
    ///
    /// - Parameter source: tells what time it is.
    func take(_ tokens: Int, _ source: TimeSource) -> Answer {
      let generation = generation.load(ordering: .acquiring)
      let reading = source.now()
      var word = Word(bits: self.word.load())
      while word.isOpen, word.generation == generation {
        let pace = pace
        guard tokens <= pace.burst else { return .unclear }
        let now = pace.units(reading)
        guard let after = pace.take(tokens, from: word.fullAt, at: now) else {
          // A refusal exchanges nothing: it has to see that nothing has changed, the pace above all.
          let latest = Word(bits: self.word.load())
          guard latest.bits == word.bits else {
            word = latest
            continue
          }
          // Less than empty: the clock has stepped back, or the reading is old.
          return word.fullAt - now > pace.capacity ? .unclear : .refused
        }
        let next = word.granting(after)
        let result = self.word.compareExchange(expected: word.bits, desired: next.bits)
        if result.exchanged { return .granted }
        word = Word(bits: result.original)
      }
      return .unclear
    }

    func countRefused() { refused.wrappingAdd(1, ordering: .relaxed) }

    var refusedCount: Int { refused.load(ordering: .relaxed) }

    private var pace: Pace {
      Pace(
        nanosecond: nanosecond.load(ordering: .acquiring), token: token.load(ordering: .acquiring),
        burst: burst.load(ordering: .acquiring))
    }
  }
}

// MARK: - For the holder of the lock

extension RateLimiter.Meter {
  /// What has come of it since it was last set.
  struct Reading {
    /// When the bucket will be full.
    let fullAt: Int128
    /// How many calls have got their tokens.
    let granted: Int
  }

  var reading: Reading { Word(bits: word.load()).reading }

  /// Lets nobody else take any more.
  ///
  /// A reading of the clock that is taken after it is later than all that have come to this.
  func shut() -> Reading {
    var word = Word(bits: self.word.load())
    while !word.isShut {
      let result = self.word.compareExchange(expected: word.bits, desired: word.shut.bits)
      if result.exchanged { break }
      word = Word(bits: result.original)
    }
    return word.reading
  }

  /// Goes on with a bucket, and counts from zero. The meter is shut.
  func set(_ bucket: RateLimiter.Bucket, staysShut: Bool) {
    if bucket.pace != pace {
      nanosecond.store(bucket.pace.nanosecond, ordering: .releasing)
      token.store(bucket.pace.token, ordering: .releasing)
      burst.store(bucket.pace.burst, ordering: .releasing)
    }
    generation.store(bucket.generation, ordering: .releasing)
    word.store(Word(bucket, isShut: staysShut).bits)
  }

  /// An instant of 107 bits, a generation of 8, a count of 12, and whether it is shut.
  ///
  /// The count is part of it because a counter beside it would cost as much again. When there is no room
  /// for more, somebody has to take the lock. A generation that comes again after 256 changes harms only
  /// who has slept through all of them between two instructions, and finds the same instant and count.
  private struct Word {
    let bits: Int128

    init(bits: Int128) { self.bits = bits }

    init(_ bucket: RateLimiter.Bucket, isShut: Bool) {
      bits = bucket.fullAt << 21 | Int128(bucket.generation) << 13 | (isShut ? 1 : 0)
    }

    var isShut: Bool { bits & 1 == 1 }
    var fullAt: Int128 { bits >> 21 }
    var generation: UInt8 { UInt8(truncatingIfNeeded: bits >> 13) }

    /// Whether anybody may take from it.
    var isOpen: Bool { !isShut && granted < 0xfff }

    var shut: Word { Word(bits: bits | 1) }
    var reading: Reading { Reading(fullAt: fullAt, granted: granted) }

    /// After another grant.
    func granting(_ fullAt: Int128) -> Word {
      Word(bits: fullAt << 21 | (bits & 0x1f_ffff + 2))
    }

    private var granted: Int { Int(truncatingIfNeeded: bits >> 1) & 0xfff }
  }
}
