import Resilience
import Testing

@testable import ResilienceSimulation

@Suite("Quotas of others, by their rules")
struct QuotaTests {
  // MARK: gRPC

  @Test("gRFC A6: ten tokens, a failure takes one, and at half of them retries end")
  func throttleOpens() {
    var throttle = GRPCRetryThrottle()
    var course: [[Int?]] = []
    for _ in 1...6 {
      throttle.end(.first, .failure, at: 0)
      course.append([throttle.tokens, throttle.withdraw(after: .error, at: 0)])
    }
    #expect(
      course == [[9_000, 0], [8_000, 0], [7_000, 0], [6_000, 0], [5_000, nil], [4_000, nil]])
  }

  @Test("gRFC A6: a success adds a tenth, whichever attempt it is; above half retries begin again")
  func throttleRecovers() {
    var throttle = GRPCRetryThrottle()
    for _ in 1...6 { throttle.end(.first, .failure, at: 0) }
    var course: [[Int?]] = []
    for _ in 1...6 {
      for _ in 1...2 { throttle.end(.retry(), .success, at: 0) }
      course.append([throttle.tokens, throttle.withdraw(after: .error, at: 0)])
    }
    #expect(
      course == [
        [4_200, nil], [4_400, nil], [4_600, nil], [4_800, nil], [5_000, nil], [5_200, 0],
      ])
  }

  @Test("gRFC A6: never below zero, never above the maximum; what was cancelled changes nothing")
  func throttleBounds() {
    var throttle = GRPCRetryThrottle()
    throttle.end(.first, .success, at: 0)
    #expect(throttle.tokens == 10_000)
    throttle.end(.first, .ignored, at: 0)
    #expect(throttle.tokens == 10_000)
    for _ in 1...11 { throttle.end(.first, .failure, at: 0) }
    #expect(throttle.tokens == 0)
    throttle.end(.first, .success, at: 0)
    #expect(throttle.tokens == 100)
  }

  // MARK: AWS

  @Test("AWS: 5 for a retry, 10 after a timeout; a success brings back what its attempt cost, or 1")
  func quota() {
    var quota = AWSRetryQuota(.standard)
    var course: [[Int?]] = []
    for failure in [AttemptFailure.error, .timeout, .overload] {
      course.append([quota.withdraw(after: failure, at: 0), quota.tokens])
    }
    #expect(course == [[5, 495], [10, 485], [5, 480]])
    quota.end(.retry(cost: 5), .failure, at: 0)
    quota.end(.first, .failure, at: 0)
    quota.end(.retry(cost: 5), .ignored, at: 0)
    #expect(quota.tokens == 480)
    quota.end(.retry(cost: 10), .success, at: 0)
    #expect(quota.tokens == 490)
    quota.end(.first, .success, at: 0)
    #expect(quota.tokens == 491)
    quota.end(.retry(cost: 10), .success, at: 0)
    #expect(quota.tokens == 500)
  }

  @Test(
    "AWS: 500 tokens are 50 retries after timeouts; since 2026, 35",
    arguments: [(AWSRetryQuota.Costs.standard, 50, 0), (.of2026, 35, 10)])
  func quotaEnds(_ costs: AWSRetryQuota.Costs, _ retries: Int, _ left: Int) {
    var quota = AWSRetryQuota(costs)
    var granted = 0
    while quota.withdraw(after: .timeout, at: 0) != nil { granted += 1 }
    #expect(granted == retries)
    #expect(quota.tokens == left)
  }

  @Test("AWS since 2026: 14 for a retry, a timeout is nothing special, an overload reply costs 5")
  func quotaOf2026() {
    var quota = AWSRetryQuota(.of2026)
    #expect(AttemptFailure.allCases.map { quota.withdraw(after: $0, at: 0) } == [14, 14, 5])
    #expect(quota.tokens == 467)
    while quota.withdraw(after: .error, at: 0) != nil {}
    #expect(quota.tokens == 5)
    #expect(quota.withdraw(after: .overload, at: 0) == 5)
    for _ in 1...13 { quota.end(.first, .success, at: 0) }
    #expect(quota.withdraw(after: .error, at: 0) == nil)
    quota.end(.first, .success, at: 0)
    #expect(quota.withdraw(after: .error, at: 0) == 14)
  }

  // MARK: Finagle

  @Test("Finagle: without calls, 100 retries in 10 s, and 100 more when they are forgotten")
  func budgetFloor() {
    var budget = FinagleRetryBudget()
    #expect(budget.retries(at: 0) == 100)
    #expect(budget.retries(at: .seconds(10) - 1) == 0)
    #expect(budget.retries(at: .seconds(10)) == 100)
    #expect(budget.retries(at: .seconds(31_536_000)) == 100)
  }

  @Test("Finagle: one retry more for five calls, for 10 s; a retry brings no deposit")
  func budgetDeposits() {
    var budget = FinagleRetryBudget()
    for _ in 1...9 { budget.begin(.first, at: .seconds(3)) }
    budget.begin(.retry(cost: 5), at: .seconds(3))
    #expect(budget.balance(at: .seconds(3)) == 509)
    #expect(budget.retries(at: .seconds(3)) == 101)
    #expect(budget.balance(at: .seconds(3)) == 4)
    budget.begin(.first, at: .seconds(4))
    #expect(budget.retries(at: .seconds(4)) == 1)
    // The nine calls are forgotten, and so are the first 101 retries.
    #expect(budget.balance(at: .seconds(13)) == 496)
    #expect(budget.balance(at: .seconds(14)) == 500)
  }

  @Test("Finagle: a clock that steps back is read as one that stands still")
  func budgetClock() {
    var budget = FinagleRetryBudget()
    budget.begin(.first, at: .seconds(100))
    budget.begin(.first, at: .seconds(1))
    #expect(budget.balance(at: .seconds(1)) == 502)
    #expect(budget.balance(at: .seconds(109)) == 502)
    #expect(budget.balance(at: .seconds(110)) == 500)
  }

  // MARK: Envoy

  @Test("Envoy: three retries at a time, or a fifth as many as there are requests")
  func concurrency() {
    for (requests, retries) in [(0, 3), (19, 3), (20, 4), (24, 4), (25, 5), (500, 100)] {
      var budget = EnvoyRetryBudget()
      for _ in 0..<requests { budget.begin(.first, at: 0) }
      #expect(budget.retries(at: 0) == retries)
      #expect((budget.requests, budget.retries) == (requests, retries))
    }
  }

  @Test("Envoy: a retry counts while it waits and while it runs; it gives back its place once")
  func places() {
    var budget = EnvoyRetryBudget()
    var course: [[Int]] = []
    func note() { course.append([budget.requests, budget.retries]) }
    budget.begin(.first, at: 0)
    note()
    budget.end(.first, .failure, at: 0)
    note()
    #expect(budget.withdraw(after: .error, at: 0) == 0)
    note()
    budget.begin(.retry(), at: 0)
    note()
    budget.end(.retry(), .failure, at: 0)
    note()
    #expect(budget.withdraw(after: .error, at: 0) == 0)
    budget.drop(.retry())
    note()
    #expect(course == [[1, 0], [0, 0], [0, 1], [1, 1], [0, 0], [0, 0]])
  }

  @Test("a reply of overload is told from other errors")
  func failures() {
    #expect(AttemptFailure(ServiceError.overloaded) == .overload)
    #expect(AttemptFailure(ServiceError.failed) == .error)
    #expect(AttemptFailure(CancellationError()) == .error)
  }
}

extension QuotaAttempt {
  static let first = QuotaAttempt()
  static func retry(cost: Int = 0) -> QuotaAttempt { QuotaAttempt(number: 2, cost: cost) }
}

extension RetryQuota {
  /// Takes all that there is.
  mutating func retries(at now: Int64) -> Int {
    var count = 0
    while withdraw(after: .error, at: now) != nil { count += 1 }
    return count
  }
}

extension Int64 {
  static func seconds(_ count: Int64) -> Int64 { count * 1_000_000_000 }
}
