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
  /// Answers rightly, and takes its time; answers at once as soon as it is told to be otherwise.
  case sluggish
  /// Answers rightly, but later than anybody waits.
  case slow
  /// Does not listen: connections are refused.
  case refusing
}

/// `GET /users/{id}`, by a service that breaks on request.
package struct UserService: Sendable {
  private let desk: Desk
  private let server: LoopbackServer

  /// - Parameters:
  ///   - slowness: how late an answer is while the service is slow.
  ///   - sluggishness: how late at most while it is sluggish.
  package init(
    users: [User] = User.directory, slowness: Duration = .seconds(10),
    sluggishness: Duration = .milliseconds(800)
  ) {
    let desk = Desk(users: users, slowness: slowness, sluggishness: sluggishness)
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
  private let sluggishness: Duration
  private(set) var health: Health = .healthy
  private(set) var requests = 0
  private var requestsInThisHealth = 0
  /// The waits of the requests that wait while the service is sluggish, by their numbers.
  private var waits: [Int: Task<Void, Never>] = [:]

  init(users: [User], slowness: Duration, sluggishness: Duration) {
    self.users = Dictionary(users.map { ($0.id, $0) }) { _, last in last }
    self.slowness = slowness
    self.sluggishness = sluggishness
  }

  func become(_ health: Health) {
    self.health = health
    requestsInThisHealth = 0
    for wait in waits.values { wait.cancel() }
  }

  func answer(_ request: Request) async -> HTTPResponse {
    guard let name = Self.user(in: request.path) else { return .noSuchResource(request) }
    guard request.method == .GET else { return .methodNotAllowed(request, allowed: .GET) }
    requests += 1
    requestsInThisHealth += 1
    if fails {
      return .json(.internalServerError, Problem("the user service is broken"))
    }
    switch health {
    // Ends early when the server stops; nobody reads the answer then.
    case .slow: try? await Task.sleep(for: slowness)
    case .sluggish: await dawdle(request: requests)
    default: break
    }
    guard let id = Int(name), id > 0 else {
      return .json(.badRequest, Problem("a user's id is a whole number of at least 1"))
    }
    guard let user = users[id] else { return .json(.notFound, Problem("there is no user \(id)")) }
    return .json(.ok, user)
  }

  private func dawdle(request: Int) async {
    let wait = Task { [sluggishness] in _ = try? await Task.sleep(for: sluggishness) }
    waits[request] = wait
    await withTaskCancellationHandler {
      await wait.value
    } onCancel: {
      wait.cancel()
    }
    waits[request] = nil
  }

  private var fails: Bool {
    health == .errors || health == .flaky && requestsInThisHealth.isMultiple(of: 3)
  }

  private static func user(in path: String) -> Substring? {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    return parts.count == 3 && parts[0].isEmpty && parts[1] == "users" ? parts[2] : nil
  }
}
