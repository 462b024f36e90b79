import Resilience
import ResilienceTesting
import Testing

@testable import ResilienceSimulation

/// The simulator against closed forms.
///
/// Waiting times of a busy queue are so dependent on each other that it takes a million calls to
/// know their mean within 5 %. So the service is held against Lindley's recursion call by call, which
/// is exact, and the recursion against the closed forms; the rest of a trial where 30 000 calls are
/// enough.
@Suite("Queueing theory")
struct QueueingTheoryTests {
  /// The probability that a call has to wait, with `load` workers' worth of work for `workers`
  /// (A. K. Erlang, 1917).
  static func erlangC(_ workers: Int, load: Double) -> Double {
    // Erlang B by its recursion, and C from it.
    var blocking = 1.0
    for servers in 1...workers {
      blocking = load * blocking / (Double(servers) + load * blocking)
    }
    let utilisation = load / Double(workers)
    return blocking / (1 - utilisation * (1 - blocking))
  }

  /// The mean wait in an M/M/c queue, in mean service times.
  static func meanWait(_ workers: Int, utilisation: Double) -> Double {
    let load = utilisation * Double(workers)
    return erlangC(workers, load: load) / (Double(workers) - load)
  }

  /// Calls of a Poisson process to workers behind one queue, each beginning when the first worker is
  /// free (J. Kiefer, J. Wolfowitz, 1955; for one worker D. V. Lindley, 1952).
  struct Recursion {
    var arrivals: Dice
    var times: Dice
    let interval: Duration
    let serviceTime: ServiceTime
    /// When each worker is free.
    var free: [Int64]
    var now: Int64 = 0

    init(_ model: ServiceModel, utilisation: Double, arrivals: Dice, times: Dice) {
      self.arrivals = arrivals
      self.times = times
      interval = model.serviceTime.mean.scaled(by: 1 / (utilisation * Double(model.workers)))
      serviceTime = model.serviceTime
      free = [Int64](repeating: 0, count: model.workers)
    }

    /// The next call: when it comes, how long it waits, and when it has been answered.
    mutating func next() -> (arrival: Int64, wait: Int64, end: Int64) {
      now += arrivals.exponential(mean: interval).saturatingNanoseconds
      let first = free.indices.min { free[$0] < free[$1] }!
      let start = max(now, free[first])
      free[first] = start + serviceTime.draw(&times).saturatingNanoseconds
      return (now, start - now, free[first])
    }
  }

  @Test("the service answers each call when Lindley's recursion says", arguments: [1, 3, 10])
  func samplePath(_ workers: Int) async throws {
    let model = ServiceModel(workers: workers)
    let seed: UInt64 = 7
    var dice = Dice(seed: seed)
    let recursion = Recursion(
      model, utilisation: 0.8, arrivals: Dice(seed: 1), times: Dice(seed: dice.seed()))
    let (simulated, expected) = try await withVirtualTime { clock in
      let bench = ServiceBench(model, on: clock, seed: seed)
      var recursion = recursion
      var ends: [Int64] = []
      var tasks: [Task<Answer, Never>] = []
      for _ in 0..<2_000 {
        let call = recursion.next()
        try await clock.sleep(until: .init(offset: .nanoseconds(call.arrival)))
        ends.append(call.end)
        tasks.append(bench.send())
      }
      var simulated: [Answer] = []
      for task in tasks { simulated.append(await task.value) }
      return (simulated, ends.map { Answer(.served, at: .nanoseconds($0)) })
    }
    #expect(simulated == expected)
  }

  @Test("at 80 % the mean wait is Erlang's, within 5 %", arguments: [1, 10])
  func erlang(_ workers: Int) {
    let mean = Self.recursionMeanWait(ServiceModel(workers: workers), calls: 1_000_000 / workers)
    let theory = Self.meanWait(workers, utilisation: 0.8)
    #expect(abs(mean / theory - 1) < 0.05)
  }

  @Test("with constant service times it is Pollaczek's and Khinchine's, within 5 %")
  func pollaczekKhinchine() {
    let model = ServiceModel(workers: 1, serviceTime: .constant(.milliseconds(20)))
    let mean = Self.recursionMeanWait(model, calls: 400_000)
    // ρ / (2 (1 - ρ))
    #expect(abs(mean / 2 - 1) < 0.05)
  }

  private static func recursionMeanWait(_ model: ServiceModel, calls: Int) -> Double {
    var recursion = Recursion(
      model, utilisation: 0.8, arrivals: Dice(seed: 11), times: Dice(seed: 12))
    var sum: Int64 = 0
    for _ in 0..<calls { sum += recursion.next().wait }
    return Double(sum) / Double(calls) / Double(model.serviceTime.mean.saturatingNanoseconds)
  }

