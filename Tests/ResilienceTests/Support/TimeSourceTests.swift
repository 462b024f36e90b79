import Testing

@testable import Resilience

@Suite("The clocks that a breaker reads")
struct TimeSourceTests {
  private static let second: Int64 = 1_000_000_000

  @Test("the coarse clock keeps pace with the default one, a tick of the kernel behind at most")
  func coarseKeepsPace() {
    let fine = TimeSource(ContinuousClock())
    let coarse = TimeSource(ContinuousClock(), shortest: .max)
    // Ticks are 10 ms apart at most; ten of them pass here, without sleeping.
    let (coarseStart, fineStart) = (coarse.now(), fine.now())
    var (last, fineEnd) = (coarseStart, fineStart)
    while fineEnd - fineStart < Self.second / 10 {
      let reading = coarse.now()
      #expect(reading >= last)
      last = reading
      fineEnd = fine.now()
    }
    #expect(coarse.now() - coarseStart >= fineEnd - fineStart - Self.second / 100)
  }

  #if os(Linux)
    @Test("CB-24: the coarse clock is read where the shortest duration is 100 of its ticks")
    func coarseIsChosen() {
      // A tick is 1 to 10 ms, so a second is enough, and 99 µs never are.
      #expect(TimeSource(ContinuousClock(), shortest: Self.second).isCoarse)
      #expect(!TimeSource(ContinuousClock(), shortest: 99_000).isCoarse)
      #expect(!TimeSource(ContinuousClock()).isCoarse)
      #expect(!TimeSource(SteppedClock(), shortest: .max).isCoarse)
    }

    @Test("CB-24: an observer is told exact durations, so its breaker reads the exact clock")
    func observersWantExactTime() {
      struct Nobody: ResilienceObserver {
        func observe(_ event: any ResilienceEvent) {}
      }
      let configuration = CircuitBreaker.Configuration(
        over: .interval(.seconds(60)), recovery: .init(openFor: .seconds(60)))
      #expect(CircuitBreaker("any", configuration: configuration).source.isCoarse)
      let observed = CircuitBreaker("any", configuration: configuration, observers: [Nobody()])
      #expect(!observed.source.isCoarse)
    }
  #endif

  @Test("the shortest duration of a configuration is the shortest that any decision depends on")
  func shortestDuration() {
    func shortest(_ configuration: CircuitBreaker.Configuration) -> Int64 {
      CircuitBreaker.Rules(configuration).shortestDuration
    }
    // 0.5 s less 10 % of jitter.
    #expect(shortest(.init()) == 450_000_000)
    #expect(shortest(.init(over: .rolling(.seconds(1), buckets: 10))) == Self.second / 10)
    #expect(shortest(.init(over: .interval(.milliseconds(20)))) == Self.second / 50)
    #expect(shortest(.init(recovery: .init(probation: .milliseconds(3)))) == 3_000_000)
    #expect(shortest(.init(recovery: .init(probeLease: .milliseconds(4)))) == 4_000_000)
    #expect(shortest(.init(recovery: .init(openFor: .milliseconds(5)))) == 5_000_000)
    let lasting = CircuitBreaker.TripCondition.consecutiveFailures(2, lasting: .milliseconds(6))
    #expect(shortest(.init(tripping: lasting)) == 6_000_000)
    #expect(shortest(.init(hungAfter: .milliseconds(8))) == 8_000_000)
    let slow = CircuitBreaker.TripCondition.slowCallRate(1, slowerThan: .milliseconds(7))
    #expect(shortest(.init(tripping: slow)) == 7_000_000)
  }

  @Test("X-3: a seed repeats the generator's published numbers")
  func seed() {
    var generator = SplitMix64(seed: 1_234_567)
    let numbers = (0..<5).map { _ in generator.next() }
    #expect(
      numbers == [
        6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
        4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
      ])
  }
}
