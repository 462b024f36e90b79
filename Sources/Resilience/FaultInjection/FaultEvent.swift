extension FaultInjection {
  /// Something that happened in a fault injection.
  public struct Event: ResilienceEvent {
    /// The name of the policy.
    public let policy: String

    /// What happened.
    public let kind: Kind

    /// What can happen in a fault injection. More may come: give a `switch` a `default`.
    public enum Kind: Sendable {
      /// A call met a fault.
      case injected(Injection)

      /// It was switched on.
      case enabled

      /// It was switched off.
      case disabled

      /// It was given other faults.
      case faultsChanged
    }

    /// What a call met. More may come: give a `switch` a `default`.
    public enum Injection: Sendable {
      /// An error, in place of its operation.
      case error(any Error)

      /// A wait, which begins now: the sum of its latencies.
      case latency(Duration)

      /// A result, in place of its operation's.
      case result

      /// It hangs from now on.
      case hang
    }

    /// One line for a log.
    public var description: String { "fault injection \"\(policy)\": \(kind)" }
  }

  /// A fault injection at one moment.
  public struct Snapshot: Hashable, Sendable {
    /// The name of the policy.
    public let name: String

    /// Whether faults are injected.
    public let isEnabled: Bool

    /// The calls there were while it was enabled, met by a fault or not.
    public let calls: Int

    /// The calls that an error met.
    public let errors: Int

    /// The calls that were made to wait.
    public let latencies: Int

    /// The calls that got another result.
    public let results: Int

    /// The calls that were made to hang.
    public let hangs: Int

    /// The calls that wait or hang now.
    public let waiting: Int
  }

  /// What has happened so far, in the policy's whole life. Passive; costs a lock.
  public func snapshot() -> Snapshot {
    shared.withLock { shared in
      let totals = shared.totals
      return Snapshot(
        name: name, isEnabled: isEnabled, calls: shared.core.calls, errors: totals.errors,
        latencies: totals.latencies, results: totals.results, hangs: totals.hangs,
        waiting: shared.delayed + shared.hanging.count)
    }
  }
}

extension FaultInjection.Event.Kind: CustomStringConvertible {
  /// A few words for a log.
  public var description: String {
    switch self {
    case .injected(let injection): "injected \(injection)"
    case .enabled: "enabled"
    case .disabled: "disabled"
    case .faultsChanged: "faults changed"
    }
  }
}

extension FaultInjection.Event.Injection: CustomStringConvertible {
  /// A few words for a log.
  public var description: String {
    switch self {
    case .error(let error): "an error (\(error))"
    case .latency(let latency): "a latency of \(latency)"
    case .result: "a result"
    case .hang: "a hang"
    }
  }
}
