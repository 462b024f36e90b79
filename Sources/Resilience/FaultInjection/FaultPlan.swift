extension FaultInjection {
  /// Which faults meet which call: the decision core, which has no clock and no lock.
  struct Core: Sendable {
    var faults: [Fault]

    /// The calls it was asked about.
    private(set) var calls = 0

    private var random: SplitMix64

    init(_ faults: [Fault], seed: UInt64?) {
      self.faults = faults
      random = SplitMix64(seed: seed)
    }

    /// Draws for the next call: once for each fault that has a rate, also when an earlier one has
    /// ended the call, so that what a call meets depends on its number and on nothing else.
    ///
    /// - Parameter applies: whether a fault is for calls of this kind.
    mutating func plan(where applies: (Fault.Effect) -> Bool) -> Plan {
      calls.increment()
      var plan = Plan()
      for fault in faults {
        let isDue = isDue(fault)
        if isDue, applies(fault.effect) { plan.add(fault.effect) }
      }
      return plan
    }

    private mutating func isDue(_ fault: Fault) -> Bool {
      switch fault.trigger {
      case .rate(let rate): Double.random(in: 0..<1, using: &random) < rate
      case .call(let call): calls == call
      }
    }
  }

  /// What one call meets.
  @usableFromInline
  struct Plan: Sendable {
    /// In nanoseconds.
    private(set) var latency: Int64 = 0

    /// What comes in place of the operation, if anything does.
    private(set) var ending: Fault.Effect?

    var isEmpty: Bool { latency == 0 && ending == nil }

    /// Latencies add up; what follows an ending does not come to pass.
    fileprivate mutating func add(_ effect: Fault.Effect) {
      guard ending == nil else { return }
      if case .latency(let more) = effect {
        latency = latency.addingSaturated(more.nanosecondsRoundedUp)
      } else {
        ending = effect
      }
    }
  }
}
