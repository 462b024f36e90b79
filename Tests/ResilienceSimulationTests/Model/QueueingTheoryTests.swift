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

  @Test("at 80 % the mean wait for one worker is Erlang's, within 5 %")
  func erlang() {
    // Three standard errors, as those of the tests below that have no closed form of their own:
    // found by a dozen seeds.
    let waits = Self.recursionWaits(ServiceModel(workers: 1), calls: 900_000)
    #expect(abs(waits.mean / Self.meanWait(1, utilisation: 0.8) - 1) < 0.05)
    #expect(abs(waits.share / 0.8 - 1) < 0.01)
  }

  @Test("at 80 % Erlang's share of the calls waits for ten workers, within 5 %")
  func erlangOfTen() {
    let waits = Self.recursionWaits(ServiceModel(workers: 10), calls: 400_000)
    #expect(abs(waits.share / Self.erlangC(10, load: 8) - 1) < 0.05)
    // Its standard error is 4 % of it.
    #expect(abs(waits.mean / Self.meanWait(10, utilisation: 0.8) - 1) < 0.15)
  }

  @Test("with constant service times it is Pollaczek's and Khinchine's, within 5 %")
  func pollaczekKhinchine() {
    let model = ServiceModel(workers: 1, serviceTime: .constant(.milliseconds(20)))
    let mean = Self.recursionWaits(model, calls: 400_000).mean
    // ρ / (2 (1 - ρ))
    #expect(abs(mean / 2 - 1) < 0.05)
  }

  /// The mean wait in mean service times, and the share of the calls that have to wait.
  private static func recursionWaits(
    _ model: ServiceModel, calls: Int
  ) -> (mean: Double, share: Double) {
    var recursion = Recursion(
      model, utilisation: 0.8, arrivals: Dice(seed: 11), times: Dice(seed: 12))
    var sum: Int64 = 0
    var waiting = 0
    for _ in 0..<calls {
      let wait = recursion.next().wait
      sum += wait
      if wait > 0 { waiting += 1 }
    }
    let mean = Double(sum) / Double(calls) / Double(model.serviceTime.mean.saturatingNanoseconds)
    return (mean, Double(waiting) / Double(calls))
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
