/// One thing to time: `body` does it `count` times.
public struct Case: Sendable {
  /// What it is called in the table.
  public let name: String
  private let body: @Sendable (_ count: Int) async throws -> Void

  /// - Parameter body: given how often to do it.
  public init(_ name: String, _ body: @escaping @Sendable (_ count: Int) async throws -> Void) {
    self.name = name
    self.body = body
  }

  /// Nanoseconds for each, over one round; with several tasks at once, elapsed time for each of all
  /// the calls together.
  func time(_ count: Int, tasks: Int) async throws -> Double {
    let start = ContinuousClock.now
    if tasks == 1 {
      try await body(count)
    } else {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<tasks { group.addTask { try await body(count) } }
        try await group.waitForAll()
      }
    }
    return Double((ContinuousClock.now - start).attoseconds) / 1e9 / Double(tasks * count)
  }
}

/// Times all cases in turn, round after round, so that a slow moment of the machine hits all of
/// them, and returns each one's median.
///
/// Off the main actor, where a program begins: its queue would be timed as well.
@concurrent
public func medians(
  of cases: [Case], rounds: Int, count: Int, tasks: Int = 1
) async throws -> [String: Double] {
  var samples: [String: [Double]] = [:]
  for entry in cases { _ = try await entry.time(count / 10, tasks: tasks) }
  for _ in 0..<rounds {
    for entry in cases {
      samples[entry.name, default: []].append(try await entry.time(count, tasks: tasks))
    }
  }
  return samples.mapValues { $0.sorted()[$0.count / 2] }
}

/// A row of the table: the name, nanoseconds for each, and their ratio to the baseline's.
public func row(_ name: String, _ time: Double, baseline: Double) -> String {
  padded(name, 36) + "  " + padded(rounded(time), 9) + " " + padded(rounded(time / baseline), 8)
}

/// The text, filled up with blanks.
public func padded(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(0, width - text.count))
}

/// The number with one decimal.
public func rounded(_ value: Double) -> String {
  let tenths = Int((value * 10).rounded())
  return "\(tenths / 10).\(tenths % 10)"
}

/// Work that is not inlined, and does not suspend.
@inline(never)
public func work(_ number: Int) async throws -> Int { number &+ 1 }

/// The call that everything is compared with.
@inline(never)
public func bare<Success>(_ operation: () async throws -> Success) async throws -> Success {
  try await operation()
}
