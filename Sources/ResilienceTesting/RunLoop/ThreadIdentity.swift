#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Android)
  import Android
#endif

/// Which thread this is. The run loop tells its own thread from foreign ones by it: the current
/// task does not say, because actors make tasks ready between tasks.
///
/// C declares that a thread's identity never changes, and the optimizer believes it: inlined into
/// an asynchronous function it is read once, and stale after the next suspension. So `current` is
/// only read in synchronous functions that are not inlined.
struct ThreadIdentity: Equatable, Sendable {
  private let id: UInt

  static var current: ThreadIdentity {
    #if canImport(Darwin)
      unsafe ThreadIdentity(id: UInt(bitPattern: pthread_self()))
    #elseif canImport(Glibc)
      ThreadIdentity(id: pthread_self())
    #elseif canImport(Musl)
      unsafe ThreadIdentity(id: UInt(bitPattern: pthread_self()))
    #elseif canImport(Android)
      ThreadIdentity(id: UInt(bitPattern: pthread_self()))
    #else
      ThreadIdentity(id: 0)
    #endif
  }
}
