// Times the circuit breaker against a bare async call, in one run.
//
//     breaker-timing [rounds] [calls a round] [part of a case's name]

import Resilience
import Timing

struct Failed: Error {}

func repeated(_ name: String, _ policy: CircuitBreaker) -> Case {
  Case(name) { count in
    var number = 0
    for _ in 0..<count { number = try await policy.run { try await work(number) } }
    precondition(number == count)
  }
}

func twoStep(_ name: String, _ breaker: CircuitBreaker) -> Case {
  Case(name) { count in
    for _ in 0..<count {
      guard let permit = breaker.tryAcquire() else { fatalError("refused") }
      permit.succeed()
    }
  }
}

func refusals(_ name: String, _ run: @escaping @Sendable () async throws -> Int) -> Case {
  Case(name) { count in
    var refused = 0
    for _ in 0..<count {
      do { _ = try await run() } catch { refused &+= 1 }
    }
    precondition(refused == count)
  }
}

func breaker(over window: CircuitBreaker.Window) -> CircuitBreaker {
  CircuitBreaker("timed", tripping: .consecutiveFailures(5), over: window)
}

let tripped = breaker(over: .sinceTransition)
tripped.trip(for: .seconds(3600))
let inner = breaker(over: .sinceTransition)
inner.trip(for: .seconds(3600))
let outer = breaker(over: .sinceTransition)

let filter = CommandLine.arguments.dropFirst(3).first

let cases = [
  Case("bare call") { count in
    var number = 0
    for _ in 0..<count { number = try await bare { try await work(number) } }
    precondition(number == count)
  },
  Case("clock read") { count in
    for _ in 0..<count { _ = ContinuousClock.now }
  },
  twoStep("two-step, no clock", breaker(over: .sinceTransition)),
  twoStep("two-step, rolling", breaker(over: .rolling(.seconds(10)))),
  twoStep("two-step, interval", breaker(over: .interval(.seconds(10)))),
  twoStep("two-step, calls(100)", breaker(over: .calls(100))),
  twoStep("two-step, defaults", CircuitBreaker("timed")),
  repeated("run, no clock", breaker(over: .sinceTransition)),
  repeated("run, rolling", breaker(over: .rolling(.seconds(10)))),
  repeated("run, interval", breaker(over: .interval(.seconds(10)))),
  repeated("run, defaults", CircuitBreaker("timed")),
  refusals("refused by run") { try await tripped.run { try await work(1) } },
  refusals("refused by an inner breaker") {
    try await outer.run { try await inner.run { try await work(1) } }
  },
  refusals("failed bare call") { try await bare { throw Failed() } },
  refusals("failed by run") {
    try await CircuitBreaker.never.run { throw Failed() }
  },
].filter { entry in filter.map { entry.name.contains($0) } ?? true || entry.name == "bare call" }

extension CircuitBreaker {
  /// Fails for ever without opening.
  static let never = CircuitBreaker(
    "timed", tripping: .consecutiveFailures(.max), over: .sinceTransition)
}

let arguments = CommandLine.arguments.dropFirst().compactMap { Int($0) }
let rounds = arguments.first ?? 15
let count = arguments.dropFirst().first ?? 100_000

let one = try await medians(of: cases, rounds: rounds, count: count)
let shared = cases.filter { $0.name.hasPrefix("run") || $0.name.hasPrefix("two-step") }
let two = try await medians(of: shared, rounds: rounds, count: count, tasks: 2)

let bareTime = one["bare call"]!
print(
  padded("median of \(rounds) rounds", 36) + "  ns each   / bare   two tasks: ns each   times one")
for entry in cases {
  guard let time = one[entry.name] else { continue }
  var line = row(entry.name, time, baseline: bareTime)
  if let both = two[entry.name] {
    line += " " + padded(rounded(both), 20) + " " + rounded(time / both)
  }
  print(line)
}
