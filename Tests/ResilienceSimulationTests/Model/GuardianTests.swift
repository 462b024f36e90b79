import Resilience
import ResilienceTesting
import Testing

@testable import ResilienceSimulation

@Suite("A service that admits requests by a policy of its own")
struct GuardianTests {
  /// Refuses everything.
  struct Closed: ConcurrentPolicy {
    struct Refusal: RejectionError {
      var policy: String { "closed" }
      var reason: String { "closed" }
      var retryAfter: Duration? { nil }
      var description: String { "closed" }
    }

    func execute<Success: Sendable>(
      _ execution: Execution,
      concurrently operation: @escaping @Sendable (Execution) async throws -> Graded<Success>
    ) async throws -> Graded<Success> {
      throw Refusal()
    }
  }

  /// Writes down what it knows of a request.
  final class Notebook: ConcurrentPolicy {
    struct Note: Hashable, Sendable {
      let criticality: Criticality
      let remaining: Duration?
      var isCancelled = false
    }

    private let lock = ResilienceSimulation.Lock([Note]())
    var notes: [Note] { lock.withLock { $0 } }

    func execute<Success: Sendable>(
      _ execution: Execution,
      concurrently operation: @escaping @Sendable (Execution) async throws -> Graded<Success>
    ) async throws -> Graded<Success> {
      var note = Note(criticality: .current, remaining: Deadline.current?.remaining)
      let result = try await operation(execution)
      note.isCancelled = Task.isCancelled
      let finished = note
      lock.withLock { $0.append(finished) }
      return result
    }
  }

  @Test("what it refuses is answered with an overload, at once where that costs nothing")
  func refusal() async throws {
    try await withVirtualTime { clock in
      let bench = ServiceBench(on: clock, guardian: Closed())
      #expect(await bench.answers(to: 2) == [.overloaded(0), .overloaded(0)])
      #expect(bench.calls.attempts == 2)
      #expect(bench.calls.completions == 0)
    }
  }

  @Test("a refusal that costs something takes a worker, in its turn")
  func costlyRefusal() async throws {
    try await withVirtualTime { clock in
      let bench = ServiceBench(.steady(refusalCost: 0.2), on: clock, guardian: Closed())
      #expect(
        await bench.answers(to: 3) == [.overloaded(2), .overloaded(4), .overloaded(6)])
    }
  }

  @Test("what it admits is worked on; the others are refused")
  func limit() async throws {
    try await withVirtualTime { clock in
      let bench = ServiceBench(
        .steady(workers: 5), on: clock, guardian: Bulkhead(limit: 2, clock: clock))
      #expect(await bench.answers(to: 3) == [.served(10), .served(10), .overloaded(0)])
      #expect(await bench.answers(to: 1) == [.served(20)])
    }
  }

  @Test("it is told how much a request matters, and by when it is to be answered")
  func context() async throws {
    try await withVirtualTime { clock in
      let notebook = Notebook()
      let bench = ServiceBench(on: clock, guardian: notebook)
      let deadline = Deadline(in: .seconds(3), clock: clock)
      let request = Request(client: 0, criticality: .critical)
      _ = await bench.send(request, deadline: deadline).value
      _ = await bench.answers(to: 1)
      #expect(
        notebook.notes == [
          .init(criticality: .critical, remaining: .seconds(3)),
          .init(criticality: .normal, remaining: nil),
        ])
    }
  }

  @Test("a client that hangs up cancels nothing in the service, and the work was wasted")
  func hangingUp() async throws {
    try await withVirtualTime { clock in
      let notebook = Notebook()
      let bench = ServiceBench(on: clock, guardian: notebook)
      let task = bench.send()
      try await clock.sleep(for: .milliseconds(1))
      task.cancel()
      #expect(await task.value == .cancelled(1))
      #expect(notebook.notes.isEmpty)
      try await clock.sleep(for: .milliseconds(10))
      #expect(notebook.notes == [.init(criticality: .normal, remaining: nil)])
      #expect(bench.calls.completions == 1)
      #expect(bench.calls.wasted == 1)
    }
  }

  @Test("a client's own criticality and deadline do not reach the service but by the request")
  func isolation() async throws {
    try await withVirtualTime { clock in
      let notebook = Notebook()
      let bench = ServiceBench(on: clock, guardian: notebook)
      try await Criticality.critical.run {
        try await Deadline(in: .seconds(1), clock: clock).run { _ = await bench.answers(to: 1) }
      }
      #expect(notebook.notes == [.init(criticality: .normal, remaining: nil)])
    }
  }

  @Test("a trial's service is guarded, and refuses the least critical first")
  func trial() async throws {
    var scenario = Scenario("crowd")
    scenario.service = .steady(workers: 2)
    scenario.load.rate = .total(300)
    scenario.load.critical = 0.3
    scenario.load.sheddable = 0.4
    scenario.warmUp = .zero
    scenario.watch = .seconds(5)
    let stack = Stack.direct.guarded("guarded") { service in
      AdaptiveLimiter(algorithm: .aimd(maximum: 6), clock: service.clock)
    }
    let result = try await Trial(scenario, stack, clients: 4).run()
    #expect(result.calls(.critical).goodput > result.calls(.normal).goodput)
    #expect(result.calls(.normal).goodput > result.calls(.sheddable).goodput)
    #expect(result.calls().completions == result.calls().good)
  }
}
