import ResilienceTesting
import Testing

@testable import Resilience

/// Calls under a fault injection, as most rules need them.
struct Chaos {
  let faults: FaultInjection
  let recorder: EventRecorder

  init(
    _ faults: [FaultInjection.Fault], isEnabled: Bool = true,
    clock: any Clock<Duration> = VirtualClock(), seed: UInt64 = 1
  ) {
    recorder = EventRecorder()
    self.faults = FaultInjection(
      "chaos", faults, isEnabled: isEnabled, clock: clock, seed: seed, observers: [recorder])
  }

  /// What a call came to: its value, or the error in words.
  func call() async -> String {
    do { return try await faults.run { "answer" } } catch { return "\(error)" }
  }

  func calls(_ count: Int) async -> [String] {
    var results: [String] = []
    for _ in 0..<count { results.append(await call()) }
    return results
  }

  /// A snapshot with these totals, and nobody waiting.
  static func totals(
    isEnabled: Bool = true, calls: Int, errors: Int = 0, latencies: Int = 0, results: Int = 0,
    hangs: Int = 0, waiting: Int = 0
  ) -> FaultInjection.Snapshot {
    FaultInjection.Snapshot(
      name: "chaos", isEnabled: isEnabled, calls: calls, errors: errors, latencies: latencies,
      results: results, hangs: hangs, waiting: waiting)
  }
}

struct Injected: Error, Hashable, CustomStringConvertible {
  var number = 1
  var description: String { "injected \(number)" }
}

@Suite("Fault injection", .timeLimit(.minutes(20)))
struct FaultInjectionTests {
  @Test("FI-1: an error comes in place of the operation, and passes as it is")
  func error() async {
    let chaos = Chaos([.error(rate: 1) { Injected() }])
    var runs = 0
    do {
      try await chaos.faults.run { runs += 1 }
      Issue.record("no error")
    } catch { #expect(error as? Injected == Injected()) }
    #expect(runs == 0)
    #expect(chaos.faults.snapshot() == Chaos.totals(calls: 1, errors: 1))
    #expect(
      chaos.recorder.descriptions
        == ["fault injection \"chaos\": injected an error (injected 1)"])
  }

  @Test("FI-1: a result comes in place of the operation's, with its grade")
  func result() async throws {
    for isFailure in [false, true] {
      let chaos = Chaos([.result("injected", rate: 1, countsAsFailure: isFailure)])
      var runs = 0
      let graded = try await chaos.faults.execute(Execution()) { _ in
        runs += 1
        return Graded("answer")
      }
      #expect(graded.value == "injected")
      #expect(graded.outcome == (isFailure ? .failure : .success))
      #expect(runs == 0)
      #expect(chaos.faults.snapshot() == Chaos.totals(calls: 1, results: 1))
      #expect(chaos.recorder.descriptions == ["fault injection \"chaos\": injected a result"])
    }
  }

  @Test("FI-1: the first error, result or hang ends the call; what follows does not come to pass")
  func order() async {
    for (faults, expected) in [
      ([.error(rate: 1) { Injected() }, .result("injected", rate: 1)], "injected 1"),
      ([.result("injected", rate: 1), .error(rate: 1) { Injected() }], "injected"),
      ([.error(rate: 0) { Injected() }, .error(rate: 1) { Injected(number: 2) }], "injected 2"),
      ([.error(rate: 1) { Injected() }, .hang(rate: 1)], "injected 1"),
      ([.error(rate: 1) { Injected() }, .latency(.seconds(1), rate: 1)], "injected 1"),
      ([], "answer"),
    ] as [([FaultInjection.Fault], String)] {
      let chaos = Chaos(faults)
      #expect(await chaos.call() == expected)
      #expect(chaos.faults.snapshot().latencies == 0)
    }
  }

  @Test("FI-1: an error on one call meets that call alone")
  func onCall() async {
    let chaos = Chaos([.error(onCall: 2) { Injected() }])
    #expect(await chaos.calls(4) == ["answer", "injected 1", "answer", "answer"])
    #expect(chaos.faults.snapshot() == Chaos.totals(calls: 4, errors: 1))
  }

  @Test("FI-1: a policy outside counts what is injected as the operation's own")
  func outside() async {
    let breaker = CircuitBreaker("users", tripping: .consecutiveFailures(4))
    let failing = Chaos([.error(rate: 1) { Injected() }])
    let degraded = Chaos([.result("no", rate: 1, countsAsFailure: true)])
    let answering = Chaos([.result("yes", rate: 1)])
    for chaos in [failing, degraded, answering] {
      let pipeline = Pipeline {
        breaker
        chaos.faults
      }
      do { let _: String = try await pipeline.run { "answer" } } catch {}
    }
    #expect(breaker.snapshot().totals.failures == 2)
    #expect(breaker.snapshot().totals.successes == 1)
  }

  @Test("FI-1: a layer says what is injected")
  func layers() {
    let chaos = Chaos([
      .latency(.seconds(1), rate: 0.5), .error(rate: 0.1) { Injected() },
      .error(onCall: 3) { Injected() }, .result(1, rate: 1), .hang(rate: 0),
    ])
    let words =
      "latency 1.0 seconds at 0.5, error at 0.1, error on call 3, result of type Int at 1.0, "
      + "hang at 0.0"
    #expect(
      chaos.faults.layers == [PolicyLayer(role: .faultInjection, name: "chaos", settings: words)])
    chaos.faults.setFaults([])
    chaos.faults.isEnabled = false
    #expect(chaos.faults.layers.map(\.settings) == ["disabled: no faults"])
  }
}

