extension LastKnownGood {
  /// The settings of a memory of good answers, as a value that can be built and validated at run
  /// time.
  public struct Configuration: Hashable, Sendable, CustomStringConvertible {
    /// How many values are remembered at most.
    public var capacity: Int

    /// How old a value may be to be served; at exactly this age it still is.
    public var maxAge: Duration

    /// A thousand values, for ten minutes, unless told otherwise.
    public init(capacity: Int = 1_000, maxAge: Duration = .seconds(600)) {
      self.capacity = capacity
      self.maxAge = maxAge
    }

    /// Checks settings that arrived at run time.
    ///
    /// - Throws: a ``ConfigurationError`` that lists everything that is wrong, with parameter,
    ///   value and range. A memory made from such settings stops the program with the same text.
    public func validate() throws(ConfigurationError) {
      var validation = Validation()
      validation.require(capacity >= 1, "capacity", is: capacity, allowed: "1...")
      validation.require(maxAge > .zero, "maxAge", is: maxAge, allowed: "above zero")
      try validation.finish()
    }

    /// The settings in words, for a log.
    public var description: String { "\(capacity) values for \(maxAge)" }
  }
}
