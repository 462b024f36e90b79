import Foundation
import Resilience

/// Nanoseconds for each of so many tasks to begin to wait for a bulkhead that is full, and be
/// cancelled while all the others wait. Every other is cancelled first, so that they leave from the
/// middle.
@concurrent
func cancelledWaiters(_ count: Int, _ order: Bulkhead.Order) async throws -> Double {
  let bulkhead = Bulkhead(limit: 1, queue: count, maxWait: .seconds(3_600), order: order)
  guard let permit = bulkhead.tryAcquire() else { fatalError("nobody else uses it") }
  let start = ContinuousClock.now
  let waiters = (0..<count).map { _ in
    Task { try await bulkhead.run {} }
  }
  while bulkhead.snapshot().waiting < count { await Task.yield() }
  for offset in [0, 1] {
    for index in stride(from: offset, to: count, by: 2) { waiters[index].cancel() }
  }
  for waiter in waiters { _ = await waiter.result }
  let elapsed = ContinuousClock.now - start
  precondition(bulkhead.snapshot().waiting == 0)
  permit.release()
  return Double(elapsed.attoseconds) / 1e9 / Double(count)
}

/// What so many circuit breakers, each with its key, add to the memory of the process.
func keyedMegabytes(_ count: Int) -> Double {
  let before = residentBytes()
  let breakers = Keyed<String, CircuitBreaker>(capacity: count) { CircuitBreaker($0) }
  for number in 0..<count { breakers["shard-\(number).example.com"].tryAcquire()?.succeed() }
  let after = residentBytes()
  precondition(breakers.snapshot().count == count)
  return Double(after - before) / 1e6
}

/// Linux tells it in pages of 4 KiB; elsewhere the answer is 0.
private func residentBytes() -> Int {
  let statistics = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
  let pages = statistics?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
  return (pages ?? 0) * 4096
}
