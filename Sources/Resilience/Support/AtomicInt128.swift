import Synchronization

/// A number of two words that is read and exchanged at once.
///
/// Two words of 64 bits are exchanged by one instruction on every platform that has them. Where words
/// have 32, a lock stands in.
struct AtomicInt128: ~Copyable, Sendable {
  #if _pointerBitWidth(_64)
    private let words: Atomic<WordPair>

    init(_ value: Int128) {
      words = Atomic(WordPair(value))
    }

    /// Acquires what the number's last writer released.
    func load() -> Int128 { Int128(words.load(ordering: .acquiring)) }

    /// Releases.
    func store(_ value: Int128) {
      words.store(WordPair(value), ordering: .releasing)
    }

    /// Acquires and releases.
    ///
    /// - Returns: what it was; if that was expected, it is the new value now.
    func compareExchange(
      expected: Int128, desired: Int128
    ) -> (exchanged: Bool, original: Int128) {
      let (exchanged, original) = words.compareExchange(
        expected: WordPair(expected), desired: WordPair(desired), ordering: .acquiringAndReleasing)
      return (exchanged, Int128(original))
    }
  #else
    private let value: Lock<Int128>

    init(_ value: Int128) {
      self.value = Lock(value)
    }

    func load() -> Int128 { value.withLock { $0 } }

    func store(_ value: Int128) {
      self.value.withLock { $0 = value }
    }

    func compareExchange(
      expected: Int128, desired: Int128
    ) -> (exchanged: Bool, original: Int128) {
      value.withLock { value in
        let original = value
        if original == expected { value = desired }
        return (original == expected, original)
      }
    }
  #endif
}

#if _pointerBitWidth(_64)
  extension WordPair {
    fileprivate init(_ value: Int128) {
      self.init(
        first: UInt(truncatingIfNeeded: value), second: UInt(truncatingIfNeeded: value >> 64))
    }
  }

  extension Int128 {
    fileprivate init(_ pair: WordPair) {
      self = Int128(Int(bitPattern: pair.second)) << 64 | Int128(pair.first)
    }
  }
#endif
