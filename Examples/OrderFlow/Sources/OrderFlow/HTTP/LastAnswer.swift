import FlyingFox
import FlyingSocks
import Foundation
import Resilience

/// The body of an answer after which the connection ends, because a part of the request is unread
/// and would be taken for the next request.
///
/// A handler of FlyingFox cannot close its connection, but an error after the last byte of a body
/// does. Closing with unread input resets the connection, and a reset can overtake the answer; so
/// what the client still sends is read and thrown away first, for a while.
struct LastAnswer: AsyncBufferedSequence {
  typealias Element = UInt8

  let answer: Data
  let unread: HTTPBodySequence

  /// No client of a loopback demo needs longer to notice that it was answered.
  static let patience: Duration = .seconds(1)

  func makeAsyncIterator() -> Iterator { Iterator(answer: answer, unread: unread) }

  struct Iterator: AsyncBufferedIteratorProtocol {
    var answer: Data?
    let unread: HTTPBodySequence

    mutating func next() async throws -> UInt8? {
      try await nextBuffer(suggested: 1)?.first
    }

    mutating func nextBuffer(suggested count: Int) async throws -> Data? {
      if let answer {
        self.answer = nil
        return answer
      }
      try? await Timeout(LastAnswer.patience, name: "unread body").run {
        for try await _ in unread {}
      }
      throw ConnectionEnds()
    }
  }

  struct ConnectionEnds: Error {}
}

extension HTTPResponse {
  /// A problem as the last answer on its connection.
  static func last(
    _ status: HTTPStatusCode, _ problem: Problem, leavingUnread unread: HTTPBodySequence
  ) async -> HTTPResponse {
    var response = HTTPResponse.json(status, problem, headers: [.connection: "close"])
    guard let answer = try? await response.bodyData else { return response }
    let body = LastAnswer(answer: answer, unread: unread)
    response.payload = .httpBody(HTTPBodySequence(from: body, count: answer.count))
    return response
  }
}
