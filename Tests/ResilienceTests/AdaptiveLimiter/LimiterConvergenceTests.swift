import Testing

@testable import Resilience

/// What the optimum is:
/// - A queueless dependency of c servers is used to the full by c calls; Vegas wants 1 to 2 roots
///   of the limit more, Gradient a quarter and a root.
/// - For AIMD it is where timeouts begin. Where every call takes the same time s, that is c × t/s.
///   Where latencies vary some calls time out sooner, and it is where what timeouts take away is
///   what successes add: a share of timeouts of 1/(0.3 × limit²).
@Suite("AC-1: the limit of a saturated dependency", .timeLimit(.minutes(20)))
struct LimiterConvergenceTests {
  typealias Algorithm = AdaptiveLimiter.Algorithm

  static let service = Duration.milliseconds(20)

  /// The solution of limit = c + 1.5 √limit.
  static func vegas(_ servers: Int) -> Double { solve { Double(servers) + 1.5 * $0.squareRoot() } }

  /// The solution of limit = 1.25 c + √limit.
  static func gradient(_ servers: Int) -> Double {
    solve { 1.25 * Double(servers) + $0.squareRoot() }
  }

  static func solve(_ next: (Double) -> Double) -> Double {
    (0..<50).reduce(10) { limit, _ in next(limit) }
  }

  private static func expect(
    _ stretch: LimiterPlant.Stretch, near optimum: Double, goodput: Double = 0.9,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(
      abs(stretch.meanLimit / optimum - 1) <= 0.3, "\(stretch), optimum \(optimum)",
      sourceLocation: sourceLocation)
    #expect(stretch.goodput >= goodput, "\(stretch)", sourceLocation: sourceLocation)
  }

  // MARK: - Latency

  @Test("Vegas comes to the servers and one to two roots", arguments: [4, 16, 40], [4, 100])
  func vegas(servers: Int, initial: Int) {
    var plant = LimiterPlant(servers: servers, service: Self.service, .vegas(initial: initial))
    // From far too high it takes some probes.
    _ = plant.run(for: .seconds(initial > 10 * servers ? 50 : 10))
    Self.expect(plant.run(for: .seconds(20)), near: Self.vegas(servers))
  }

  @Test("Gradient comes to 1.25 times the servers and a root", arguments: [4, 16, 40], [4, 100])
  func gradient(servers: Int, initial: Int) {
    var plant = LimiterPlant(servers: servers, service: Self.service, .gradient(initial: initial))
    // From far too high it takes some probes.
    _ = plant.run(for: .seconds(initial > 10 * servers ? 50 : 10))
    Self.expect(plant.run(for: .seconds(20)), near: Self.gradient(servers))
  }

  @Test(
    "half of the servers, and twice as many, are followed within five seconds",
    arguments: [Algorithm.vegas(), .gradient()])
  func capacity(algorithm: Algorithm) {
    let optimum = algorithm == .vegas() ? Self.vegas : Self.gradient
    var plant = LimiterPlant(servers: 16, service: Self.service, algorithm)
    _ = plant.run(for: .seconds(10))
    for servers in [8, 16, 32] {
      plant.servers = servers
      _ = plant.run(for: .seconds(5))
      Self.expect(plant.run(for: .seconds(10)), near: optimum(servers))
    }
  }

  @Test(
    "a dependency that becomes three times as slow, or as fast again, is measured anew",
    arguments: [Algorithm.vegas(), .gradient()])
  func slower(algorithm: Algorithm) {
    let optimum = algorithm == .vegas() ? Self.vegas(16) : Self.gradient(16)
    var plant = LimiterPlant(servers: 16, service: Self.service, algorithm)
    _ = plant.run(for: .seconds(10))
    for service in [60, 20] {
      plant.service = .milliseconds(service)
      _ = plant.run(for: .seconds(40))
      Self.expect(plant.run(for: .seconds(15)), near: optimum)
      #expect(abs((plant.baseline ?? 0) - 1) < 0.3)
    }
  }

  @Test(
    "probes cost less than a tenth of the goodput", arguments: [Algorithm.vegas(), .gradient()])
  func probes(algorithm: Algorithm) {
    var plant = LimiterPlant(servers: 16, service: Self.service, algorithm)
    _ = plant.run(for: .seconds(10))
    let stretch = plant.run(for: .seconds(70))
    #expect(stretch.lowest <= 8)
    #expect(stretch.goodput > 0.95)
  }

  @Test(
    "the limit does not climb while latency stays the same, where Netflix' Gradient2 does",
    arguments: [Algorithm.vegas(), .gradient()])
  func noClimb(algorithm: Algorithm) {
    var plant = LimiterPlant(
      servers: 16, service: Self.service, algorithm, distribution: .constant)
    _ = plant.run(for: .seconds(20))
    let stretch = plant.run(for: .seconds(60))
    #expect(stretch.highest <= 32, "\(stretch)")

    // The same dependency: of so many calls in flight each takes that long.
    var gradient2 = Gradient2()
    for _ in 0..<48_000 { gradient2.record(latency: max(1, gradient2.limit / 16)) }
    #expect(gradient2.limit > 100)
  }

