import Resilience

/// Where a simulation draws its chance from: a generator that its seed repeats exactly.
///
/// Each purpose (arrivals, service times, faults) has dice of its own, so that two stacks under the
/// same seed meet the same arrivals.
struct Dice: Sendable {
  private var random: SplitMix64

  init(seed: UInt64) {
    random = SplitMix64(seed: seed)
  }

  mutating func seed() -> UInt64 { random.next() }

  /// Uniform in 0..<1, a multiple of 2⁻⁵³.
  mutating func share() -> Double {
    Double(random.next() >> 11) * 0x1p-53
  }

  mutating func index(below count: Int) -> Int {
    // The bias of the multiplication is below count / 2⁶⁴.
    Int(random.next().multipliedFullWidth(by: UInt64(count)).high)
  }

  /// Exponentially distributed with a mean of 1.
  ///
  /// By comparisons alone (J. von Neumann, "Various techniques used in connection with random
  /// digits", 1951): a logarithm may differ in its last digit from one platform to the next, and a
  /// trace must not.
  mutating func exponential() -> Double {
    var whole = 0.0
    while true {
      let first = share()
      var last = first
      var isAccepted = true
      while true {
        let next = share()
        guard next < last else { break }
        last = next
        isAccepted.toggle()
      }
      if isAccepted { return whole + first }
      whole += 1
    }
  }

  /// Exponentially distributed.
  mutating func exponential(mean: Duration) -> Duration {
    mean.scaled(by: exponential())
  }
}

extension Duration {
  /// In whole nanoseconds, saturating, never negative.
  func scaled(by factor: Double) -> Duration {
    .nanoseconds(Int64(saturating: max(0, Double(saturatingNanoseconds) * factor)))
  }

  /// For ratios and reports.
  var inSeconds: Double { Double(saturatingNanoseconds) / 1e9 }
}
