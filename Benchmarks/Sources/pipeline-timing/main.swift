// Times retries, timeouts and pipelines against a bare async call, in one run.
//
//     pipeline-timing [rounds] [calls a round] [part of a case's name]

import Resilience
import Timing

struct TimedOut: Error {}

/// The usual way to time out a call: the operation and a sleep race as two children of a group.
@inline(never)
func race<Success: Sendable>(
  _ limit: Duration, _ operation: @escaping @Sendable () async throws -> Success
) async throws -> Success {
  try await withThrowingTaskGroup(of: Success.self) { group in
    group.addTask { try await operation() }
    group.addTask {
      try await Task.sleep(for: limit)
      throw TimedOut()
    }
    defer { group.cancelAll() }
    guard let first = try await group.next() else { throw TimedOut() }
    return first
  }
}

@inline(never)
func suspendingWork(_ number: Int) async throws -> Int {
  await Task.yield()
  return number &+ 1
}

func repeated(_ name: String, _ policy: some ResiliencePolicy) -> Case {
  Case(name) { count in
    var number = 0
    for _ in 0..<count { number = try await policy.run { try await work(number) } }
    precondition(number == count)
  }
}

func repeatedSuspending(_ name: String, _ policy: some ResiliencePolicy) -> Case {
  Case(name) { count in
    var number = 0
    for _ in 0..<count { number = try await policy.run { try await suspendingWork(number) } }
    precondition(number == count)
  }
}

let breaker = CircuitBreaker(
  "timed", tripping: .consecutiveFailures(5), over: .sinceTransition)

let retryAndBreaker = Pipeline {
  Retry()
  breaker
}

let recommended = Pipeline {
  Timeout(.seconds(1), name: "total")
  Retry()
  CircuitBreaker("timed")
  Timeout(.milliseconds(250), name: "attempt")
}

let quick = [
  Case("bare call") { count in
    var number = 0
    for _ in 0..<count { number = try await bare { try await work(number) } }
    precondition(number == count)
  },
  repeated("retry", Retry()),
  repeated("retry without a budget", Retry(budget: nil)),
  repeated("circuit breaker, no clock", breaker),
  repeated("retry > circuit breaker, no clock", retryAndBreaker),
  repeated("timeout", Timeout(.seconds(1))),
  Case("two-child race") { count in
    var number = 0
    for _ in 0..<count {
      let last = number
      number = try await race(.seconds(1)) { try await work(last) }
    }
    precondition(number == count)
  },
  repeated("timeout > retry > breaker > timeout", recommended),
]

let suspending = [
  Case("bare call that suspends") { count in
    var number = 0
    for _ in 0..<count { number = try await bare { try await suspendingWork(number) } }
    precondition(number == count)
  },
  repeatedSuspending("timeout, suspending", Timeout(.seconds(1))),
  Case("two-child race, suspending") { count in
    var number = 0
    for _ in 0..<count {
      let last = number
      number = try await race(.seconds(1)) { try await suspendingWork(last) }
    }
    precondition(number == count)
  },
  repeatedSuspending("timeout > retry > breaker > timeout, suspending", recommended),
]

let filter = CommandLine.arguments.dropFirst(3).first
let arguments = CommandLine.arguments.dropFirst().compactMap { Int($0) }
let rounds = arguments.first ?? 15
let count = arguments.dropFirst().first ?? 20_000

print("\(padded("median of \(rounds) rounds", 36))  ns each   / bare")
for group in [quick, suspending] {
  let chosen = group.filter { entry in
    entry.name == group[0].name || filter.map { entry.name.contains($0) } ?? true
  }
  let times = try await medians(of: chosen, rounds: rounds, count: count)
  let baseline = times[group[0].name] ?? 1
  for entry in chosen { print(row(entry.name, times[entry.name] ?? 0, baseline: baseline)) }
}
