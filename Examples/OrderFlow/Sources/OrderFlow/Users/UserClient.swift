package import Foundation
import Resilience
import Synchronization

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// The order service's side of the user service.
///
/// A plain HTTP client. It ends when it is cancelled, and tells the service how long its caller waits;
/// it has no timeout of its own and knows nothing of retries and circuits.
package final class UserClient: Sendable {
  private let base: URL
  private let session = URLSession.loopback()
  private let counter = Atomic<Int>(0)

  package init(base: URL) { self.base = base }

  /// How many calls have been made, those to a service that refused the connection included.
  package var calls: Int { counter.load(ordering: .relaxed) }

  /// Asks for a user.
  ///
  /// - Throws: ``UnknownUser`` if there is none; ``UserServiceError`` if the service did not do its
  ///   work; `CancellationError`.
  package func find(_ id: Int) async throws -> User {
    counter.add(1, ordering: .relaxed)
    let (data, status) = try await get("users/\(id)")
    switch status {
    case 200:
      guard let user = try? JSONDecoder().decode(User.self, from: data) else {
        throw UserServiceError.unreadable
      }
      return user
    case 404: throw UnknownUser(id: id)
    default: throw UserServiceError.status(status)
    }
  }

  private func get(_ path: String) async throws -> (Data, Int) {
    var request = URLRequest(url: base.appending(path: path))
    request.announce(Deadline.current)
    do {
      let (data, response) = try await session.answer(to: request)
      return (data, (response as? HTTPURLResponse)?.statusCode ?? 0)
    } catch let error as URLError where error.code == .cannotConnectToHost {
      throw UserServiceError.connectionRefused
    } catch let error as URLError {
      // A cancelled caller must not read as a failing service.
      try Task.checkCancellation()
      throw UserServiceError.connectionFailed(error.localizedDescription)
    }
  }

  package func close() { session.invalidateAndCancel() }
}

/// The user service did not do its work. Each of these is a failure to the circuit breaker.
package enum UserServiceError: Error, Equatable, CustomStringConvertible {
  case status(Int)
  case connectionRefused
  case connectionFailed(String)
  case unreadable

  package var description: String {
    switch self {
    case .status(let code): "user-service answered \(code)"
    case .connectionRefused: "user-service refused the connection"
    case .connectionFailed(let why): "user-service broke the connection: \(why)"
    case .unreadable: "user-service answered 200 without a user"
    }
  }
}
