package import FlyingFox
package import Foundation

/// A request whose whole body has arrived.
package struct Request: Sendable {
  package let method: HTTPMethod
  package let path: String
  package let body: Data
  /// How long the caller waits, as it says; see ``deadline()``.
  package let timeout: String?

  /// The longest body that is read; a longer one is refused before it is in memory.
  package static let longestBody = 64 * 1024
}

extension Request {
  /// Receives the body.
  ///
  /// - Throws: ``BodyError``; how much of the body is left unread is then unknown.
  init(receiving head: HTTPRequest) async throws {
    method = head.method
    path = head.path
    timeout = head.headers[HTTPHeader(DeadlineHeader.name)]
    body = try await Self.receive(head.bodySequence)
  }

  private static func receive(_ sequence: HTTPBodySequence) async throws -> Data {
    // The announced length, which costs nothing to look at; a chunked body has none.
    if let length = sequence.count, length > longestBody { throw BodyError.tooLong }
    var body = Data()
    do {
      for try await chunk in sequence {
        guard body.count + chunk.count <= longestBody else { throw BodyError.tooLong }
        body.append(chunk)
      }
    } catch let error as BodyError {
      throw error
    } catch {
      throw BodyError.broken
    }
    return body
  }
}

/// Why a body cannot be had.
enum BodyError: Error, CustomStringConvertible {
  case tooLong
  case broken

  var description: String {
    switch self {
    case .tooLong: "the body is longer than \(Request.longestBody) bytes"
    case .broken: "the body ended early, or its chunks are malformed"
    }
  }
}
