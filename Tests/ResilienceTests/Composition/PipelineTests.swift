import Resilience
import Synchronization
import Testing

@Suite("PL-1: a pipeline does what nesting by hand does")
struct PipelineTests {
  struct Mishap: Error, CustomStringConvertible {
    let number: Int
    var description: String { "mishap \(number)" }
  }

  /// A policy inside refused.
  struct Refusal: RejectionError {
    let policy = "inner"
    let reason = "no"
    let retryAfter: Duration? = nil
    let description = "refusal"
  }

  /// How an operation behaves, by the number of its run.
  enum Story: CaseIterable, Sendable {
    case value, failingValues, errors, valueAfterError, valueAfterFailingValues, refusal

    func end(_ run: Int) throws -> Int {
      switch self {
      case .value: break
      case .failingValues: return 500 + run
      case .errors: throw Mishap(number: run)
      case .valueAfterError: if run == 1 { throw Mishap(number: run) }
      case .valueAfterFailingValues: if run < 4 { return 500 + run }
      case .refusal: throw Refusal()
      }
      return 200
    }
  }

  /// How a call ended, and all that was seen of it.
  struct Record: Equatable {
    var ending: String
    var journal: [String]
  }

  /// Calls whose operation and whose verdict note that they are asked.
  struct Caller {
    let story: Story
    let journal = Journal()

    func operation(_ execution: Execution) throws -> Int {
      journal.note("operation runs \(execution.attempt).\(execution.hedge)")
      return try story.end(journal.all.count { $0.hasPrefix("operation") })
    }

    func isFailure(_ value: Int) -> Bool {
      journal.note("failingWhen asks \(value)")
      return value >= 500
    }

    func graded(_ execution: Execution) throws -> Graded<Int> {
      let value = try operation(execution)
      return Graded(value, outcome: isFailure(value) ? .failure : .success)
    }

    func record(_ call: () async throws -> Int) async -> Record {
      do {
        let value = try await call()
        return Record(ending: "\(value)", journal: journal.all)
      } catch {
        return Record(ending: "\(error)", journal: journal.all)
      }
    }
  }

  private static func pipeline(_ journal: Journal) -> Pipeline<some ResiliencePolicy> {
    Pipeline {
      Spy("a", journal)
      Repeating(count: 2)
      Spy("b", journal)
      Repeating(count: 2, asHedge: true)
      Spy("c", journal)
    }
  }
}

// MARK: - Equivalence

extension PipelineTests {
  @Test(
    "PL-1: values, errors, executions and verdicts are those of nested calls",
    arguments: Story.allCases)
  func sameAsNested(story: Story) async {
    let (byHand, inOne) = (Caller(story: story), Caller(story: story))
    let nested = await byHand.record {
      let journal = byHand.journal
      return try await Spy("a", journal).execute(Execution()) { execution in
        try await Repeating(count: 2).execute(execution) { execution in
          try await Spy("b", journal).execute(execution) { execution in
            try await Repeating(count: 2, asHedge: true).execute(execution) { execution in
              try await Spy("c", journal).execute(execution) { try byHand.graded($0) }
            }
          }
        }
      }.value
    }
    let composed = await Self.run(inOne)
    #expect(composed == nested)
  }

  /// What a caller gets through the pipeline, and what the policies see.
  private static func run(_ caller: Caller) async -> Record {
    await caller.record {
      try await pipeline(caller.journal).run {
        try caller.operation($0)
      } failingWhen: {
        caller.isFailure($0)
      }
    }
  }

  @Test("PL-1: values and errors are those of nested `run`s", arguments: Story.allCases)
  func sameAsRun(story: Story) async {
    let (byHand, inOne) = (Caller(story: story), Caller(story: story))
    let nested = await byHand.record {
      try await Spy("a", byHand.journal).run {
        try await Spy("b", byHand.journal).run {
          try byHand.operation(Execution())
        }
      }
    }
    let composed = await inOne.record {
      let pipeline = Pipeline {
        Spy("a", inOne.journal)
        Spy("b", inOne.journal)
      }
      return try await pipeline.run { try inOne.operation($0) }
    }
    #expect(composed == nested)
  }

  @Test("PL-1, X-2: the first is outermost, and every value is judged once")
  func order() async {
    let record = await Self.run(Caller(story: .valueAfterError))
    #expect(
      record
        == Record(
          ending: "200",
          journal: [
            "a starts 1.0", "b starts 1.0",
            "c starts 1.0", "operation runs 1.0", "c sees mishap 1",
            "c starts 1.1", "operation runs 1.1", "failingWhen asks 200", "c sees success",
            "b sees success", "a sees success",
          ]))
  }

  @Test("PL-1, X-2: attempts and hedges of several policies, one verdict for all")
  func verdicts() async {
    let record = await Self.run(Caller(story: .valueAfterFailingValues))
    #expect(
      record
        == Record(
          ending: "200",
          journal: [
            "a starts 1.0",
            "b starts 1.0",
            "c starts 1.0", "operation runs 1.0", "failingWhen asks 501", "c sees failure",
            "c starts 1.1", "operation runs 1.1", "failingWhen asks 502", "c sees failure",
            "b sees failure",
            "b starts 2.0",
            "c starts 2.0", "operation runs 2.0", "failingWhen asks 503", "c sees failure",
            "c starts 2.1", "operation runs 2.1", "failingWhen asks 200", "c sees success",
            "b sees success",
            "a sees success",
          ]))
  }

  @Test("PL-1, FB-1: the fallback answers for the whole pipeline, once", arguments: Story.allCases)
  func fallback(story: Story) async {
    let caller = Caller(story: story)
    let record = await caller.record {
      try await Self.pipeline(caller.journal).run {
        try caller.operation($0)
      } failingWhen: {
        $0 >= 500
      } fallback: { error in
        caller.journal.note("fallback for \(error)")
        return 1
      }
    }
    let fallbacks = record.journal.filter { $0.hasPrefix("fallback") }
    switch story {
    case .value, .valueAfterError, .valueAfterFailingValues:
      #expect(record.ending == "200")
      #expect(fallbacks == [])
    case .failingValues:
      #expect(record.ending == "1")
      #expect(fallbacks == ["fallback for \(FailedResultError())"])
    case .errors:
      #expect(record.ending == "1")
      #expect(fallbacks == ["fallback for mishap 4"])
    case .refusal:
      #expect(record.ending == "1")
      #expect(fallbacks == ["fallback for refusal"])
    }
  }

  @Test("PL-1: a circuit breaker in a pipeline refuses, and counts what its place shows it")
  func breaker() async throws {
    let inner = CircuitBreaker("users", tripping: .consecutiveFailures(2), over: .sinceTransition)
    let pipeline = Pipeline {
      Repeating(count: 3)
      inner
    }
    let runs = Atomic(0)
    await #expect(throws: CircuitOpenError.self) {
      try await pipeline.run {
        runs.add(1, ordering: .relaxed)
        throw Mishap(number: 0)
      }
    }
    #expect(runs.load(ordering: .relaxed) == 2)
    #expect(inner.state == .open)
  }
}
