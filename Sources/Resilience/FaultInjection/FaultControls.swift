import Synchronization

extension FaultInjection {
  /// Whether faults are injected.
  ///
  /// Switched off, calls pass as if the policy were not there: nothing is drawn, counted or locked.
  /// Calls that hang go on to their operations; a latency that has begun is waited for.
  public var isEnabled: Bool {
    get { enabled.load(ordering: .relaxed) }
    set {
      let released: [Waiter<Void>]? = shared.withLock { shared in
        guard enabled.exchange(newValue, ordering: .relaxed) != newValue else { return nil }
        shared.isAsMade = false
        prepare(newValue ? .enabled : .disabled)
        return newValue ? [] : Array(shared.hanging.values)
      }
      guard let released else { return }
      for waiter in released { waiter.tell(()) }
      events.deliver()
    }
  }

  /// The faults, in the order in which they are drawn for.
  public var faults: [Fault] { shared.withLock { $0.core.faults } }

  /// Injects these faults from the next call on, in place of all there were.
  ///
  /// Calls that wait or hang go on doing so. The draws go on where they were.
  ///
  /// Faults that cannot be stop the program; check those that arrive at run time with
  /// ``Configuration/validate()`` before.
  public func setFaults(_ faults: [Fault]) {
    Configuration(faults).stopIfInvalid(of: name)
    // Those that were there end outside the lock: their closures hold what they like.
    _ = shared.withLock { shared in
      let earlier = shared.core.faults
      shared.core.faults = faults
      shared.isAsMade = false
      prepare(.faultsChanged)
      return earlier
    }
    events.deliver()
  }

  /// Under the lock, so that changes are announced in their order.
  private func prepare(_ kind: Event.Kind) {
    events.prepare(Event(policy: name, kind: kind))
  }

  /// One layer: its name, and its faults in words.
  public var layers: [PolicyLayer] {
    let settings = Configuration(faults, isEnabled: isEnabled).description
    return [PolicyLayer(role: .faultInjection, name: name, settings: settings)]
  }
}

extension FaultInjection: Evictable {
  /// Whether no call waits or hangs in it, and nobody has switched it or changed its faults.
  public var isEvictable: Bool {
    shared.withLock { $0.delayed == 0 && $0.hanging.isEmpty && $0.isAsMade }
  }
}
