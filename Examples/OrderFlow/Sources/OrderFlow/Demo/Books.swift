import Resilience

/// What each part of the shop has counted, at the end of a run.
struct Books: Equatable {
  /// Requests that the client has made, and that the user service has received.
  var requests = 0
  var received = 0

  var circuit = "closed"
  /// Attempts that the breaker has let through, and refused.
  var successes = 0
  var failures = 0
  var ignored = 0
  /// Attempts that it let through and that ended after its state had changed.
  var late = 0
  var refusedByCircuit = 0

  var retries = 0
  var recovered = 0
  var budgetRefused = 0
  var budget: Budget?

  /// Faults that were injected; none without chaos.
  var injected: Summary.Injected?

  /// Orders that the order service has taken, turned away, and not finished yet.
  var admitted = 0
  var turnedAway = 0
  var inFlight = 0
  var limit = 0

  struct Budget: Equatable {
    var withdrawn = 0
    var givenBack = 0
    var refused = 0
    /// What it starts with.
    var initial = 0
  }

  var letThrough: Int { successes + failures + ignored + late }
}

extension Books {
  init(of shop: Shop) async {
    requests = shop.userClient.calls
    received = await shop.userService.requests
    read(shop.policies.breaker.snapshot())
    read(shop.policies.retry.snapshot())
    budget?.initial = shop.policies.retry.budget?.minimumCapacity ?? 0
    injected = shop.policies.faults.map { Summary.Injected($0.snapshot()) }
    read(shop.admission.snapshot())
  }

  private mutating func read(_ breaker: CircuitBreaker.Snapshot) {
    circuit = "\(breaker.state)"
    successes = Int(clamping: breaker.totals.successes)
    failures = Int(clamping: breaker.totals.failures)
    ignored = Int(clamping: breaker.totals.ignored)
    late = Int(clamping: breaker.totals.late)
    refusedByCircuit = Int(clamping: breaker.totals.rejected)
  }

  private mutating func read(_ retry: Retry.Snapshot) {
    retries = retry.totals.retries
    recovered = retry.totals.recovered
    budgetRefused = retry.totals.budgetRefused
    budget = retry.budget.map { budget in
      Budget(withdrawn: budget.withdrawn, givenBack: budget.givenBack, refused: budget.refused)
    }
  }

  private mutating func read(_ admission: Bulkhead.Snapshot) {
    admitted = admission.totals.admitted
    turnedAway = admission.totals.rejected
    inFlight = admission.inFlight
    limit = admission.limit
  }
}