// MARK: - Chance

extension FaultInjectionTests {
  @Test("FI-1: a rate of 0 is never, one of 1 is always", arguments: 1...20)
  func certainties(seed: Int) async {
    let never = Chaos([.error(rate: 0) { Injected() }], seed: UInt64(seed))
    #expect(await never.calls(200) == Array(repeating: "answer", count: 200))
    let always = Chaos([.error(rate: 1) { Injected() }], seed: UInt64(seed))
    #expect(await always.calls(200) == Array(repeating: "injected 1", count: 200))
  }

  @Test("FI-1: so many calls meet a fault as its rate says, and faults are drawn for one by one")
  func rates() async {
    let chaos = Chaos([
      .error(rate: 0.2) { Injected() }, .result("injected", rate: 0.25),
      .error(rate: 0.01) { Injected(number: 2) },
    ])
    let count = 20_000.0
    let results = await chaos.calls(Int(count))
    // 0.2; 0.8 · 0.25; 0.8 · 0.75 · 0.01. Within four standard deviations.
    for (word, share) in [("injected 1", 0.2), ("injected", 0.2), ("injected 2", 0.006)] {
      let met = Double(results.count { $0 == word })
      let deviation = (count * share * (1 - share)).squareRoot()
      #expect(abs(met - count * share) < 4 * deviation, "\(word): \(met)")
    }
  }

  @Test("FI-1: the same seed makes the same calls meet the same faults")
  func seeds() async {
    let faults: [FaultInjection.Fault] = [
      .error(rate: 0.3) { Injected() }, .result("injected", rate: 0.3),
    ]
    let first = await Chaos(faults, seed: 7).calls(200)
    #expect(await Chaos(faults, seed: 7).calls(200) == first)
    #expect(await Chaos(faults, seed: 8).calls(200) != first)
  }

  @Test("FI-1: what a call meets does not depend on the types and the faults of those before it")
  func independence() async throws {
    let faults: [FaultInjection.Fault] = [.result(1, rate: 0.5), .error(rate: 0.5) { Injected() }]
    let (plain, mixed) = (Chaos(faults), Chaos(faults))
    let expected = await plain.calls(200)
    for (call, expected) in expected.enumerated() {
      if call.isMultiple(of: 3) {
        _ = try? await mixed.faults.run { 2 }
      } else {
        #expect(await mixed.call() == expected)
      }
    }
  }
}

// MARK: - Switching

extension FaultInjectionTests {
  @Test("FI-1: disabled, a call is not touched: nothing is drawn or counted")
  func disabled() async {
    let faults: [FaultInjection.Fault] = [.error(rate: 0.5) { Injected() }]
    let expected = await Chaos(faults).calls(50)
    let chaos = Chaos(faults, isEnabled: false)
    #expect(await chaos.calls(100) == Array(repeating: "answer", count: 100))
    #expect(chaos.faults.snapshot() == Chaos.totals(isEnabled: false, calls: 0))
    chaos.faults.isEnabled = true
    #expect(await chaos.calls(50) == expected)
  }

  @Test("FI-1: it is switched, and given other faults, while it runs; each change is told once")
  func switching() async {
    let chaos = Chaos([.error(rate: 1) { Injected() }])
    #expect(await chaos.call() == "injected 1")
    chaos.recorder.clear()
    chaos.faults.isEnabled = false
    chaos.faults.isEnabled = false
    #expect(await chaos.call() == "answer")
    chaos.faults.setFaults([.result("injected", rate: 1)])
    #expect(await chaos.call() == "answer")
    chaos.faults.isEnabled = true
    #expect(await chaos.call() == "injected")
    #expect(
      chaos.recorder.descriptions == [
        "fault injection \"chaos\": disabled", "fault injection \"chaos\": faults changed",
        "fault injection \"chaos\": enabled", "fault injection \"chaos\": injected a result",
      ])
    #expect(chaos.faults.snapshot() == Chaos.totals(calls: 2, errors: 1, results: 1))
  }

  @Test("FI-1: one that nobody has touched may be evicted")
  func evictable() {
    let untouched = FaultInjection([.hang(rate: 1)])
    #expect(untouched.isEvictable)
    let changed = FaultInjection([])
    changed.setFaults([])
    #expect(!changed.isEvictable)
    let switched = FaultInjection([], isEnabled: false)
    switched.isEnabled = true
    switched.isEnabled = false
    #expect(!switched.isEvictable)
  }

  @Test("FI-1: calls and switches at a time lose nothing")
  func contention() async {
    let faults = FaultInjection([.error(rate: 0.5) { Injected() }], seed: 1)
    await withTaskGroup { group in
      for task in 0..<4 {
        group.addTask {
          for call in 0..<500 {
            _ = try? await faults.run {}
            if task == 0, call.isMultiple(of: 100) {
              faults.setFaults([.error(rate: 0.5) { Injected() }])
            }
          }
        }
      }
    }
    let snapshot = faults.snapshot()
    #expect(snapshot.calls == 2_000)
    #expect((800...1_200).contains(snapshot.errors))
  }
}
