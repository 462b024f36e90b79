import Synchronization

extension CircuitBreaker {
  /// The lock-free path: calls of a healthy closed circuit are admitted and their successes
  /// counted here, by one compare-and-exchange each.
  ///
  /// A ``Word`` counts what happened since the core last took it over. Its tag is the lowest 16
  /// bits of `control`: 15 bits of the generation, and a lowest bit that says that the path is
  /// live. A word is changed only while its tag is the present one, so a call or a result cannot
  /// land in a generation that is not its own: whoever ends a generation, under the breaker's
  /// lock, first changes `control`, then takes each word out in one exchange. What was counted
  /// before the exchange is taken over by it; what comes after finds another tag and goes through
  /// the lock. Fifteen bits suffice because the whole generation was compared just before: the
  /// breaker would have to go through 32 768 generations between two instructions.
  ///
  /// There is one word until two threads meet on it; then sixteen, a cache line apart, and a
  /// thread takes one by the address of its stack.
  struct HotCounters: ~Copyable, Sendable {
    /// What was counted.
    struct Tally: Hashable {
      var successes = 0
      var inFlight = 0
    }

    /// Which word counted a call: 0 for the single one, from 1 on for the stripes.
    typealias Index = Int32

    private let control = Atomic<UInt64>(0)

    /// The instant, in the breaker's own time, from which on the window needs the core.
    private let boundary = Atomic<Int64>(.max)

    /// How far the clock is behind the breaker's own time.
    private let clockOffset = Atomic<Int64>(0)

    /// The breaker's own time when it was last looked at under the lock.
    private let latest = Atomic<Int64>(.min)

    let single = Atomic<UInt64>(0)

    /// The address of the stripes; or ``noStripes``, or ``stripesWanted``.
    private let stripes = Atomic<UInt>(noStripes)

    private static let noStripes: UInt = 0
    private static let stripesWanted: UInt = 1

    deinit {
      // The address was made by `makeStripes`, and nobody else frees it: this runs once, when the
      // breaker is gone and with it everybody who could use it.
      guard let stripes = unsafe stripesInUse else { return }
      unsafe stripes.deinitialize(count: Stripe.count)
      unsafe stripes.deallocate()
    }
  }
}

// MARK: - Without the lock

extension CircuitBreaker.HotCounters {
  /// Counts a call as in flight.
  ///
  /// - Returns: the generation, and the word that counted it; `nil` if nothing was counted and
  ///   the lock must be taken.
  func admit() -> (generation: UInt64, index: Index)? {
    let control = control.load(ordering: .acquiring)
    let stripes = stripes.load(ordering: .acquiring)
    guard control & 1 == 1, stripes != Self.stripesWanted else { return nil }
    let index = stripes == Self.noStripes ? 0 : Stripe.index
    let isCounted = update(index, tag: control) { $0.startingCall() }
    return isCounted ? (control >> 1, index) : nil
  }

  /// Counts a success and the end of its call, if its generation is still the present one.
  ///
  /// - Returns: whether it was counted; if not, the lock must be taken.
  func succeed(_ index: Index, generation: UInt64) -> Bool {
    let control = control.load(ordering: .acquiring)
    guard control == Self.live(generation) else { return false }
    return update(index, tag: control) { $0.succeeding() }
  }

  /// The breaker's own time when the clock shows `reading`. A clock that has stepped back since the
  /// core last saw it is read as one that stands still, as the core will read it.
  func time(at reading: Int64) -> Int64 {
    let now = reading.addingSaturated(clockOffset.load(ordering: .relaxed))
    return max(now, latest.load(ordering: .relaxed))
  }

  /// Whether the window needs the core at an instant of the breaker's own time.
  func isWindowOver(at now: Int64) -> Bool {
    now >= boundary.load(ordering: .relaxed)
  }

  /// Whether calls are counted here, when last heard of.
  var isLive: Bool { control.load(ordering: .relaxed) & 1 == 1 }

  private static func live(_ generation: UInt64) -> UInt64 { generation << 1 | 1 }

  private func update(_ index: Index, tag control: UInt64, _ change: (Word) -> Word?) -> Bool {
    guard index > 0, let stripes = unsafe stripesInUse else {
      return update(single, tag: control, change, isSingle: true)
    }
    // The index is one that `Stripe.index` gave; stripes are never taken away.
    return unsafe update(stripes[Int(index) - 1].word, tag: control, change, isSingle: false)
  }

  /// Relaxed exchanges suffice: words carry counts and guard no other memory.
  private func update(
    _ cell: borrowing Atomic<UInt64>, tag control: UInt64, _ change: (Word) -> Word?,
    isSingle: Bool
  ) -> Bool {
    var current = Word(bits: cell.load(ordering: .relaxed))
    while current.tag == Word.tag(of: control), let next = change(current) {
      let (exchanged, original) = cell.compareExchange(
        expected: current.bits, desired: next.bits, ordering: .relaxed)
      if exchanged { return true }
      if isSingle { wantStripes() }
      current = Word(bits: original)
    }
    return false
  }

  /// Two calls have met on the single word.
  func wantStripes() {
    _ = stripes.compareExchange(
      expected: Self.noStripes, desired: Self.stripesWanted, ordering: .relaxed)
  }
}

