extension AdaptiveLimiter {
  /// The settings of an adaptive limiter, as a value that can be built and validated at run time.
  public struct Configuration: Hashable, Sendable, CustomStringConvertible {
    /// How the limit is found, and in which bounds.
    public var algorithm: Algorithm

    /// The recommended settings, unless told otherwise:
    /// ``Algorithm/aimd(initial:maximum:backoff:cooldown:)``.
    public init(algorithm: Algorithm = .aimd()) {
      self.algorithm = algorithm
    }

    /// Checks settings that arrived at run time.
    ///
    /// - Throws: a ``ConfigurationError`` that lists everything that is wrong, with parameter,
    ///   value and range. A limiter made from such settings stops the program with the same text.
    public func validate() throws(ConfigurationError) {
      var validation = Validation()
      algorithm.validate(&validation)
      try validation.finish()
    }

    /// The settings in words, for a log.
    public var description: String { "\(algorithm)" }
  }
}
