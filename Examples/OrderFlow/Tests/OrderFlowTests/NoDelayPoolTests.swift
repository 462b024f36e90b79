import FlyingSocks
import Foundation
import Testing

@testable import OrderFlow

@Suite("The pool that sets TCP_NODELAY")
struct NoDelayPoolTests {
  private struct NoPool: AsyncSocketPool {
    func prepare() async throws {}
    func run() async throws {}
    func suspendSocket(_ socket: Socket, untilReadyFor events: Socket.Events) async throws {}
  }

  @Test("sets it on the socket that accepts, which hands it on")
  func option() async throws {
    let noDelay = BoolSocketOption(level: Int32(IPPROTO_TCP), name: TCP_NODELAY)
    let pool = NoDelayPool(base: NoPool())
    let listener = try Socket(domain: AF_INET)
    let client = try Socket(domain: AF_INET)
    defer {
      try? listener.close()
      try? client.close()
    }
    try listener.bind(to: .inet(ip4: "127.0.0.1", port: 0))
    try listener.listen()
    #expect(try listener.getValue(for: noDelay) == false)
    try await pool.suspendSocket(listener, untilReadyFor: .connection)
    #expect(try listener.getValue(for: noDelay))

    guard case .ip4(_, let port) = try listener.sockname() else { return }
    try client.connect(to: .inet(ip4: "127.0.0.1", port: port))
    let accepted = Socket(file: try listener.accept().file)
    defer { try? accepted.close() }
    #expect(try accepted.getValue(for: noDelay))
  }
}
