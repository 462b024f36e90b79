import FlyingSocks

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Sets `TCP_NODELAY` on a server's sockets, on their way to the pool that watches them.
///
/// FlyingFox writes a response's head and its body apart. With Nagle's algorithm the second write
/// waits until the client acknowledges the first, and on a connection that is kept alive the client
/// takes 40 ms over that. FlyingFox has no option for it and does not show its sockets, but the pool
/// is handed each of them before a wait for input: the listening one, whose accepted sockets inherit
/// the option, and those themselves. Setting it again costs a system call a wait.
struct NoDelayPool<Base: AsyncSocketPool>: AsyncSocketPool {
  let base: Base

  func prepare() async throws { try await base.prepare() }

  func run() async throws { try await base.run() }

  func suspendSocket(_ socket: Socket, untilReadyFor events: Socket.Events) async throws {
    if events.contains(.read) {
      let noDelay = BoolSocketOption(level: Int32(IPPROTO_TCP), name: TCP_NODELAY)
      // Where it cannot be set, a call takes 40 ms longer, and nothing else is wrong.
      try? socket.setValue(true, for: noDelay)
    }
    try await base.suspendSocket(socket, untilReadyFor: events)
  }
}
