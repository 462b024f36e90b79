import FlyingFox
package import Foundation

/// How the user service is doing; it is told so.
package enum Health: String, Codable, CaseIterable, Sendable {
  /// Answers at once.
  case healthy
  /// Answers 500 to every third request.
  case flaky
  /// Answers 500 at once.
  case errors
  /// Answers rightly, but later than anybody waits.
  case slow
  /// Does not listen: connections are refused.
  case refusing
}

/// `GET /users/{id}`, by a service that breaks on request.
package struct UserService: Sendable {
  private let desk: Desk
  private let server: LoopbackServer

  /// - Parameter slowness: how late an answer is while the service is slow.
  package init(users: [User] = User.directory, slowness: Duration = .seconds(10)) {
    let desk = Desk(users: users, slowness: slowness)
    self.desk = desk
    server = LoopbackServer { request in await desk.answer(request) }
  }

  /// Starts the service; the system chooses the port, which stays the same through every outage.
  package func start() async throws -> URL { try await server.listen() }

  package func stop() async { await server.stop() }

  /// Breaks the service, or mends it.
  package func become(_ health: Health) async throws {
    await desk.become(health)
    if health == .refusing { try await server.refuse() } else { try await server.listen() }
  }

  package var health: Health {
    get async { await desk.health }
  }

  /// How many requests have arrived.
  package var requests: Int {
    get async { await desk.requests }
  }
}

private actor Desk {
  private let users: [Int: User]
  private let slowness: Duration
  private(set) var health: Health = .healthy
  private(set) var requests = 0
  private var requestsInThisHealth = 0

  init(users: [User], slowness: Duration) {
    self.users = Dictionary(users.map { ($0.id, $0) }) { _, last in last }
    self.slowness = slowness
  }

  func become(_ health: Health) {
    self.health = health
    requestsInThisHealth = 0
  }

  func answer(_ request: Request) async -> HTTPResponse {
    guard let name = Self.user(in: request.path) else { return .noSuchResource(request) }
    guard request.method == .GET else { return .methodNotAllowed(request, allowed: .GET) }
    requests += 1
    requestsInThisHealth += 1
    if fails {
      return .json(.internalServerError, Problem("the user service is broken"))
    }
    if health == .slow {
      // Ends early when the server stops; nobody reads the answer then.
      try? await Task.sleep(for: slowness)
    }
    guard let id = Int(name), id > 0 else {
      return .json(.badRequest, Problem("a user's id is a whole number of at least 1"))
    }
    guard let user = users[id] else { return .json(.notFound, Problem("there is no user \(id)")) }
    return .json(.ok, user)
  }

  private var fails: Bool {
    health == .errors || health == .flaky && requestsInThisHealth.isMultiple(of: 3)
  }

  private static func user(in path: String) -> Substring? {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    return parts.count == 3 && parts[0].isEmpty && parts[1] == "users" ? parts[2] : nil
  }
}
