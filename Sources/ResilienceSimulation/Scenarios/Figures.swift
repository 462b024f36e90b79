// The figures that several scenarios publish.

extension Figure {
  /// Seconds from the end of the trouble to at least 95 % goodput for 5 s.
  static func timeToRecover(_ target: Target? = nil) -> Figure {
    Figure("time to recover", .seconds, target) { $0.timeToRecover.map(Double.init) }
  }

  /// Good answers of all calls, in one role or all of the trial.
  static func goodput(
    _ name: String = "goodput", _ group: CallGroup = .all, in role: TrialResult.Stretch.Role? = nil,
    _ target: Target? = nil
  ) -> Figure {
    Figure(name, .share, target) { $0.calls(group, in: role).goodput }
  }

  /// Requests to the service for each call, during the trouble.
  static func amplification(_ target: Target? = nil) -> Figure {
    Figure("requests per call in the trouble", .ratio, target) {
      $0.calls(in: .trouble).amplification
    }
  }

  /// The share of the service's work that nobody waited for, in all of the trial.
  static var wasted: Figure {
    Figure("wasted work", .share) { $0.calls().wastedShare }
  }

  /// Refused calls that would have been answered in time, of all calls of the trial.
  static var collateral: Figure {
    Figure("refused in vain", .share) {
      let calls = $0.calls()
      return calls.offered > 0 ? Double(calls.collateral) / Double(calls.offered) : 0
    }
  }

  /// Most attempts that clients waited for at once.
  static func peakInFlight(_ target: Target? = nil) -> Figure {
    Figure("peak in flight", .count, target) { Double($0.peakInFlight) }
  }

  /// Most requests in one second.
  static var peakArrivals: Figure {
    Figure("peak requests/s", .count) { Double($0.peakArrivals) }
  }

  /// How long callers waited, all together.
  static var blocked: Figure {
    Figure("caller-seconds waited", .count) { $0.calls().blockedSeconds.rounded() }
  }

  /// Closed circuits that opened after the trouble.
  static func retrips(_ target: Target? = nil) -> Figure {
    Figure("trips after the trouble", .count, target) { Double($0.circuits.tripsAfterwards) }
  }

  static var failedProbes: Figure {
    Figure("failed probes after the trouble", .count) {
      Double($0.circuits.failedProbesAfterwards)
    }
  }

  /// Calls and timers that outlive the trial.
  static var leaks: Figure {
    Figure("calls and timers left", .count, .only(Target.own, .atMost(0))) {
      Double($0.unfinishedCalls + $0.leftoverTimers)
    }
  }
}

extension Target {
  /// The stacks that a scenario's target binds: the library's default, and what is made of it.
  static let own = ["recommended", "tuned", "guarded", "hedged"]

  static func own(_ target: Target) -> Target { .only(own, target) }
}
