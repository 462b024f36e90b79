/// What one stack did in one scenario under one seed.
public struct TrialResult: Hashable, Codable, Sendable {
  /// A stretch of time in which the same was wrong.
  public struct Stretch: Hashable, Codable, Sendable {
    /// What the stretch is in the scenario.
    public enum Role: String, Hashable, Codable, Sendable {
      /// Before anything went wrong.
      case warmUp
      /// A phase of trouble.
      case trouble
      /// After the last one.
      case afterwards
    }

    /// What the stretch is in the scenario.
    public let role: Role

    /// What became of the calls that were made in it.
    public let calls: [CallGroup: Tally]

    /// How long their answers took.
    public let latencies: Latencies
  }

  /// The scenario.
  public let scenario: String

  /// The stack.
  public let stack: String

  /// How many clients there were.
  public let clients: Int

  /// The seed that this result comes from, again and again.
  public let seed: UInt64

  /// Warm-up, phases of trouble, afterwards.
  public let stretches: [Stretch]

  /// Second by second; the trouble ends with the one before ``firstSecondAfter``.
  public let timeline: [Second]

  /// The first second after the trouble.
  public let firstSecondAfter: Int

  /// How many attempts clients were waiting for at once, at most.
  public let peakInFlight: Int

  /// What the circuit breakers did.
  public let circuits: CircuitCounts

  /// Calls that were not over a minute after the last one was made: something hangs.
  public let unfinishedCalls: Int

  /// Timers that were still set when nothing went on any more: something leaks.
  public let leftoverTimers: Int

  /// A number over all that happened: equal runs have equal ones.
  public let digest: UInt64
}

/// One second of a trial.
public struct Second: Hashable, Codable, Sendable {
  /// Calls that users made in it and did not give up.
  public internal(set) var offered = 0

  /// Those of them that were answered within the user's deadline.
  public internal(set) var good = 0

  /// Requests that reached the service in it.
  public internal(set) var attempts = 0

  init() {}

  /// The share of the calls that were answered in time; 1 without any.
  public var goodput: Double { offered > 0 ? Double(good) / Double(offered) : 1 }
}

// MARK: - Recovery

extension TrialResult {
  /// How many seconds after the trouble it was until at least 95 % of the calls were answered in time
  /// for 5 seconds on end, or for as long as was watched if that is less; `nil` if that never came.
  public var timeToRecover: Int? {
    let after = timeline[firstSecondAfter...]
    guard !after.isEmpty else { return nil }
    return (0...max(0, after.count - 5)).first { second in
      after.dropFirst(second).prefix(5).allSatisfy { $0.goodput >= 0.95 }
    }
  }

  /// Whether the trouble outlived its cause: the stack did not recover while it was watched, or had
  /// lost it again at the end.
  public var isMetastable: Bool {
    guard timeToRecover != nil else { return true }
    let last = timeline[firstSecondAfter...].suffix(10)
    let offered = last.reduce(0) { $0 + $1.offered }
    let good = last.reduce(0) { $0 + $1.good }
    return Double(good) < 0.95 * Double(offered)
  }

  /// Most requests that reached the service in one second.
  public var peakArrivals: Int { timeline.map(\.attempts).max() ?? 0 }

  /// What became of the calls of all stretches of a role, or of the whole trial.
  public func calls(_ group: CallGroup = .all, in role: Stretch.Role? = nil) -> Tally {
    stretches.filter { role == nil || $0.role == role }
      .reduce(into: Tally()) { $0 += $1.calls[group] ?? Tally() }
  }
}