  /// As in Netflix' concurrency-limits, with its defaults.
  struct Gradient2 {
    var limit = 20.0
    private var long = 1.0

    mutating func record(latency: Double) {
      long += (latency - long) * 2 / 601
      if long / latency > 2 { long *= 0.95 }
      let next = limit * max(0.5, min(1, 1.5 * long / latency)) + 4
      limit = min(200, max(20, 0.8 * limit + 0.2 * next))
    }
  }

  // MARK: - Timeouts

  @Test("AIMD comes to where timeouts begin, where every call takes the same time")
  func aimd() {
    for (servers, service, timeout) in [(8, 50, 500), (4, 10, 200), (20, 100, 500)] {
      var plant = LimiterPlant(
        servers: servers, service: .milliseconds(service), .aimd(),
        timeout: .milliseconds(timeout), distribution: .constant)
      _ = plant.run(for: .seconds(40))
      let optimum = Double(servers * timeout) / Double(service)
      let stretch = plant.run(for: .seconds(60))
      Self.expect(stretch, near: optimum)
      #expect(Double(stretch.highest) <= 1.1 * optimum)
    }
  }

  @Test("AIMD comes to where timeouts take away what successes add, where latencies vary")
  func aimdOfVarying() {
    for (servers, service, timeout) in [(8, 50, 500), (4, 20, 400), (20, 100, 500)] {
      var plant = LimiterPlant(
        servers: servers, service: .milliseconds(service), .aimd(),
        timeout: .milliseconds(timeout))
      _ = plant.run(for: .seconds(40))
      let optimum = Self.balance(servers, Double(timeout) / Double(service))
      Self.expect(plant.run(for: .seconds(60)), near: optimum)
    }
  }

  @Test("AIMD follows half of the servers, and twice as many")
  func aimdCapacity() {
    var plant = LimiterPlant(
      servers: 8, service: Self.service, .aimd(), timeout: .milliseconds(300),
      distribution: .constant)
    _ = plant.run(for: .seconds(20))
    for servers in [4, 8, 16] {
      plant.servers = servers
      _ = plant.run(for: .seconds(30))
      Self.expect(plant.run(for: .seconds(20)), near: Double(servers) * 15)
    }
  }

  @Test("AIMD comes down soon when nothing is answered at all")
  func hang() {
    var plant = LimiterPlant(
      servers: 16, service: Self.service, .aimd(), timeout: .seconds(2))
    #expect(plant.run(for: .seconds(40)).highest == 200)
    plant.service = .seconds(1_000_000)
    _ = plant.run(for: .seconds(5))
    #expect(plant.core.limit <= 25)
    _ = plant.run(for: .seconds(20))
    #expect(plant.core.limit <= 3)
    #expect(plant.core.limit >= 1)
  }

  /// The limit at which the share of timeouts is 1/(0.3 × limit²).
  static func balance(_ servers: Int, _ timeout: Double) -> Double {
    var limit = servers
    while share(ofTimeoutsAt: limit, servers, timeout) * 0.3 * Double(limit * limit) < 1 {
      limit += 1
    }
    return Double(limit)
  }

  /// With n calls in flight one waits for n − c others to end, an Erlang time, and then for itself.
  /// Times are in mean service times.
  private static func share(
    ofTimeoutsAt limit: Int, _ servers: Int, _ timeout: Double
  ) -> Double {
    let (waits, c) = (limit - servers, Double(servers))
    let isQueued = erlang(waits, exceeds: c * timeout)
    let inTime = 1 - erlang(waits, exceeds: (c - 1) * timeout)
    let factor = power(c / (c - 1), waits) * inverseExponential(timeout)
    return isQueued + factor * inTime
  }

  /// The probability that `count` exponential times of mean 1 take longer than `time` together.
  private static func erlang(_ count: Int, exceeds time: Double) -> Double {
    var (term, sum) = (inverseExponential(time), 0.0)
    for k in 0..<count {
      sum += term
      term *= time / Double(k + 1)
    }
    return sum
  }

  private static func power(_ base: Double, _ count: Int) -> Double {
    (0..<count).reduce(1) { product, _ in product * base }
  }

  /// e to the minus `value`.
  private static func inverseExponential(_ value: Double) -> Double {
    // (1 − x/2²⁰ + …)^2²⁰ by twenty squarings.
    let small = value / 0x1p20
    var result = 1 - small + small * small / 2
    for _ in 0..<20 { result *= result }
    return result
  }
}
