import Synchronization

extension Bulkhead {
  /// How many calls are inside and how many may be, in one word, so that a call that need not wait
  /// passes without the lock.
  ///
  /// Whoever holds the bulkhead's lock closes the gate before he decides anything, and opens it when
  /// he is done, unless somebody waits then. While it is closed nobody else changes the word: calls
  /// that come and calls that end go through the lock. So no call can end unnoticed between "there
  /// is no room" and "I wait", and nobody passes those who wait.
  struct Gate: ~Copyable, Sendable {
    enum Answer {
      case entered
      case full
      /// Ask again, under the lock.
      case closed
    }

    /// 31 bits of calls inside, 31 bits of how many may be, and on top one that is set while the
    /// gate is closed.
    struct Word: Sendable {
      fileprivate let bits: UInt64

      fileprivate static let closed: UInt64 = 1 << 63
      private static let mask: UInt64 = (1 << 31) - 1

      /// The most calls that can be inside, or allowed.
      static let most = Int(mask)

      fileprivate init(bits: UInt64) { self.bits = bits }

      /// - Parameters:
      ///   - inFlight: at most ``most``.
      ///   - limit: at most ``most``.
      init(inFlight: Int, limit: Int, isClosed: Bool) {
        bits = UInt64(inFlight) | UInt64(limit) << 31 | (isClosed ? Self.closed : 0)
      }

      var inFlight: Int { Int(bits & Self.mask) }
      var limit: Int { Int(bits >> 31 & Self.mask) }
      var isClosed: Bool { bits & Self.closed != 0 }
      fileprivate var hasRoom: Bool { bits & Self.mask < bits >> 31 & Self.mask }
    }

    private let word: Atomic<UInt64>

    init(limit: Int) {
      word = Atomic(Word(inFlight: 0, limit: limit, isClosed: false).bits)
    }

    /// The word at this moment.
    var current: Word { Word(bits: word.load(ordering: .relaxed)) }

    /// Acquires what earlier calls have released: with a limit of one a bulkhead serves as a lock.
    func enter() -> Answer {
      var seen = current
      while true {
        if seen.isClosed { return .closed }
        guard seen.hasRoom else { return .full }
        let (entered, actual) = word.compareExchange(
          expected: seen.bits, desired: seen.bits + 1, successOrdering: .acquiring,
          failureOrdering: .relaxed)
        if entered { return .entered }
        seen = Word(bits: actual)
      }
    }

    /// - Returns: whether the call has left; if not, the lock must be taken.
    func leave() -> Bool {
      var seen = current
      while !seen.isClosed {
        let (left, actual) = word.compareExchange(
          expected: seen.bits, desired: seen.bits - 1, successOrdering: .releasing,
          failureOrdering: .relaxed)
        if left { return true }
        seen = Word(bits: actual)
      }
      return false
    }

    /// Under the lock: from now on nobody else changes the word.
    func close() -> Word {
      Word(bits: word.bitwiseOr(Word.closed, ordering: .acquiring).oldValue)
    }

    /// Under the lock, after ``close()``: what it is from now on.
    func set(_ next: Word) {
      word.store(next.bits, ordering: .releasing)
    }
  }
}
