import Synchronization

/// Names the attempt of a retry that a task runs in, for as long as that attempt lasts.
///
/// It is a task-local value, and an unstructured `Task { }` copies those: work started within an
/// attempt carries the name for ever. So the name can be asked whether its attempt still lives.
@usableFromInline
struct LiveAttempt: Sendable {
  // Spelled out, because `@TaskLocal` cannot make its projection usable from inlinable code.
  @usableFromInline static let taskLocal = TaskLocal<LiveAttempt?>(wrappedValue: nil)

  private enum Place: Sendable {
    case slot(Int, turn: UInt64)
    case own(Life)
    case none
  }

  /// Whether an attempt lives that has found no slot.
  private final class Life: Sendable {
    let hasEnded = Atomic<Bool>(false)
  }

  private let place: Place

  /// Whether it was begun by who has it, and not by a retry outside.
  private let isOwned: Bool

  /// The budget that counts the attempt's success.
  let budget: ObjectIdentifier?

  /// The attempt that the current task runs in, if there is one and it lives.
  static var current: LiveAttempt? {
    guard let attempt = taskLocal.get(), attempt.isLive else { return nil }
    return attempt
  }

  /// Begins an attempt. Costs an atomic exchange; it allocates only where thousands of attempts
  /// live at once.
  init(countedBy budget: RetryBudget?) {
    self.init(
      Slots.take().map { .slot($0.slot, turn: $0.turn) } ?? .own(Life()), isOwned: true,
      budget: budget.map { ObjectIdentifier($0) })
  }

  /// The attempt outside, if there is one, for a retry that does not repeat: what runs inside finds
  /// what it would find without it.
  static var outside: LiveAttempt {
    let current = current
    return LiveAttempt(current?.place ?? .none, isOwned: false, budget: current?.budget)
  }

  private init(_ place: Place, isOwned: Bool, budget: ObjectIdentifier?) {
    self.place = place
    self.isOwned = isOwned
    self.budget = budget
  }

  private var isLive: Bool {
    switch place {
    case .slot(let slot, let turn): Slots.isTaken(slot, turn: turn)
    case .own(let life): !life.hasEnded.load(ordering: .acquiring)
    case .none: false
    }
  }

  /// Ends the attempt, once, if it was begun here.
  @usableFromInline
  func end() {
    guard isOwned else { return }
    switch place {
    case .slot(let slot, let turn): Slots.giveBack(slot, turn: turn)
    case .own(let life): life.hasEnded.store(true, ordering: .releasing)
    case .none: break
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
