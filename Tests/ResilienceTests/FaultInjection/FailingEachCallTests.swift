import Resilience
import ResilienceTesting
import Testing

@Suite("Fault injection: failing each call", .timeLimit(.minutes(20)))
struct FailingEachCallTests {
  @Test("FI-1: each call fails once, in a run of its own, and the last run has no failure")
  func eachCall() async throws {
    var runs: [[String]] = []
    let count = try await FaultInjection.failingEachCall(with: { Injected() }) { faults in
      var log = [faults.name]
      for call in 1...3 {
        do { try await faults.run { log.append("\(call)") } } catch { log.append("\(error)") }
      }
      runs.append(log)
    }
    #expect(count == 4)
    #expect(
      runs == [
        ["failing call 1", "injected 1", "2", "3"], ["failing call 2", "1", "injected 1", "3"],
        ["failing call 3", "1", "2", "injected 1"], ["failing call 4", "1", "2", "3"],
      ])
  }

  @Test("FI-1: a body that stops at its failure is run to its end in the last run")
  func stopping() async throws {
    var ends: [Int] = []
    let count = try await FaultInjection.failingEachCall(with: { Injected() }) { faults in
      var done = 0
      defer { ends.append(done) }
      do {
        for _ in 1...5 {
          try await faults.run {}
          done += 1
        }
      } catch { #expect(error is Injected) }
    }
    #expect(count == 6)
    #expect(ends == [0, 1, 2, 3, 4, 5])
  }

  @Test("FI-1: a body without calls is run once")
  func noCalls() async throws {
    var runs = 0
    #expect(try await FaultInjection.failingEachCall(with: { Injected() }) { _ in runs += 1 } == 1)
    #expect(runs == 1)
  }

  @Test("FI-1: calls that a retry makes again are calls as well")
  func retries() async throws {
    let count = try await FaultInjection.failingEachCall(with: { Injected() }) { faults in
      let retry = Retry(maxAttempts: 2, backoff: .none, budget: nil)
      var answers = 0
      for _ in 1...2 {
        try await retry.run { try await faults.run { answers += 1 } }
      }
      #expect(answers == 2)
    }
    #expect(count == 3)
  }

  @Test("FI-1: a body that does not run out of calls stops with an error", arguments: 1...3)
  func limit(_ limit: Int) async {
    var runs = 0
    do {
      try await FaultInjection.failingEachCall(with: { Injected() }, upTo: limit) { faults in
        runs += 1
        while (try? await faults.run {}) != nil {}
      }
      Issue.record("it ended")
    } catch let error as FaultInjection.TooManyCallsError {
      #expect(error.limit == limit)
      #expect("\(error)" == "\(limit) runs were not enough to fail each call")
    } catch { Issue.record(error) }
    #expect(runs == limit)
  }

  @Test("FI-1: the limit is enough for one call less")
  func justEnough() async throws {
    let count = try await FaultInjection.failingEachCall(with: { Injected() }, upTo: 4) { faults in
      for _ in 1...3 { try? await faults.run {} }
    }
    #expect(count == 4)
  }

  @Test("FI-1: what the body throws passes as it is, at once")
  func bodyThrows() async {
    var runs = 0
    do {
      try await FaultInjection.failingEachCall(with: { Injected() }) { faults in
        runs += 1
        try await faults.run {}
        try await faults.run { throw Unavailable() }
      }
      Issue.record("it ended")
    } catch { #expect(error is Injected) }
    #expect(runs == 1)
  }

  @Test("FI-1: cancellation ends it between two runs")
  func cancellation() async {
    let runs = Shared(0)
    await withTaskGroup { group in
      group.addTask {
        do {
          try await FaultInjection.failingEachCall(with: { Injected() }) { faults in
            runs.value += 1
            for _ in 1...10 { try? await faults.run {} }
            unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
          }
          Issue.record("it ended")
        } catch { #expect(error is CancellationError) }
      }
    }
    #expect(runs.value == 1)
  }

  @Test("FI-1: a limit that allows no run stops the program and says so")
  func stops() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      try await FaultInjection.failingEachCall(with: { Injected() }, upTo: 0) { _ in }
    }
    let output = result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) } ?? ""
    #expect(output.contains("Fatal error: failingEachCall: upTo is 0; allowed: 1..."))
  }
}