// MARK: - Under the breaker's lock

extension CircuitBreaker.HotCounters {
  /// Ends a call that was counted here, whose report the core counts.
  func endCall(_ index: Index, generation: UInt64) {
    guard control.load(ordering: .relaxed) == Self.live(generation) else { return }
    forEachCell { cell, number in
      guard number == index else { return }
      cell.subtract(Word.call, ordering: .relaxed)
    }
  }

  /// Takes the successes out; calls in flight stay.
  func takeSuccesses() -> Tally {
    guard isLive else { return Tally() }
    var tally = Tally()
    forEachCell { cell, _ in
      var word = Word(bits: cell.load(ordering: .relaxed))
      if word.successes > 0 {
        let (old, _) = cell.bitwiseAnd(~Word.successesMask, ordering: .relaxed)
        word = Word(bits: old)
      }
      tally.add(word)
    }
    return tally
  }

  /// Ends the generation that was counted here.
  ///
  /// - Returns: what was counted since ``takeSuccesses()``, and the calls that are now of an older
  ///   generation.
  func close() -> Tally {
    guard isLive else { return Tally() }
    control.store(0, ordering: .releasing)
    var tally = Tally()
    forEachCell { cell, _ in
      tally.add(Word(bits: cell.exchange(0, ordering: .acquiringAndReleasing)))
    }
    return tally
  }

  /// Begins to count calls of a generation.
  func open(_ generation: UInt64) {
    let control = Self.live(generation)
    forEachCell { cell, _ in
      cell.store(Word(tag: Word.tag(of: control)).bits, ordering: .relaxed)
    }
    self.control.store(control, ordering: .releasing)
  }

  /// - Parameters:
  ///   - boundary: from when on the window needs the core, in the breaker's own time.
  ///   - offset: how far the clock is behind that.
  ///   - latest: what that time is now.
  func setTime(boundary: Int64, clockOffset offset: Int64, latest: Int64) {
    self.boundary.store(boundary, ordering: .relaxed)
    clockOffset.store(offset, ordering: .relaxed)
    self.latest.store(latest, ordering: .relaxed)
  }

  /// Makes the stripes if two threads have met. Under the lock, so that no generation ends
  /// between their making and their use.
  func makeStripesIfWanted() {
    guard stripes.load(ordering: .relaxed) == Self.stripesWanted else { return }
    let tag = Word.tag(of: control.load(ordering: .relaxed))
    let made = UnsafeMutablePointer<Stripe>.allocate(capacity: Stripe.count)
    // Within what was allocated just above.
    for number in 0..<Stripe.count {
      unsafe (made + number).initialize(to: Stripe(Word(tag: tag)))
    }
    stripes.store(UInt(bitPattern: made), ordering: .releasing)
  }

  private var stripesInUse: UnsafeMutablePointer<Stripe>? {
    let address = stripes.load(ordering: .acquiring)
    guard address != Self.stripesWanted else { return nil }
    // Nothing but a pointer from `makeStripes` is stored there, and it lives as long as this.
    return unsafe UnsafeMutablePointer(bitPattern: address)
  }

  private func forEachCell(_ body: (borrowing Atomic<UInt64>, Index) -> Void) {
    body(single, 0)
    guard let stripes = unsafe stripesInUse else { return }
    // As many as `makeStripesIfWanted` made.
    for number in 0..<Stripe.count {
      unsafe body(stripes[number].word, Index(number) + 1)
    }
  }
}

// MARK: - Words

extension CircuitBreaker.HotCounters {
  /// A tag of 16 bits, 20 bits of calls in flight, 28 bits of successes.
  fileprivate struct Word {
    let bits: UInt64

    static let call: UInt64 = 1 << 28
    static let successesMask: UInt64 = call - 1
    private static let callsMask: UInt64 = ((1 << 48) - 1) & ~successesMask

    init(bits: UInt64) { self.bits = bits }
    init(tag: UInt64) { bits = tag << 48 }

    static func tag(of control: UInt64) -> UInt64 { control & 0xffff }

    var tag: UInt64 { bits >> 48 }
    var successes: Int { Int(bits & Self.successesMask) }
    var inFlight: Int { Int((bits & Self.callsMask) >> 28) }

    /// `nil` if the counter is full: the core then counts the call.
    func startingCall() -> Word? {
      bits & Self.callsMask == Self.callsMask ? nil : Word(bits: bits + Self.call)
    }

    /// `nil` if the counter is full: the core then takes it over.
    func succeeding() -> Word? {
      bits & Self.successesMask == Self.successesMask ? nil : Word(bits: bits - Self.call + 1)
    }
  }

  /// A word on a cache line of its own.
  private struct Stripe: ~Copyable {
    let word: Atomic<UInt64>
    private let padding: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) =
      (0, 0, 0, 0, 0, 0, 0)

    static let count = ThreadStripe.count

    init(_ word: Word) { self.word = Atomic(word.bits) }

    static var index: Index { Index(ThreadStripe.current) + 1 }
  }
}

extension CircuitBreaker.HotCounters.Tally {
  fileprivate mutating func add(_ word: CircuitBreaker.HotCounters.Word) {
    successes += word.successes
    inFlight += word.inFlight
  }
}
