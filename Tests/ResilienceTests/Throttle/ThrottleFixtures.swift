import ResilienceTesting

@testable import Resilience

extension Throttle.Core {
  /// A core at its start, with the default settings unless told otherwise.
  init(multiplier: Double = 2, window: Duration = .seconds(10), maxRejection: Double = 0.9) {
    self.init(
      Throttle.Configuration(multiplier: multiplier, window: window, maxRejection: maxRejection),
      at: 0)
  }

  /// Calls that pass and end at once.
  mutating func count(
    _ outcome: Outcome, _ count: Int = 1, of criticality: Criticality = .normal, at now: Int64 = 0
  ) {
    start(count, of: criticality, at: now)
    end(outcome, count, of: criticality, at: now)
  }

  /// Calls that pass, by a chance that nothing refuses.
  mutating func start(_ count: Int = 1, of criticality: Criticality = .normal, at now: Int64 = 0) {
    for _ in 0..<count { _ = admit(criticality, chance: 1, at: now) }
  }

  mutating func end(
    _ outcome: Outcome, _ count: Int = 1, of criticality: Criticality = .normal, at now: Int64 = 0
  ) {
    for _ in 0..<count { record(outcome, of: criticality, at: now) }
  }

  /// Calls that are refused, by a chance that everything refuses that refuses at all.
  mutating func refuse(_ count: Int = 1, of criticality: Criticality = .normal, at now: Int64 = 0) {
    for _ in 0..<count { _ = admit(criticality, chance: 0, at: now) }
  }

  /// The shares of sheddable, normal and critical calls, to six digits.
  var shares: [Double] {
    Criticality.allCases.map { (rejectionShare(of: $0) * 1e6).rounded() / 1e6 }
  }
}

/// A dependency behind a throttle, and calls at a steady pace.
final class Traffic {
  let clock = VirtualClock()
  let throttle: Throttle
  private let pace: Duration

  init(
    perSecond: Int, maxRejection: Double = 0.9, window: Duration = .seconds(10), seed: UInt64
  ) {
    throttle = Throttle(window: window, maxRejection: maxRejection, clock: clock, seed: seed)
    pace = .seconds(1) / perSecond
  }

  /// Calls for so long; each that passes ends at once.
  ///
  /// - Returns: the share of the calls that were answered as they should be.
  @discardableResult
  func call(for duration: Duration, isHealthy: Bool) -> Double {
    let end = clock.now.advanced(by: duration)
    var (calls, answers) = (0, 0)
    while clock.now < end {
      calls += 1
      if let permit = throttle.tryAcquire() {
        if isHealthy { permit.succeed() } else { permit.fail() }
        answers += isHealthy ? 1 : 0
      }
      clock.advance(by: pace)
    }
    return Double(answers) / Double(calls)
  }
}
