@testable import Resilience

/// What can be walked at random beside the ``NaiveBreaker``.
protocol ModelledBreaker {
  /// Whether it finds out by itself which calls are slow.
  var timesCalls: Bool { get }

  mutating func admit(at now: Int64) -> CircuitBreaker.Core.Decision
  mutating func record(
    _ report: CircuitBreaker.Report, of admission: CircuitBreaker.Admission, at now: Int64
  )
  mutating func control(_ control: BreakerControl, at now: Int64)
  mutating func reading(at now: Int64) -> NaiveBreaker.Reading

  /// What was announced since the last time; `nil` if it does not tell.
  mutating func takeNotices() -> [NaiveBreaker.Notice]?

  /// Lets a success come in the middle of the next change, if it can.
  mutating func race(successOf admission: CircuitBreaker.Admission)

  /// Whether that has happened.
  mutating func endRace() -> Bool
}

extension ModelledBreaker {
  mutating func race(successOf admission: CircuitBreaker.Admission) {}
  mutating func endRace() -> Bool { false }
}

enum BreakerControl {
  case enter(CircuitBreaker.State)
  case reset
  case trip(for: Int64?)
}

/// A walk through the life of a breaker and its model, step by step, comparing after each.
struct CoreModelWalk<Breaker: ModelledBreaker> {
  private enum Weather: CaseIterable { case fair, mixed, foul }

  private var breaker: Breaker
  private var model: NaiveBreaker
  private var random: SplitMix64
  private let unit: Int64
  private var now: Int64 = 0
  private var weather = Weather.fair
  private var calls: [(id: Int, admission: CircuitBreaker.Admission, start: Int64)] = []
  private var mismatch: String?

  /// How often what was visited.
  private(set) var visits: [String: Int] = [:]

  /// - Parameter unit: the time in which something happens, in nanoseconds.
  init(_ breaker: Breaker, _ settings: NaiveBreaker.Settings, seed: UInt64, unit: Int64) {
    self.breaker = breaker
    self.unit = unit
    model = NaiveBreaker(settings, at: 0)
    random = SplitMix64(seed: seed)
  }

  /// - Returns: where breaker and model differ, if they do.
  mutating func walk(steps: Int) -> String? {
    for step in 0..<steps {
      move()
      compare()
      if let mismatch { return "step \(step), at \(now): \(mismatch)" }
    }
    return nil
  }

  private mutating func move() {
    if chance(25) { weather = Weather.allCases[number(below: 3)] }
    switch number(below: 1000) {
    case ..<280: now += timeToPass()
    case ..<640: racing { $0.admit() }
    case ..<985: racing { $0.report() }
    default: racing { $0.control() }
    }
    // Nobody stays isolated, disabled or observing for long, or there is little else to see.
    switch model.state {
    case .closed, .open, .halfOpen: break
    case .observing: if chance(20) { apply(.reset) }
    case .isolated, .disabled: if chance(150) { apply(.reset) }
    }
  }

  /// Not quite evenly, but quickly.
  private mutating func number(below end: Int) -> Int {
    Int(truncatingIfNeeded: random.next() % UInt64(end))
  }

  private mutating func chance(_ perMille: Int) -> Bool {
    number(below: 1000) < perMille
  }

  private mutating func visit(_ place: String) { visits[place, default: 0] += 1 }

  private mutating func expect<Value: Equatable>(_ value: Value, _ expected: Value, _ what: String)
  {
    guard value != expected, mismatch == nil else { return }
    mismatch = "\(what) is\n\(value)\ninstead of\n\(expected)"
  }

  private mutating func compare() {
    expect(breaker.reading(at: now), model.reading(at: now), "reading")
    let expected = model.takeNotices()
    for notice in expected {
      switch notice {
      case .transition(_, let next, let cause, _, _, _): visit("\(next): \(cause)")
      case .wouldHaveOpened(let cause, _):
        visit("would have opened")
        visit("would have opened: \(cause)")
      }
    }
    if let notices = breaker.takeNotices() { expect(notices, expected, "announcement") }
  }
}

// MARK: - Steps

extension CoreModelWalk {
  /// Often little, often up to a border, sometimes very much.
  private mutating func timeToPass() -> Int64 {
    switch number(below: 100) {
    case ..<45: return .random(in: 0...unit / 8, using: &random)
    case ..<70: return .random(in: 0...unit * 2, using: &random)
    case ..<98:
      let border = borders.filter { $0 > now + 1 }.randomElement(using: &random) ?? now + unit
      return border - now + .random(in: -1...1, using: &random)
    default: return .random(in: 0...unit * 100_000, using: &random)
    }
  }

  private var borders: [Int64] {
    var borders = [model.openUntil, now + model.settings.slowerThan]
    borders += model.probesInFlight.map { $0.start + model.settings.lease }
    if let hungAfter = model.settings.hungAfter { borders += calls.map { $0.start + hungAfter } }
    borders += calls.map { $0.start + model.settings.slowerThan }
    if let closedAt = model.closedAt {
      borders += [closedAt, now].map { $0 + model.settings.probation }
      borders.append(closedAt + model.lastOpenLength)
    }
    switch model.settings.window {
    case .sinceTransition, .calls: break
    case .interval(let length): borders.append((model.touches.last ?? model.since) + length)
    case .rolling(let length, let buckets):
      let next = (now - model.since) / length * Int64(buckets) + .init(buckets)
      borders.append(model.since + (next * length + .init(buckets) - 1) / .init(buckets))
      borders.append(model.since + length / Int64(buckets) + 1)
    }
    return borders
  }

