extension FaultInjection {
  /// The settings of a fault injection, as a value that can be built and validated at run time.
  public struct Configuration: Sendable, CustomStringConvertible {
    /// What is injected, in this order.
    public var faults: [Fault]

    /// Whether it is switched on.
    public var isEnabled: Bool

    /// These faults, switched on unless told otherwise.
    public init(_ faults: [Fault], isEnabled: Bool = true) {
      self.faults = faults
      self.isEnabled = isEnabled
    }

    /// Checks settings that arrived at run time.
    ///
    /// - Throws: a ``ConfigurationError`` that lists everything that is wrong, with parameter,
    ///   value and range. A fault injection made from such settings stops the program with the
    ///   same text.
    public func validate() throws(ConfigurationError) {
      var validation = Validation()
      for (index, fault) in faults.enumerated() {
        fault.validate(&validation, "faults[\(index)]")
      }
      try validation.finish()
    }

    func stopIfInvalid(of name: String) {
      do { try validate() } catch { stop(misconfigured: "FaultInjection \"\(name)\"", error) }
    }

    /// The settings in words, for a log.
    public var description: String {
      let words =
        faults.isEmpty ? "no faults" : faults.map(\.description).joined(separator: ", ")
      return isEnabled ? words : "disabled: \(words)"
    }
  }
}
