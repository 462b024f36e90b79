extension AbandoningTimeout {
  /// The settings of an abandoning timeout, as a value that can be built and validated at run time.
  public struct Configuration: Hashable, Sendable, CustomStringConvertible {
    /// How much time an operation has. Zero or less refuses every call.
    public var limit: Duration

    /// How many operations may go on abandoned before no other is run; at least 1.
    public var maxAbandoned: Int

    /// A limit, and 100 abandoned operations at most unless told otherwise.
    public init(_ limit: Duration, maxAbandoned: Int = 100) {
      self.limit = limit
      self.maxAbandoned = maxAbandoned
    }

    /// Checks settings that arrived at run time.
    ///
    /// - Throws: a ``ConfigurationError`` that lists everything that is wrong, with parameter,
    ///   value and range. A timeout made from such settings stops the program with the same text.
    public func validate() throws(ConfigurationError) {
      var validation = Validation()
      validation.require(maxAbandoned >= 1, "maxAbandoned", is: maxAbandoned, allowed: "1...")
      try validation.finish()
    }

    /// The settings in words, for a log.
    public var description: String { "\(limit), abandoning up to \(maxAbandoned)" }
  }
}
