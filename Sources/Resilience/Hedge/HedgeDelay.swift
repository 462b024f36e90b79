extension Hedge {
  /// How long an attempt has for its answer before a further one is started beside it.
  public struct Delay: Hashable, Sendable, CustomStringConvertible {
    enum Kind: Hashable, Sendable {
      case fixed(Duration)
      case percentile(Double, window: Int, minimum: Int)
    }

    let kind: Kind

    /// Always so long. Zero starts all attempts at once.
    public static func fixed(_ delay: Duration) -> Delay {
      Delay(kind: .fixed(delay))
    }

    /// As long as this share of the latest successful calls have taken at most.
    ///
    /// Latencies run from the start of a call to its first success. The percentile is looked up at
    /// every tenth of them, as what the next call exceeds with the chance that is left: k / (n + 1) for
    /// the k longest of n. While the window fills it is the second longest. It is too long by 0.1 % at
    /// most.
    ///
    /// - Parameters:
    ///   - percentile: the share of calls that need no hedge; above 0, at most 1, 0.98 by default:
    ///     the slowest two in a hundred are hedged.
    ///   - window: how many latencies are remembered; 100 by default, at most 10 000. Four bytes each.
    ///   - minimum: how many there must be before anything is hedged; 20 by default.
    public static func percentile(
      _ percentile: Double = 0.98, window: Int = 100, minimum: Int = 20
    ) -> Delay {
      Delay(kind: .percentile(percentile, window: window, minimum: minimum))
    }

    /// The delay in words, for a log.
    public var description: String {
      switch kind {
      case .fixed(let delay): "after \(delay)"
      case .percentile(let percentile, let window, let minimum):
        "after percentile \(percentile) of the last \(window) latencies, from \(minimum) on"
      }
    }
  }

  /// The settings of a hedge, as a value that can be built and validated at run time.
  public struct Configuration: Hashable, Sendable, CustomStringConvertible {
    /// How long an attempt has before a further one is started beside it.
    public var delay: Delay

    /// How many further attempts a call starts at most; 0 to 10.
    public var maxHedges: Int

    /// The recommended settings, unless told otherwise: one hedge for what takes longer than 98 in a
    /// hundred.
    public init(delay: Delay = .percentile(), maxHedges: Int = 1) {
      self.delay = delay
      self.maxHedges = maxHedges
    }

    /// Checks settings that arrived at run time.
    ///
    /// - Throws: a ``ConfigurationError`` that lists everything that is wrong, with parameter, value
    ///   and range. A hedge made from such settings stops the program with the same text.
    public func validate() throws(ConfigurationError) {
      var validation = Validation()
      delay.validate(&validation)
      validation.require(
        0...10 ~= maxHedges, "maxHedges", is: maxHedges, allowed: "0...10")
      try validation.finish()
    }

    /// The settings in words, for a log.
    public var description: String {
      "\(maxHedges) \(maxHedges == 1 ? "hedge" : "hedges"), \(delay)"
    }
  }
}

extension Hedge.Delay {
  fileprivate func validate(_ validation: inout Validation) {
    switch kind {
    case .fixed(let delay):
      validation.require(
        delay >= .zero, "delay(fixed:)", is: delay, allowed: "zero or more")
    case .percentile(let percentile, let window, let minimum):
      validation.require(
        percentile > 0 && percentile <= 1, "delay(percentile:)", is: percentile,
        allowed: "above 0, at most 1")
      validation.require(
        1...10_000 ~= window, "delay(window:)", is: window, allowed: "1...10000")
      validation.require(
        minimum >= 1 && minimum <= window, "delay(minimum:)", is: minimum,
        allowed: "at least 1, at most the window")
    }
  }
}
