extension VirtualClock {
  /// In what order a run loop runs what could run at the same virtual time.
  ///
  /// The candidates are the jobs that are ready and, in every order but ``arrival``, the timers that
  /// are due at this instant. See <doc:ExploringSchedules>.
  public struct Order: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
      case arrival
      case shuffled(seed: UInt64)
      case replaying([Int])
    }

    let kind: Kind

    /// First come, first served. A timer waits until nothing is ready.
    public static let arrival = Order(kind: .arrival)

    /// Each time one of the candidates is drawn, by a generator (SplitMix64) that the seed repeats
    /// exactly, on every platform.
    public static func shuffled(seed: UInt64) -> Order {
      Order(kind: .shuffled(seed: seed))
    }

    /// Each time that there is more than one candidate, the next of the choices says which: its
    /// number in the order of arrival, jobs before timers. After the last choice it is always the
    /// first.
    ///
    /// That is how a ``ScheduleError`` of an exhaustive exploration names a schedule. Choices belong
    /// to one version of a program: where they do not fit, because one is out of range or some are
    /// left over, a ``VirtualTimeError`` says so.
    public static func replaying(_ choices: [Int]) -> Order {
      Order(kind: .replaying(choices))
    }
  }
}

extension VirtualClock.Order: CustomStringConvertible {
  /// The order as it is written in Swift, to be copied from a log into a test.
  public var description: String {
    switch kind {
    case .arrival: ".arrival"
    case .shuffled(let seed): ".shuffled(seed: \(seed))"
    case .replaying(let choices): ".replaying(\(choices))"
    }
  }
}