  @Test(
    "a trial's callers wait as long as theory says, within 5 %",
    arguments: [
      // Workers, their utilisation, whether service times are constant.
      (1, 0.5, false), (10, 0.8, false), (1, 0.5, true),
    ])
  func trial(_ workers: Int, _ utilisation: Double, _ isConstant: Bool) async throws {
    let calls = 12_000.0
    let mean = Duration.milliseconds(20)
    var scenario = Scenario("queue")
    scenario.service.workers = workers
    scenario.service.serviceTime = isConstant ? .constant(mean) : .exponential(mean: mean)
    let rate = utilisation * scenario.service.capacity
    scenario.load.rate = .total(rate)
    scenario.warmUp = .zero
    scenario.watch = .seconds(calls / rate)
    let tally = try await Trial(scenario, .direct, clients: 3).run().calls()
    let wait =
      isConstant
      ? utilisation / (2 * (1 - utilisation)) : Self.meanWait(workers, utilisation: utilisation)
    let response = tally.blockedSeconds / Double(tally.offered) / mean.inSeconds
    #expect(abs(response / (1 + wait) - 1) < 0.05)
  }
}

@Suite("Arrivals")
struct ArrivalTests {
  private static func counts(_ scenario: Scenario, clients: Int = 2) async throws -> [Double] {
    try await Trial(scenario, .direct, clients: clients).run().timeline.dropLast()
      .map { Double($0.offered) }
  }

  private static func mean(_ numbers: some Collection<Double>) -> Double {
    numbers.reduce(0, +) / Double(numbers.count)
  }

  private static var steady: Scenario {
    var scenario = Scenario("steady")
    scenario.load.rate = .total(40)
    scenario.warmUp = .zero
    scenario.watch = .seconds(300)
    return scenario
  }

  @Test("calls of a second are distributed as Poisson says: their variance is their mean")
  func poisson() async throws {
    let counts = try await Self.counts(Self.steady)
    let mean = Self.mean(counts)
    let variance = Self.mean(counts.map { ($0 - mean) * ($0 - mean) })
    #expect(counts.count == 300)
    // Three standard errors: √(40 / 300) of the mean, √(2 / 300) of its share of the variance.
    #expect(abs(mean - 40) < 1.1)
    #expect(abs(variance / mean - 1) < 0.25)
  }

  @Test("the rate may be said for each client")
  func perClient() async throws {
    var scenario = Self.steady
    scenario.load.rate = .perClient(4)
    let each = try await Self.counts(scenario, clients: 10)
    let together = try await Self.counts(Self.steady, clients: 10)
    #expect(each == together)
  }

  @Test("a load doubles while it is a trouble, and is the same again afterwards")
  func doubled() async throws {
    var scenario = Scenario("doubled", phases: [.init(.seconds(100), .load(times: 2))])
    scenario.load.rate = .total(40)
    scenario.warmUp = .seconds(100)
    scenario.watch = .seconds(100)
    let counts = try await Self.counts(scenario)
    #expect(abs(Self.mean(counts[..<100]) - 40) < 1.9)
    #expect(abs(Self.mean(counts[100..<200]) - 80) < 2.7)
    #expect(abs(Self.mean(counts[200...]) - 40) < 1.9)
  }

  @Test("keys and criticalities are drawn by their shares")
  func shares() async throws {
    var scenario = Self.steady
    scenario.load.keys = 4
    scenario.load.critical = 0.2
    scenario.load.sheddable = 0.3
    scenario.always = [.failing(keys: 0..<1)]
    let result = try await Trial(scenario, .direct, clients: 2).run()
    let offered = Double(result.calls().offered)
    func share(_ group: CallGroup) -> Double { Double(result.calls(group).offered) / offered }
    // Four standard errors of a share near a half are 0.018.
    #expect(abs(share(.critical) - 0.2) < 0.015)
    #expect(abs(share(.sheddable) - 0.3) < 0.017)
    #expect(abs(share(.normal) - 0.5) < 0.018)
    #expect(abs(share(.troubled) - 0.25) < 0.016)
    #expect(result.calls(.untroubled).offered + result.calls(.troubled).offered == Int(offered))
    #expect(result.calls(.troubled).failed == result.calls(.troubled).offered)
    #expect(result.calls(.untroubled).good == result.calls(.untroubled).offered)
  }
}
