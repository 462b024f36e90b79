import Synchronization

/// Names the attempt of a retry that a task runs in, for as long as that attempt lasts.
///
/// It is a task-local value, and an unstructured `Task { }` copies those: work started within an
/// attempt carries the name for ever. So the name can be asked whether its attempt still lives.
@usableFromInline
struct LiveAttempt: Sendable {
  // Spelled out, because `@TaskLocal` cannot make its projection usable from inlinable code.
  @usableFromInline static let taskLocal = TaskLocal<LiveAttempt?>(wrappedValue: nil)

  /// What few attempts have: an object, so that the name is small, and is copied for little.
  private final class Details: Sendable {
    /// The attempts that this one runs in.
    let outside: [LiveAttempt]
    /// For an attempt that has found no slot.
    let hasEnded = Atomic<Bool>(false)

    init(outside: [LiveAttempt]) {
      self.outside = outside
    }
  }

  private static let noSlot: Int32 = -1

  private let slot: Int32
  private let turn: UInt64
  private var details: Details?

  /// Whether what runs in it is repeated from outside.
  private let isRepeated: Bool

  /// The budget that counts the attempt's success.
  private let budget: ObjectIdentifier?

  /// What the attempts around the current task mean for a retry.
  struct Standing: Sendable {
    /// Whether any of them lives.
    var isInside = false
    /// Whether one of them is repeated if it fails.
    var isRepeated = false
    /// Whether one of them counts its success in the retry's budget.
    var isCounted = false

    fileprivate mutating func add(_ attempt: LiveAttempt, _ budget: ObjectIdentifier?) {
      guard attempt.isLive else { return }
      isInside = true
      if attempt.isRepeated { isRepeated = true }
      if attempt.budget == budget { isCounted = true }
    }
  }

  /// How a retry that begins now stands, with this budget.
  static func standing(of budget: RetryBudget?) -> Standing {
    guard let attempt = taskLocal.get() else { return Standing() }
    var standing = Standing()
    let budget = budget.map { ObjectIdentifier($0) }
    standing.add(attempt, budget)
    for outer in attempt.outside { standing.add(outer, budget) }
    return standing
  }

  /// Begins an attempt. Costs an atomic exchange; it allocates only inside another attempt, or where
  /// thousands of attempts live at once.
  ///
  /// - Parameter isInside: whether to look for attempts around it.
  init(countedBy budget: RetryBudget?, isRepeated: Bool = true, isInside: Bool = true) {
    // Those that are over are left behind: a chain of tasks that start each other does not grow.
    let outside = isInside ? Self.taskLocal.get()?.withOutside.filter(\.isLive) ?? [] : []
    let place = Slots.take()
    slot = place.map { Int32($0.slot) } ?? Self.noSlot
    turn = place?.turn ?? 0
    details = place == nil || !outside.isEmpty ? Details(outside: outside) : nil
    self.isRepeated = isRepeated
    self.budget = budget.map { ObjectIdentifier($0) }
  }

  /// It and those around it, without what they know of each other: otherwise a chain of tasks that
  /// start each other would be kept as long as the last.
  private var withOutside: [LiveAttempt] {
    var alone = self
    if slot != Self.noSlot { alone.details = nil }
    return [alone] + outside
  }

  /// Those around it, as far as they lived when it began.
  var outside: [LiveAttempt] { details?.outside ?? [] }

  private var isLive: Bool {
    if slot != Self.noSlot { return Slots.isTaken(Int(slot), turn: turn) }
    return !(details?.hasEnded.load(ordering: .acquiring) ?? true)
  }

  /// Ends the attempt, once.
  @usableFromInline
  func end() {
    if slot != Self.noSlot {
      Slots.giveBack(Int(slot), turn: turn)
    } else {
      details?.hasEnded.store(true, ordering: .releasing)
    }
  }

  /// Runs the body with this attempt as the task's.
  ///
  /// On Swift 6.3.1 a closure given to `withValue` loses the caller's actor unless it captures an
  /// isolated parameter.
  @inlinable
  func run(
    _ isolation: isolated (any Actor)?, _ body: nonisolated(nonsending) () async throws -> Void
  ) async throws {
    try await Self.taskLocal.withValue(self) {
      _ = isolation
      try await body()
    }
  }
}

extension LiveAttempt {
  /// A table of words, one for each attempt that lives: odd while its slot is taken, and greater by
  /// two each time. So a turn is never taken twice, and names one attempt.
  ///
  /// Each thread has a part of the table, and starts to look where a slot was last given back.
  private enum Slots {
    private static let share = 256
    /// How many slots are looked at before giving up.
    private static let patience = 32

    // Allocated once and never freed, so the pointers are valid for as long as the process runs;
    // what they point to is initialized before anybody sees them, and atomic.
    nonisolated(unsafe) private static let words =
      unsafe make(share * ThreadStripe.count, of: UInt64(0))
    nonisolated(unsafe) private static let cursors = unsafe make(8 * ThreadStripe.count, of: 0)

    static func take() -> (slot: Int, turn: UInt64)? {
      let stripe = ThreadStripe.current
      // Within the table: a stripe is less than the count, and its cursor's line its own.
      let cursor = unsafe cursors[8 * stripe].load(ordering: .relaxed)
      for step in 0..<patience {
        let slot = stripe * share + (cursor + step) % share
        let turn = unsafe words[slot].load(ordering: .relaxed)
        guard turn & 1 == 0 else { continue }
        let (isTaken, _) = unsafe words[slot].compareExchange(
          expected: turn, desired: turn + 1, ordering: .relaxed)
        if isTaken { return (slot, turn + 1) }
      }
      return nil
    }

    static func giveBack(_ slot: Int, turn: UInt64) {
      // Who takes a slot gives it back, once: nobody else writes to a word that is odd.
      unsafe words[slot].store(turn + 1, ordering: .releasing)
      unsafe cursors[8 * (slot / share)].store(slot % share, ordering: .relaxed)
    }

    static func isTaken(_ slot: Int, turn: UInt64) -> Bool {
      unsafe words[slot].load(ordering: .acquiring) == turn
    }

    private static func make<Value>(
      _ count: Int, of value: Value
    ) -> UnsafeMutablePointer<Atomic<Value>> where Value: AtomicRepresentable {
      let made = UnsafeMutablePointer<Atomic<Value>>.allocate(capacity: count)
      // Within what was allocated just above.
      for index in 0..<count { unsafe (made + index).initialize(to: Atomic(value)) }
      return unsafe made
    }
  }
}
