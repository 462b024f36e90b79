import Testing

@testable import Resilience

@Suite("A clock that steps back again and again")
struct ClockStepWalkTests {
  @Test(
    "The naive model, which knows no steps, agrees with a core whose clock steps back again and again",
    arguments: CoreModelTests.WindowKind.allCases)
  func agrees(window kind: CoreModelTests.WindowKind) {
    for (number, settings) in kind.settings.enumerated() {
      let seed = UInt64(number + 1)
      let core = CountedCore(settings, countsOutside: number % 2 == 0 && kind != .calls)
      var walk = CoreModelWalk(
        SteppedCore(core, seed: seed), settings, seed: seed, unit: kind.unit)
      if let mismatch = walk.walk(steps: 500) {
        Issue.record("\(kind), settings \(number), \(mismatch)\n\(settings)")
      }
    }
  }

  /// A core whose clock steps back, by little and by much, and is looked at just before and after.
  private struct SteppedCore: ModelledBreaker {
    let timesCalls = false
    private var core: CountedCore
    private var random: SplitMix64
    private var behind: Int64 = 0
    private var notices: [NaiveBreaker.Notice] = []

    init(_ core: CountedCore, seed: UInt64) {
      self.core = core
      random = SplitMix64(seed: seed)
    }

    private mutating func reading(afterStepAt now: Int64) -> Int64 {
      if Int.random(in: 0..<10, using: &random) == 0 {
        core.touch(at: now - behind)
        keepNotices()
        let longest: Int64 =
          Bool.random(using: &random) ? 1_000_000_000 : 3_600_000_000_000
        behind += .random(in: 1...longest, using: &random)
        core.touch(at: now - behind)
      }
      return now - behind
    }

    mutating func admit(at now: Int64) -> CircuitBreaker.Core.Decision {
      core.admit(at: reading(afterStepAt: now))
    }

    mutating func record(
      _ report: CircuitBreaker.Report, of admission: CircuitBreaker.Admission, at now: Int64
    ) {
      core.record(report, of: admission, at: reading(afterStepAt: now))
    }

    mutating func control(_ control: BreakerControl, at now: Int64) {
      core.control(control, at: reading(afterStepAt: now))
    }

    mutating func reading(at now: Int64) -> NaiveBreaker.Reading { core.reading(at: now - behind) }

    mutating func takeNotices() -> [NaiveBreaker.Notice]? {
      keepNotices()
      defer { notices = [] }
      return notices
    }

    /// Reads instants as they would be if the clock had never stepped.
    private mutating func keepNotices() {
      for notice in core.takeNotices() ?? [] {
        if case .transition(let from, let to, let cause, let counts, let end, let number) = notice {
          notices.append(
            .transition(
              from, to, cause, counts, openUntil: end.map { $0 + behind }, generation: number))
        } else {
          notices.append(notice)
        }
      }
    }
  }
}
