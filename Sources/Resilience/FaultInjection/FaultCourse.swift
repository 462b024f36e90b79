// The way of a call through the faults.

extension FaultInjection {
  /// What the lock guards.
  struct Shared: Sendable {
    var core: Core
    var totals = Totals()

    /// How many calls wait for a latency to pass.
    var delayed = 0

    /// The calls that hang.
    var hanging: [ObjectIdentifier: Waiter<Void>] = [:]

    /// Whether nobody has changed what the policy was made with.
    var isAsMade = true
  }

  struct Totals: Sendable {
    var errors = 0
    var latencies = 0
    var results = 0
    var hangs = 0
  }

  /// - Returns: what the next call meets; `nil` if nothing.
  @usableFromInline
  func plan<Success: ~Copyable>(for type: Success.Type) -> Plan? {
    let plan = shared.withLock { $0.core.plan { $0.applies(to: type) } }
    return plan.isEmpty ? nil : plan
  }

  /// - Returns: a result in place of the operation's; `nil` if the operation is to run.
  @usableFromInline
  func carryOut<Success: ~Copyable>(
    _ plan: Plan, for type: Success.Type
  ) async throws -> Graded<Success>? {
    if plan.latency > 0 { try await delay(for: plan.latency) }
    switch plan.ending {
    case .error(let makeError):
      let error = makeError()
      shared.withLock { $0.totals.errors.increment() }
      tell(.injected(.error(error)))
      throw error
    case .result(let replacement, _):
      // There is none of another type in the plan.
      guard let replacement = replacement as? Replacement<Success> else { return nil }
      shared.withLock { $0.totals.results.increment() }
      tell(.injected(.result))
      return replacement.make()
    case .hang:
      try await hang()
      return nil
    case .latency, nil: return nil
    }
  }

  private func delay(for latency: Int64) async throws {
    shared.withLock { shared in
      shared.totals.latencies.increment()
      shared.delayed += 1
    }
    defer { shared.withLock { $0.delayed -= 1 } }
    tell(.injected(.latency(.nanoseconds(latency))))
    try await clock.sleep(for: latency)
    try Task.checkCancellation()
  }

  /// Waits for the caller's cancellation, or until the policy is disabled.
  ///
  /// Parked, not asleep until a far instant: a virtual clock would jump there.
  private func hang() async throws {
    let waiter = Waiter<Void>()
    let id = ObjectIdentifier(waiter)
    // Who disables takes the lock after it, and finds the waiter; or it is found here.
    let isParked = shared.withLock { shared in
      guard isEnabled else { return false }
      shared.totals.hangs.increment()
      shared.hanging[id] = waiter
      return true
    }
    guard isParked else { return }
    tell(.injected(.hang))
    await withTaskCancellationHandler {
      await waiter.word()
    } onCancel: {
      waiter.tell(())
    }
    shared.withLock { _ = $0.hanging.removeValue(forKey: id) }
    try Task.checkCancellation()
  }

  func tell(_ kind: @autoclosure () -> Event.Kind) {
    events.announce(Event(policy: name, kind: kind()))
  }
}
