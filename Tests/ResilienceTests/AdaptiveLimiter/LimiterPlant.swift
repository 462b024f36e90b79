import Testing

@testable import Resilience

/// A dependency with some servers and one queue, in virtual time, and clients that take every place
/// the limit offers: M/M/c, or M/D/c, in a closed loop. Drives the decision core.
///
/// A call that has waited for its timeout is given up by its client; the dependency, which does not
/// know, answers it all the same.
struct LimiterPlant {
  enum Service { case exponential, constant }

  /// What a stretch of time came to.
  struct Stretch {
    /// Answers in time, as a share of what the servers can give.
    var goodput = 0.0
    var meanLimit = 0.0
    var lowest = Int.max
    var highest = 0
    var timeouts = 0
  }

  private struct Job {
    let end: Int64
    let call: Int
  }

  var servers: Int
  var service: Duration
  var distribution = Service.exponential
  var timeout: Duration?
  private(set) var core: AdaptiveLimiter.Core
  private var dice: Dice

  private var now: Int64 = 0
  private var starts: [Int64] = []
  private var isOver: [Bool] = []
  private var firstWaiting = 0
  private var firstOpen = 0
  private var jobs: [Job] = []

  init(
    servers: Int, service: Duration, _ algorithm: AdaptiveLimiter.Algorithm,
    timeout: Duration? = nil, distribution: Service = .exponential, seed: UInt64 = 7
  ) {
    self.servers = servers
    self.service = service
    self.timeout = timeout
    self.distribution = distribution
    core = AdaptiveLimiter.Core(algorithm, at: 0)
    dice = Dice(seed: seed)
  }

  var baseline: Double? { core.feedback.latencies.baseline.map { $0 / Double(serviceTime) } }

  private var serviceTime: Int64 { service.saturatingNanoseconds }

  mutating func run(for duration: Duration) -> Stretch {
    let (end, length) = (
      now + duration.saturatingNanoseconds, Double(duration.saturatingNanoseconds)
    )
    var (stretch, answers, area) = (Stretch(), 0, 0.0)
    while true {
      fill()
      let (job, timeout) = (nextJob, nextTimeout)
      let next = min(job.map { jobs[$0].end } ?? .max, timeout)
      area += Double(core.limit) * Double(min(next, end) - now)
      stretch.lowest = min(stretch.lowest, core.limit)
      stretch.highest = max(stretch.highest, core.limit)
      if next >= end { break }
      now = next
      if next == timeout {
        stretch.timeouts += 1
        finish(firstOpen, .overload)
      } else if let job, finish(jobs.remove(at: job).call, .success) {
        answers += 1
      }
    }
    now = end
    stretch.meanLimit = area / length
    stretch.goodput = Double(answers) * Double(serviceTime) / length / Double(servers)
    return stretch
  }

  /// Every place is taken at once, and every server that is free.
  private mutating func fill() {
    while core.inFlight < core.limit, core.admit(.normal, at: now) == nil {
      starts.append(now)
      isOver.append(false)
    }
    while jobs.count < servers, firstWaiting < starts.count {
      jobs.append(Job(end: now + nextServiceTime(), call: firstWaiting))
      firstWaiting += 1
    }
  }

  private mutating func nextServiceTime() -> Int64 {
    guard distribution == .exponential else { return serviceTime }
    return max(1, Int64(-Double(serviceTime) * naturalLogarithm(.random(in: 0..<1, using: &dice))))
  }

  private var nextJob: Int? { jobs.indices.min { jobs[$0].end < jobs[$1].end } }

  private var nextTimeout: Int64 {
    mutating get {
      guard let timeout else { return .max }
      while firstOpen < starts.count, isOver[firstOpen] { firstOpen += 1 }
      guard firstOpen < starts.count else { return .max }
      return starts[firstOpen] + timeout.saturatingNanoseconds
    }
  }

  /// - Returns: whether its client still waited for it.
  @discardableResult
  private mutating func finish(_ call: Int, _ ending: AdaptiveLimiter.Ending) -> Bool {
    if isOver[call] { return false }
    isOver[call] = true
    _ = core.end(ending, startedAt: starts[call], at: now)
    return true
  }
}

/// Of a number in 0..<1; -30 for what is smaller than e⁻³⁰. (The tests import no mathematics.)
private func naturalLogarithm(_ value: Double) -> Double {
  guard value > 1e-13 else { return -30 }
  // ln(m · 2ᵉ) = e · ln 2 + 2 · artanh((m − 1)/(m + 1)), with m in 1..<2.
  let ratio = (value.significand - 1) / (value.significand + 1)
  var (sum, power, divisor) = (0.0, ratio, 1.0)
  while power > 1e-12 {
    sum += power / divisor
    power *= ratio * ratio
    divisor += 2
  }
  return Double(value.exponent) * 0.693_147_180_559_945_3 + 2 * sum
}
