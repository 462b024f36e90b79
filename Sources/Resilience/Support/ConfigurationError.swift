/// A configuration that cannot work, with everything that is wrong with it.
///
/// Thrown by the `validate()` of configurations that arrive at run time. The same violations in
/// source code are programmer errors: they stop the program with the same text.
public struct ConfigurationError: Error, Hashable, CustomStringConvertible {
  /// One parameter whose value is out of its range.
  public struct Violation: Hashable, Sendable, CustomStringConvertible {
    /// The parameter, spelled as in source code.
    public let parameter: String

    /// The value that was given.
    public let value: String

    /// What the parameter allows.
    public let allowed: String

    /// One line: parameter, value, range.
    public var description: String { "\(parameter) is \(value); allowed: \(allowed)" }
  }

  /// All violations, in the order of the parameters; never empty.
  public let violations: [Violation]

  /// All violations in one line.
  public var description: String {
    violations.map(\.description).joined(separator: "; ")
  }
}

/// Collects what is wrong with a configuration.
struct Validation {
  private(set) var violations: [ConfigurationError.Violation] = []

  mutating func require(
    _ holds: Bool, _ parameter: String, is value: some Any, allowed: String
  ) {
    guard !holds else { return }
    violations.append(.init(parameter: parameter, value: "\(value)", allowed: allowed))
  }

  func finish() throws(ConfigurationError) {
    guard violations.isEmpty else { throw ConfigurationError(violations: violations) }
  }
}

/// Stops the program over a configuration that is wrong in source code.
///
/// The only `fatalError` of the package: `precondition` says nothing in release builds, and the
/// message is what the programmer needs there as well.
package func stop(misconfigured policy: String, _ error: ConfigurationError) -> Never {
  fatalError("\(policy): \(error)")
}
