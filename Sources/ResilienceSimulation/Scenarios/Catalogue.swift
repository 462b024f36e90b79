extension FailureScenario {
  /// The ten failure scenarios, by number.
  public static var all: [FailureScenario] {
    [
      brownout, outage, blackhole, flapping, stormInDepth, partialFailure, herdOnRecovery,
      pausesAndClocks, overload, stragglers,
    ]
  }
}
