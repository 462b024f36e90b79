import Resilience
import Synchronization

/// What happened, in order, as the policies of a test tell it.
final class Journal: Sendable {
  private let lines = Mutex<[String]>([])

  func note(_ line: String) { lines.withLock { $0.append(line) } }
  var all: [String] { lines.withLock { $0 } }
}

/// Notes the attempts that pass through it, and how they end.
struct Spy: ResiliencePolicy {
  let name: String
  let journal: Journal

  init(_ name: String, _ journal: Journal) {
    self.name = name
    self.journal = journal
  }

  func execute<Success: ~Copyable>(
    _ execution: Execution, _ operation: (Execution) async throws -> Graded<Success>
  ) async throws -> Graded<Success> {
    journal.note("\(name) starts \(execution.attempt).\(execution.hedge)")
    do {
      let graded = try await operation(execution)
      journal.note("\(name) sees \(graded.outcome)")
      return graded
    } catch {
      journal.note("\(name) sees \(error)")
      throw error
    }
  }
}

/// Repeats what fails, as an attempt or as a hedge of its number.
struct Repeating: ResiliencePolicy {
  let count: Int
  var asHedge = false

  func execute<Success: ~Copyable>(
    _ execution: Execution, _ operation: (Execution) async throws -> Graded<Success>
  ) async throws -> Graded<Success> {
    var execution = execution
    for _ in 1..<count {
      do {
        let graded = try await operation(execution)
        if graded.outcome != .failure { return graded }
      } catch let error where Outcome(classifying: error) == .ignored {
        throw error
      } catch {}
      try Task.checkCancellation()
      if asHedge { execution.hedge += 1 } else { execution.attempt += 1 }
    }
    return try await operation(execution)
  }
}

/// A policy that does nothing, with a layer as a policy of its role has it.
struct Placeholder: ResiliencePolicy {
  let layer: PolicyLayer

  init(_ role: PolicyLayer.Role, _ name: String, _ settings: String = "") {
    layer = PolicyLayer(role: role, name: name, settings: settings)
  }

  var layers: [PolicyLayer] { [layer] }

  func execute<Success: ~Copyable>(
    _ execution: Execution, _ operation: (Execution) async throws -> Graded<Success>
  ) async throws -> Graded<Success> {
    try await operation(execution)
  }
}

/// A policy that does nothing and conforms to the weaker protocol only.
struct ConcurrentPlaceholder: ConcurrentPolicy {
  func execute<Success: Sendable>(
    _ execution: Execution,
    concurrently operation: @escaping @Sendable (Execution) async throws -> Graded<Success>
  ) async throws -> Graded<Success> {
    try await operation(execution)
  }
}

/// Notes which of the two requirements it was called by.
struct Fork: ResiliencePolicy {
  let journal: Journal

  func execute<Success: Sendable>(
    _ execution: Execution,
    concurrently operation: @escaping @Sendable (Execution) async throws -> Graded<Success>
  ) async throws -> Graded<Success> {
    journal.note("concurrently")
    return try await operation(execution)
  }

  func execute<Success: ~Copyable>(
    _ execution: Execution, _ operation: (Execution) async throws -> Graded<Success>
  ) async throws -> Graded<Success> {
    journal.note("where the caller is")
    return try await operation(execution)
  }
}
