#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

extension Report {
  /// The report as JSON, keys in alphabetical order; `JSONDecoder` reads a ``Report`` from it again.
  public func json() throws -> String { try inJSON(self) }
}

/// With sorted keys: equal values give equal texts.
package func inJSON(_ value: some Encodable) throws -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  return String(decoding: try encoder.encode(value), as: UTF8.self)
}
