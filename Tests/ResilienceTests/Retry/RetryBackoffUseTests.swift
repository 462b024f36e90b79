import Resilience
import ResilienceTesting
import Testing

@Suite("Retry: how it waits")
struct RetryBackoffUseTests {
  /// When the attempts of a call that fails began.
  private static func beginnings(
    _ trial: Trial, _ error: any Error = NumberedError(1)
  ) async -> [Duration] {
    var beginnings: [Duration] = []
    let start = trial.clock.now
    _ = await trial.error {
      beginnings.append(start.duration(to: trial.clock.now))
      throw error
    }
    return beginnings
  }

  static let backoffs: [Backoff] = [
    .constant(.milliseconds(10)), .exponential(from: .milliseconds(50)),
    .linear(from: .milliseconds(10), step: .milliseconds(5), jitter: .equal),
    .decorrelated(from: .milliseconds(10)),
    .exponential(from: .milliseconds(3), factor: 1.5, jitter: .proportional(0.3)),
  ]

  @Test("BO-2: the waits are those that were told, and the seed repeats them", arguments: 0..<5)
  func waits(_ kind: Int) async throws {
    try await withVirtualTime { clock in
      let trials = [7, 7, 8].map { seed in
        Trial(maxAttempts: 9, backoff: Self.backoffs[kind], on: clock, seed: seed)
      }
      for trial in trials {
        let beginnings = await Self.beginnings(trial)
        #expect(zip(beginnings, beginnings.dropFirst()).map { $1 - $0 } == trial.delays)
        // Drawn one by one, and not all alike (failsafe P08).
        #expect(Set(trial.delays).count == 8)
      }
      #expect(trials[0].delays == trials[1].delays)
      #expect(trials[0].delays != trials[2].delays)
    }
  }

  @Test("BO-1: the last setting of a configuration is the one that holds (failsafe Q6)")
  func lastSetting() async throws {
    try await withVirtualTime { clock in
      var configuration = Retry.Configuration(
        maxAttempts: 4, backoff: .exponential(from: .milliseconds(3)))
      configuration.backoff = .constant(.milliseconds(3), jitter: .none)
      let retry = Retry(configuration: configuration, budget: nil, clock: clock)
      var instants: [Duration] = []
      _ = try? await retry.run {
        instants.append(clock.now.offset)
        throw NumberedError(1)
      }
      #expect(instants == [0, 3, 6, 9].map { .milliseconds($0) })
    }
  }

  @Test("BO-2: a backoff is given the coming attempt and its own last delay, not what a hint made")
  func previous() async throws {
    try await withVirtualTime { clock in
      let asked = Shared<[String]>([])
      let backoff = Backoff.custom { attempt, previous in
        asked.value.append("\(attempt): \(previous)")
        return .seconds(attempt)
      }
      let trial = Trial(maxAttempts: 4, backoff: backoff, on: clock)
      #expect(await Self.beginnings(trial, Later(retryAfter: .seconds(3))).count == 4)
      #expect(asked.value == ["2: 0.0 seconds", "3: 2.0 seconds", "4: 3.0 seconds"])
      #expect(trial.delays == [.seconds(3), .seconds(3), .seconds(4)])
      // The next call begins anew.
      _ = await Self.beginnings(trial)
      #expect(asked.value.dropFirst(3).first == "2: 0.0 seconds")
    }
  }

  @Test("BO-2: a hint does not lengthen what follows it in a decorrelated backoff")
  func decorrelated() async throws {
    try await withVirtualTime { clock in
      let trial = Trial(
        maxAttempts: 3, backoff: .decorrelated(from: .milliseconds(10)), tokens: nil, on: clock)
      for _ in 0..<50 {
        let script = Script<Int>(
          [.fail(Later(retryAfter: .seconds(30))), .fail(NumberedError(1))], clock: clock)
        _ = await trial.error { try await script() }
      }
      let after = trial.delays.indices.filter { !$0.isMultiple(of: 2) }.map { trial.delays[$0] }
      #expect(after.allSatisfy { $0 <= .milliseconds(90) })
      #expect(after.count == 50)
    }
  }
}
