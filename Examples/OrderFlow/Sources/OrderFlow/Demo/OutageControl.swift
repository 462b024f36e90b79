import FlyingFox
package import Foundation

/// `POST /outage` breaks the user service and mends it; `GET /outage` tells how it is.
///
/// A server of its own, because the user service cannot be told to come back while it refuses
/// connections.
package struct OutageControl: Sendable {
  private let desk: ControlDesk
  private let server: LoopbackServer

  package init(of users: UserService, timeline: Timeline) {
    let desk = ControlDesk(users: users, timeline: timeline)
    self.desk = desk
    server = LoopbackServer { request in await desk.answer(request) }
  }

  package func start() async throws -> URL { try await server.listen() }

  package func stop() async {
    await server.stop()
    await desk.endScript()
  }
}

private actor ControlDesk {
  private let users: UserService
  private let timeline: Timeline
  private var script: Task<Void, any Error>?

  /// What the script plays.
  private static let outage: [Health] = [.flaky, .errors, .slow, .refusing]

  init(users: UserService, timeline: Timeline) {
    self.users = users
    self.timeline = timeline
  }

  struct Wish: Decodable {
    var mode: String
    var seconds: Double?
  }

  struct Status: Encodable {
    var mode: String
    var script: String?
  }

  func answer(_ request: Request) async -> HTTPResponse {
    guard request.path == "/outage" else { return .noSuchResource(request) }
    switch request.method {
    case .GET: return .json(.ok, Status(mode: await users.health.rawValue))
    case .POST: return await grant(request.body)
    default: return .methodNotAllowed(request, allowed: .POST)
    }
  }

  private func grant(_ body: Data) async -> HTTPResponse {
    let modes = Health.allCases.map(\.rawValue) + ["script"]
    let help = Problem(
      "the body must be {\"mode\": M} with M one of \(modes.joined(separator: ", ")); with script, "
        + "\"seconds\" from 0.1 to 60 say how long each part lasts")
    guard let wish = try? JSONDecoder().decode(Wish.self, from: body), modes.contains(wish.mode),
      (0.1...60).contains(wish.seconds ?? 5)
    else { return .json(.badRequest, help) }
    await endScript()
    guard let health = Health(rawValue: wish.mode) else {
      let seconds = wish.seconds ?? 5
      script = Task { try await self.play(each: .seconds(seconds)) }
      let parts = Self.outage.map(\.rawValue).joined(separator: ", ")
      return .json(
        .accepted, Status(mode: wish.mode, script: "\(parts): \(seconds) s each, then healthy"))
    }
    do {
      try await become(health)
      return .json(.ok, Status(mode: health.rawValue))
    } catch {
      return .json(.internalServerError, Problem("\(error)"))
    }
  }

  private func play(each duration: Duration) async throws {
    for health in Self.outage {
      try await become(health)
      try await Task.sleep(for: duration)
    }
    try await become(.healthy)
  }

  private func become(_ health: Health) async throws {
    timeline.add(HealthEntry(health))
    try await users.become(health)
  }

  func endScript() async {
    script?.cancel()
    _ = await script?.result
    script = nil
  }
}
