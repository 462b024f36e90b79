#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

enum Processors {
  /// How many trials the machine can run at a time: each keeps one core busy.
  static var count: Int { max(1, ProcessInfo.processInfo.activeProcessorCount) }
}

/// What `work` makes of each element, in the order of the elements, `width` at a time.
///
/// - Parameter progress: is told how many are done, and which was the last; one call at a time.
@concurrent
func concurrentMap<Element: Sendable, Result: Sendable>(
  _ elements: [Element], width: Int,
  progress: @escaping @Sendable (_ done: Int, _ latest: Element) -> Void = { _, _ in },
  _ work: @escaping @Sendable (Element) async throws -> Result
) async throws -> [Result] {
  var results = [Result?](repeating: nil, count: elements.count)
  do {
    try await withThrowingTaskGroup(of: (Int, Result).self) { group in
      var waiting = elements.enumerated().makeIterator()
      func startNext() {
        guard let (index, element) = waiting.next() else { return }
        group.addTask { (index, try await work(element)) }
      }
      for _ in 0..<max(1, width) { startNext() }
      var done = 0
      while let (index, result) = try await group.next() {
        results[index] = result
        done += 1
        progress(done, elements[index])
        startNext()
      }
    }
  } catch {
    // A simulation that is interrupted may see the interruption as an event from outside.
    try Task.checkCancellation()
    throw error
  }
  return results.compactMap(\.self)
}
