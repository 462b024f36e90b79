package import Resilience

extension FaultInjection {
  /// Faults at random for the requests to the user service.
  ///
  /// Most are errors; some are a latency that an attempt has time for; few are hangs, since each costs
  /// the time of a whole attempt. They are drawn for one by one, so a call may meet a latency and then
  /// an error.
  ///
  /// - Parameters:
  ///   - rate: from 0 to 1. Seven tenths of it are for errors, two for latencies, one for hangs.
  ///   - seed: the same seed, the same faults for the first request, the second, and so on.
  /// - Returns: `nil` for a rate of 0: without faults there is no policy.
  package static func chaos(
    rate: Double, seed: UInt64, observers: [any ResilienceObserver] = []
  ) -> FaultInjection? {
    guard rate > 0 else { return nil }
    return FaultInjection(
      "chaos",
      [
        .latency(.milliseconds(200), rate: rate * 2 / 10),
        .error(rate: rate * 7 / 10) { InjectedError() },
        .hang(rate: rate / 10),
      ],
      seed: seed, observers: observers)
  }
}

/// What a request meets that was made to fail: to the policies it is an error of the user service's.
package struct InjectedError: Error, CustomStringConvertible {
  package init() {}

  package var description: String { "an injected error" }
}
