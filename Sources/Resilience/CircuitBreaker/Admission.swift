extension CircuitBreaker {
  /// A call that was admitted, until it reports: a trivial value, so that carrying it through a
  /// call costs no reference count.
  @usableFromInline
  struct Admission: Sendable {
    /// Where the call is counted as in flight.
    enum Ticket: Hashable, Sendable {
      /// In a counter of the lock-free path.
      case stripe(Int32)

      /// In the decision core.
      case core

      /// In the decision core, which watches whether it hangs; after so many successes.
      case watched(after: UInt32)

      /// As a probe, under its number.
      case probe(UInt32)

      /// Nowhere: the breaker was disabled.
      case untracked
    }

    /// The number of transitions before it. A report counts only in the generation that admitted
    /// its call.
    let generation: UInt64

    /// When the call started, in the breaker's own time; 0 if nothing in the configuration asks
    /// for it.
    let start: Int64

    let ticket: Ticket
  }

  /// What a call reports when it ends.
  struct Report: Sendable {
    var outcome: Outcome
    var isSlow = false

    /// For how long the server asked to be left alone, in nanoseconds; 0 if it did not.
    var retryAfter: Int64 = 0
  }
}
