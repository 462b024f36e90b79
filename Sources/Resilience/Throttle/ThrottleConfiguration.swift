extension Throttle {
  /// The settings of a throttle, as a value that can be built and validated at run time.
  public struct Configuration: Hashable, Sendable, CustomStringConvertible {
    /// How many calls may be asked for where one succeeds; at least 1.
    public var multiplier: Double

    /// How long calls are remembered; at least 10 ns.
    public var window: Duration

    /// The largest share that is refused, of each criticality; above 0, at most 1.
    public var maxRejection: Double

    /// The recommended settings, unless told otherwise: two calls for each that succeeds in 10 s,
    /// and at most nine in ten refused.
    public init(
      multiplier: Double = 2, window: Duration = .seconds(10), maxRejection: Double = 0.9
    ) {
      self.multiplier = multiplier
      self.window = window
      self.maxRejection = maxRejection
    }

    /// Checks settings that arrived at run time.
    ///
    /// - Throws: a ``ConfigurationError`` that lists everything that is wrong, with parameter,
    ///   value and range. A throttle made from such settings stops the program with the same text.
    public func validate() throws(ConfigurationError) {
      var validation = Validation()
      validation.require(
        multiplier >= 1 && multiplier.isFinite, "multiplier", is: multiplier,
        allowed: "1 or more, finite")
      validation.require(
        window >= .nanoseconds(Core.buckets), "window", is: window,
        allowed: "at least a nanosecond a bucket, \(Core.buckets) ns")
      validation.require(
        maxRejection > 0 && maxRejection <= 1, "maxRejection", is: maxRejection,
        allowed: "above 0, at most 1")
      try validation.finish()
    }

    /// The settings in words, for a log.
    public var description: String {
      "\(multiplier) calls for each success in \(window), at most \(maxRejection) refused"
    }
  }
}
