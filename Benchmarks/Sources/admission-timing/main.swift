// Times the policies that admit, refuse, delay and hedge calls against a bare async call, in one run;
// then waiters by the hundred thousand, and a hundred thousand keyed circuit breakers.
//
//     admission-timing [rounds] [calls a round] [waiters and keys]

import Resilience
import Timing

func repeated(_ name: String, _ policy: some ResiliencePolicy) -> Case {
  Case(name) { count in
    var number = 0
    for _ in 0..<count { number = try await policy.run { try await work(number) } }
    precondition(number == count)
  }
}

func hedged(_ name: String, _ policy: Hedge) -> Case {
  Case(name) { count in
    var number = 0
    for _ in 0..<count {
      let last = number
      number = try await policy.run { try await work(last) }
    }
    precondition(number == count)
  }
}

let bulkhead = Bulkhead(limit: 1_000)
let limiter = RateLimiter(.init(1, per: .nanoseconds(1)), burst: 1_000_000_000)
let breakers = Keyed<Int, CircuitBreaker> { CircuitBreaker("\($0)") }

let admission = Pipeline {
  Retry()
  CircuitBreaker("timed", tripping: .consecutiveFailures(5), over: .sinceTransition)
  Bulkhead(limit: 1_000)
  RateLimiter(.init(1, per: .nanoseconds(1)), burst: 1_000_000_000)
}

let cases = [
  Case("bare call") { count in
    var number = 0
    for _ in 0..<count { number = try await bare { try await work(number) } }
    precondition(number == count)
  },
  Case("clock read") { count in
    var latest = ContinuousClock.now
    for _ in 0..<count { latest = max(latest, .now) }
    precondition(latest <= .now)
  },
  Case("bulkhead, tryAcquire and release") { count in
    for _ in 0..<count {
      guard let permit = bulkhead.tryAcquire() else { fatalError("nobody else uses it") }
      permit.release()
    }
  },
  repeated("bulkhead", bulkhead),
  Case("rate limiter, tryAcquire") { count in
    for _ in 0..<count { precondition(limiter.tryAcquire()) }
  },
  repeated("rate limiter", limiter),
  repeated("throttle", Throttle()),
  repeated("adaptive limiter", AdaptiveLimiter()),
  repeated("fault injection, off", FaultInjection([.hang(rate: 1)], isEnabled: false)),
  repeated("retry > breaker > bulkhead > limiter", admission),
  hedged("hedge that may not hedge", Hedge(delay: .fixed(.seconds(60)), maxHedges: 0)),
  hedged("hedge with its timer set", Hedge(delay: .fixed(.seconds(60)))),
  Case("keyed look-up") { count in
    for _ in 0..<count { precondition(breakers[7].name == "7") }
  },
]

let arguments = CommandLine.arguments.dropFirst().compactMap { Int($0) }
let rounds = arguments.first ?? 15
let count = arguments.dropFirst().first ?? 20_000
let many = arguments.dropFirst(2).first ?? 100_000

let one = try await medians(of: cases, rounds: rounds, count: count)
let two = try await medians(of: cases, rounds: rounds, count: count, tasks: 2)

print("\(padded("median of \(rounds) rounds", 36))  ns each   / bare    two tasks do")
for entry in cases {
  let (alone, shared) = (one[entry.name] ?? 0, two[entry.name] ?? 1)
  let baseline = one["bare call"] ?? 1
  print(row(entry.name, alone, baseline: baseline) + " \(rounded(alone / shared))x")
}

print("\n" + padded("waiters that come and are cancelled", 36) + "  ns each")
// Newest first drops those who wait for more than a moment.
for order in [Bulkhead.Order.fifo, .priority] {
  for waiters in [many / 100, many] {
    let time = try await cancelledWaiters(waiters, order)
    print("\(padded("\(order), \(waiters) at once", 36))  \(rounded(time))")
  }
}

print("\n\(many) keyed circuit breakers with the default window, each after one call")
print("resident  \(rounded(keyedMegabytes(many))) MB")
