package import FlyingFox
import FlyingSocks
package import Foundation

/// An HTTP server on 127.0.0.1 that can go away and come back on the same port.
package actor LoopbackServer {
  package typealias Handler = @Sendable (Request) async -> HTTPResponse

  private let handler: Handler
  private var port: UInt16 = 0
  private var listening: Listening?
  private var reservation: Socket?
  private var last: Task<URL, any Error>?

  private struct Listening {
    let server: HTTPServer
    let run: Task<Void, any Error>
  }

  package init(handler: @escaping Handler) {
    self.handler = handler
  }

  /// Starts to listen: on a port that the system chooses, or on the same one as before.
  @discardableResult
  package func listen() async throws -> URL {
    try await inTurn { server in try await server.open() }
  }

  /// Drops every connection and stops to listen: the system refuses whoever connects now.
  package func refuse() async throws {
    _ = try await inTurn { server in try await server.close(keepingPort: true) }
  }

  /// Drops every connection and gives the port back.
  package func stop() async {
    _ = try? await inTurn { server in try await server.close(keepingPort: false) }
  }

  // Opening and closing suspend half-way, so two requests to do so must not interleave.
  private func inTurn(
    _ step: @escaping @Sendable (isolated LoopbackServer) async throws -> Void
  ) async throws -> URL {
    let previous = last
    let task = Task {
      _ = await previous?.result
      try await step(self)
      return self.url
    }
    last = task
    return try await task.value
  }

  private var url: URL {
    var parts = URLComponents()
    parts.scheme = "http"
    parts.host = "127.0.0.1"
    parts.port = Int(port)
    return parts.url ?? URL(filePath: "/")
  }

  private func open() async throws {
    guard listening == nil else { return }
    try reservation?.close()
    reservation = nil
    let server = HTTPServer(config: try configuration(), handler: ClosureHTTPHandler(answer))
    let run = Task { try await server.run() }
    do {
      try await server.waitUntilListening()
    } catch {
      run.cancel()
      // Why it does not listen is more use than that it does not.
      try await run.value
      throw error
    }
    listening = Listening(server: server, run: run)
    if case .ip4(_, let port) = await server.listeningAddress { self.port = port }
  }

  private func close(keepingPort: Bool) async throws {
    if let listening {
      self.listening = nil
      await listening.server.stop(timeout: 0)
      _ = await listening.run.result
    }
    try reservation?.close()
    reservation = keepingPort ? try reserve() : nil
  }

  // A socket that is bound and does not listen: connections are refused, and nobody else, such as
  // an outgoing connection of this very process, is given the port meanwhile.
  private func reserve() throws -> Socket {
    let socket = try Socket(domain: AF_INET)
    try socket.setValue(true, for: .localAddressReuse)
    try socket.bind(to: .inet(ip4: "127.0.0.1", port: port))
    return socket
  }

  private func configuration() throws -> HTTPServer.Configuration {
    HTTPServer.Configuration(
      address: try .inet(ip4: "127.0.0.1", port: port),
      // Nothing is kept to be read twice: what is not read, see ``LastAnswer``.
      sharedRequestReplaySize: 0,
      pool: Self.pool(over: HTTPServer.defaultPool()),
      logger: .disabled)
  }

  private static func pool(over base: some AsyncSocketPool) -> some AsyncSocketPool {
    NoDelayPool(base: base)
  }

  @Sendable
  private nonisolated func answer(_ head: HTTPRequest) async throws -> HTTPResponse {
    do {
      let response = await handler(try await Request(receiving: head))
      // The answer to HEAD has no body; one would be read as the next answer.
      guard head.method == .HEAD else { return response }
      return HTTPResponse(statusCode: response.statusCode, headers: response.headers)
    } catch let error as BodyError {
      return await .last(
        .badRequest, Problem(error.description), leavingUnread: head.bodySequence)
    }
  }
}
