/// Tasks that wait for a count to be reached. Lives under its owner's lock, and resumes nobody.
struct Arrivals: Sendable {
  private struct Waiter {
    let id: UInt64
    let count: Int
    let continuation: CheckedContinuation<Void, Never>
  }

  private var waiters: [Waiter] = []
  private var lastID: UInt64 = 0

  mutating func nextID() -> UInt64 {
    lastID += 1
    return lastID
  }

  mutating func add(
    _ continuation: CheckedContinuation<Void, Never>, _ id: UInt64, waitingFor count: Int
  ) {
    waiters.append(Waiter(id: id, count: count, continuation: continuation))
  }

  mutating func remove(_ id: UInt64) -> CheckedContinuation<Void, Never>? {
    guard let index = waiters.firstIndex(where: { $0.id == id }) else { return nil }
    return waiters.remove(at: index).continuation
  }

  /// Removes those who waited for no more than `count`.
  mutating func take(reached count: Int) -> [CheckedContinuation<Void, Never>] {
    if waiters.isEmpty { return [] }
    let arrived = waiters.filter { $0.count <= count }
    waiters.removeAll { $0.count <= count }
    return arrived.map(\.continuation)
  }
}
