import FlyingFox
package import Foundation

/// What every answer that is not a success says.
package struct Problem: Codable, Equatable, Sendable {
  /// What is wrong, in a few words.
  package var error: String
  /// Each thing that is wrong, if there can be several.
  package var problems: [String]?
  /// What happened at the user service.
  package var reason: String?
  /// When to come back, in seconds; the `Retry-After` header says the same.
  package var retryAfter: Int?

  package init(
    _ error: String, problems: [String]? = nil, reason: String? = nil, retryAfter: Int? = nil
  ) {
    self.error = error
    self.problems = problems
    self.reason = reason
    self.retryAfter = retryAfter
  }
}

extension HTTPResponse {
  static func json(
    _ status: HTTPStatusCode, _ value: some Encodable, headers: HTTPHeaders = [:]
  ) -> HTTPResponse {
    var headers = headers
    headers[.contentType] = "application/json"
    // Encoding fails for numbers that are not finite only, and no answer holds one.
    let body = (try? JSONEncoder.sorted.encode(value)) ?? Data("{}".utf8)
    return HTTPResponse(statusCode: status, headers: headers, body: body)
  }

  static func noSuchResource(_ request: Request) -> HTTPResponse {
    .json(.notFound, Problem("there is nothing at \(request.path)"))
  }

  static func methodNotAllowed(_ request: Request, allowed: HTTPMethod) -> HTTPResponse {
    .json(
      .methodNotAllowed, Problem("\(request.path) answers \(allowed.rawValue) only"),
      headers: [HTTPHeader("Allow"): allowed.rawValue])
  }
}

extension JSONEncoder {
  /// Keys in one order, so that two answers can be compared as text.
  package static var sorted: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return encoder
  }
}
