import Testing

@testable import Resilience

@Suite("The whole breaker does what the naive model does")
struct WholeBreakerTests {
  @Test(
    "CB-1 to CB-19: with healthy calls counted outside the lock, every snapshot is the model's",
    arguments: CoreModelTests.WindowKind.allCases)
  func agrees(window kind: CoreModelTests.WindowKind) {
    for (number, settings) in kind.settings.enumerated() {
      let seed = UInt64(number + 1)
      var walk = CoreModelWalk(WholeBreaker(settings), settings, seed: seed, unit: kind.unit)
      if let mismatch = walk.walk(steps: 600) {
        Issue.record("\(kind), settings \(number), \(mismatch)\n\(settings)")
      }
    }
  }

  private struct Hint: RetryAfterHint {
    let retryAfter: Duration?
  }

  private struct WholeBreaker: ModelledBreaker {
    let timesCalls = true
    private let clock = SteppedClock()
    private let breaker: CircuitBreaker

    init(_ settings: NaiveBreaker.Settings) {
      breaker = CircuitBreaker("any", configuration: settings.configuration, clock: clock)
    }

    func admit(at now: Int64) -> CircuitBreaker.Core.Decision {
      clock.set(to: now)
      do { return .admitted(try breaker.admit()) } catch {
        guard let error = error as? CircuitOpenError else { return .rejected(.open) }
        // CB-23: computed when asked, and only for an open circuit.
        let openUntil = error.reason == .open ? breaker.snapshot().openUntil : nil
        #expect(error.retryAfter == openUntil?.remaining)
        return .rejected(error.reason)
      }
    }

    func record(
      _ report: CircuitBreaker.Report, of admission: CircuitBreaker.Admission, at now: Int64
    ) {
      clock.set(to: now)
      if report.outcome == .failure {
        breaker.record(
          Hint(retryAfter: .nanoseconds(report.retryAfter)) as any Error, of: admission)
      } else {
        breaker.record(report.outcome, of: admission)
      }
    }

    func control(_ control: BreakerControl, at now: Int64) {
      clock.set(to: now)
      switch control {
      case .enter(.isolated): breaker.isolate()
      case .enter(.disabled): breaker.disable()
      case .enter: breaker.observe()
      case .reset: breaker.reset()
      case .trip(let length): breaker.trip(for: length.map { .nanoseconds($0) })
      }
    }

    func reading(at now: Int64) -> NaiveBreaker.Reading {
      clock.set(to: now)
      let snapshot = breaker.snapshot()
      return NaiveBreaker.Reading(
        state: snapshot.state, counts: snapshot.counts, totals: snapshot.totals,
        generation: snapshot.generation, running: snapshot.running,
        openUntil: snapshot.openUntil.map { now + $0.remaining.saturatingNanoseconds },
        share: snapshot.admittedShare,
        isOnProbation: breaker.reading { core, _ in core.isOnProbation(at: now) })
    }

    func takeNotices() -> [NaiveBreaker.Notice]? { nil }
  }
}
