/// One thing to time: `body` does it `count` times.
struct Case: Sendable {
  let name: String
  let body: @Sendable (_ count: Int) async throws -> Void

  init(_ name: String, _ body: @escaping @Sendable (_ count: Int) async throws -> Void) {
    self.name = name
    self.body = body
  }

  /// Nanoseconds for each, over one round.
  func time(_ count: Int) async throws -> Double {
    let start = ContinuousClock.now
    try await body(count)
    return Double((ContinuousClock.now - start).attoseconds) / 1e9 / Double(count)
  }

  /// The same with two tasks at once: elapsed time for each of all the calls together.
  func timeInTwoTasks(_ count: Int) async throws -> Double {
    let start = ContinuousClock.now
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<2 { group.addTask { try await body(count) } }
      try await group.waitForAll()
    }
    return Double((ContinuousClock.now - start).attoseconds) / 1e9 / Double(2 * count)
  }
}

/// Times all cases in turn, round after round, so that a slow moment of the machine hits all of
/// them, and returns each one's median.
func medians(
  of cases: [Case], rounds: Int, count: Int,
  _ time: (Case, Int) async throws -> Double
) async throws -> [String: Double] {
  var samples: [String: [Double]] = [:]
  for entry in cases { _ = try await time(entry, count / 10) }
  for _ in 0..<rounds {
    for entry in cases { samples[entry.name, default: []].append(try await time(entry, count)) }
  }
  return samples.mapValues { $0.sorted()[$0.count / 2] }
}