  private mutating func admit() {
    guard calls.count < 12 else { return report() }
    let grid = model.settings.grid
    now += (grid - now % grid) % grid
    let wasClosed = model.state == .closed
    let decision = model.admit(at: now)
    if wasClosed, case .transition(_, .open, let cause, _, _, _) = model.notices.last {
      visit("opened at an arrival: \(cause)")
    }
    switch (breaker.admit(at: now), decision) {
    case (.admitted(let admission), .admitted(let id)):
      calls.append((id, admission, now))
      visit("admitted while \(model.state)")
    case (.rejected(let reason), _):
      expect(.refused(reason), decision, "decision")
      visit("refused: \(reason)")
    case (.admitted, .refused): mismatch = "admitted instead of \(decision)"
    }
  }

  private mutating func report() {
    guard !calls.isEmpty else { return }
    let place = number(below: calls.count)
    let (id, admission, start) = calls.remove(at: place)
    var report = CircuitBreaker.Report(outcome: outcome())
    if model.settings.timesCalls {
      report.isSlow = breaker.timesCalls ? now - start > model.settings.slowerThan : chance(300)
    }
    if report.outcome == .failure, chance(400) {
      report.retryAfter = .random(in: -unit...unit * 8, using: &random)
    }
    breaker.record(report, of: admission, at: now)
    let recorded = model.record(
      report.outcome, isSlow: report.isSlow, retryAfter: report.retryAfter, of: id, at: now)
    visit("\(recorded)")
  }

  private mutating func outcome() -> Outcome {
    if chance(60) { return .ignored }
    let failures =
      switch weather {
      case .fair: 30
      case .mixed: 400
      case .foul: 970
      }
    return chance(failures) ? .failure : .success
  }

  private mutating func control() {
    switch number(below: 10) {
    case 0: apply(.enter(.isolated))
    case 1: apply(.enter(.disabled))
    case 2...5: apply(.enter(.observing))
    case 6: apply(.trip(for: nil))
    case 7: apply(.trip(for: .random(in: 0...unit * 4, using: &random)))
    default: apply(.reset)
    }
  }

  private mutating func apply(_ control: BreakerControl) {
    breaker.control(control, at: now)
    switch control {
    case .enter(let state): model.enter(state, at: now)
    case .reset: model.reset(at: now)
    case .trip(let length): model.trip(for: length, at: now)
    }
  }

  /// Takes a step; now and then another call succeeds in the middle of it.
  private mutating func racing(_ step: (inout Self) -> Void) {
    guard chance(150), let racer = calls.popLast() else { return step(&self) }
    breaker.race(successOf: racer.admission)
    let generation = model.generation
    step(&self)
    if !breaker.endRace() {
      calls.append(racer)
    } else if model.generation == generation {
      // It came after what happened in the step.
      _ = model.record(.success, isSlow: false, of: racer.id, at: now)
      visit("raced")
    } else {
      model.recordUnseenSuccess(of: racer.id)
      visit("raced with a change of state")
    }
  }
}

// MARK: - Settings of the real breaker

extension NaiveBreaker.Settings {
  var timesCalls: Bool {
    clauses.contains { if case .slowCallRate = $0 { true } else { false } }
  }

  var configuration: CircuitBreaker.Configuration {
    var configuration = CircuitBreaker.Configuration()
    configuration.tripping = .init(clauses: clauses.map(clause))
    configuration.window =
      switch window {
      case .sinceTransition: .sinceTransition
      case .interval(let length): .interval(.nanoseconds(length))
      case .rolling(let length, let buckets): .rolling(.nanoseconds(length), buckets: buckets)
      case .calls(let count): .calls(count)
      }
    configuration.recovery = CircuitBreaker.Recovery(
      openFor: .exponential(
        from: .nanoseconds(openFor), factor: factor, cap: .nanoseconds(cap), jitter: 0),
      probes: probes, successesToClose: successesToClose, probation: .nanoseconds(probation),
      probeLease: .nanoseconds(probeLease), maxRetryAfter: .nanoseconds(maxRetryAfter))
    configuration.hungAfter = hungAfter.map { .nanoseconds($0) }
    configuration.hungCalls = hungCalls
    if let (rate, count) = reopening {
      configuration.recovery.reopening = .atFailureRate(rate.value, over: count)
    }
    return configuration
  }

  private func clause(_ clause: Clause) -> CircuitBreaker.TripCondition.Clause {
    switch clause {
    case .consecutiveFailures(let count, let lasting):
      .consecutiveFailures(count, lasting: .nanoseconds(lasting))
    case .failureRate(let rate, let minimum): .failureRate(rate.value, minimumCalls: minimum)
    case .slowCallRate(let rate, let minimum):
      .slowCallRate(rate.value, slowerThan: .nanoseconds(slowerThan), minimumCalls: minimum)
    case .failedOrHung(let count): .predicate { $0.failures + $0.hung >= count }
    }
  }
}

extension NaiveBreaker.Fraction {
  fileprivate var value: Double { Double(part) / Double(whole) }
}
