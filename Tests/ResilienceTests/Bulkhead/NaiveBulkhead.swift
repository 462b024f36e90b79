@testable import Resilience

/// What a bulkhead decides, in the plainest way: one list, searched from end to end.
struct NaiveBulkhead {
  typealias Reason = BulkheadFullError.Reason

  struct Waiting: Hashable {
    let number: Int
    let urgency: UInt8
    let since: Int64
    let until: Int64
    let reason: Reason
  }

  /// What became of a call that waited.
  struct Ending: Hashable {
    let number: Int
    let verdict: Bulkhead.Verdict
    let waited: Int64
  }

  enum Arrival: Hashable {
    case entered
    case refused(Reason)
    case queued(until: Int64, waiting: Int)
  }

  let capacity: Int
  let order: Bulkhead.Order
  var limit: Int
  var inFlight = 0
  /// In the order in which they came.
  var waiting: [Waiting] = []
  var totals = Bulkhead.Totals()
  private var emptyAt = Int64.min

  init(limit: Int, capacity: Int, order: Bulkhead.Order) {
    (self.limit, self.capacity, self.order) = (limit, capacity, order)
  }

  mutating func enter() -> Bool {
    if inFlight < limit {
      admit()
      return true
    }
    totals.full += 1
    return false
  }

  mutating func arrive(
    _ number: Int, urgency: UInt8, until: Int64, reason: Reason, at now: Int64
  ) -> (Arrival, [Ending]) {
    if inFlight < limit {
      admit()
      return (.entered, [])
    }
    if capacity == 0 { return (refuse(.full), []) }
    var (until, reason) = (until, reason)
    if order == .newestFirst {
      if waiting.isEmpty { emptyAt = now }
      let isOverloaded = now - emptyAt > 100_000_000
      let delayed = now + (isOverloaded ? 5_000_000 : 100_000_000)
      if delayed < until { (until, reason) = (delayed, .dropped) }
    }
    if until <= now { return (refuse(reason), []) }
    var endings: [Ending] = []
    if waiting.count == capacity {
      guard let least = least(for: urgency) else { return (refuse(.full), []) }
      endings.append(end(least, .refused(.dropped), at: now))
    }
    waiting.append(
      Waiting(number: number, urgency: urgency, since: now, until: until, reason: reason))
    return (.queued(until: until, waiting: waiting.count), endings)
  }

  mutating func leave(at now: Int64) -> [Ending] {
    inFlight -= 1
    return serve(at: now)
  }

  mutating func resize(to limit: Int, at now: Int64) -> [Ending] {
    self.limit = limit
    return serve(at: now)
  }

  mutating func cancel(_ number: Int, at now: Int64) -> [Ending] {
    guard let index = waiting.firstIndex(where: { $0.number == number }) else { return [] }
    return [end(index, .cancelled, at: now)]
  }

  mutating func expire(_ number: Int, at now: Int64) -> [Ending] {
    guard let index = waiting.firstIndex(where: { $0.number == number }) else { return [] }
    return [end(index, .refused(waiting[index].reason), at: now)]
  }

  private mutating func serve(at now: Int64) -> [Ending] {
    var endings: [Ending] = []
    while inFlight < limit, !waiting.isEmpty {
      let index = next()
      if waiting[index].until <= now {
        endings.append(end(index, .refused(waiting[index].reason), at: now))
      } else {
        admit()
        endings.append(end(index, .served, at: now))
      }
    }
    return endings
  }

  private mutating func admit() {
    inFlight += 1
    totals.admitted += 1
  }

  private func next() -> Int {
    switch order {
    case .newestFirst: return waiting.count - 1
    case .priority:
      let highest = waiting.map(\.urgency).max()
      return waiting.firstIndex { $0.urgency == highest } ?? 0
    default: return 0
    }
  }

  private func least(for urgency: UInt8) -> Int? {
    switch order {
    case .newestFirst: return 0
    case .priority:
      guard let lowest = waiting.map(\.urgency).min(), lowest < urgency else { return nil }
      return waiting.lastIndex { $0.urgency == lowest }
    default: return nil
    }
  }

  private mutating func refuse(_ reason: Reason) -> Arrival {
    count(.refused(reason))
    return .refused(reason)
  }

  private mutating func end(
    _ index: Int, _ verdict: Bulkhead.Verdict, at now: Int64
  ) -> Ending {
    count(verdict)
    let waiting = waiting.remove(at: index)
    return Ending(number: waiting.number, verdict: verdict, waited: now - waiting.since)
  }

  private mutating func count(_ verdict: Bulkhead.Verdict) {
    switch verdict {
    case .served: totals.waited += 1
    case .cancelled: totals.cancelled += 1
    case .refused(let reason):
      let counters: [Reason: WritableKeyPath<Bulkhead.Totals, Int>] = [
        .full: \.full, .waitedTooLong: \.waitedTooLong, .deadlineExpired: \.deadlineExpired,
        .dropped: \.dropped,
      ]
      if let counter = counters[reason] { totals[keyPath: counter] += 1 }
    }
  }
}
