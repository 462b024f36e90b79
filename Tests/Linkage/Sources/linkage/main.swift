import Resilience

struct Unavailable: Error {}

let breaker = CircuitBreaker("linked", tripping: .consecutiveFailures(1))
let answer = try await breaker.run { () -> Int in
  throw Unavailable()
} fallback: { _ in
  42
}
precondition(answer == 42)
print("linked: circuit breaker \(breaker.state)")
