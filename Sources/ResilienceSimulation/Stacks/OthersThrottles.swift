import Resilience

// Client-side throttling in the place of a circuit breaker, under this library's retry and budget.
//
// Source of both: Beyer, Jones, Petoff, Murphy (ed.), "Site Reliability Engineering", 2016, chapter
// 21, "Client-Side Throttling".

extension Stack {
  /// Google's adaptive throttling as ``Throttle`` has it by default: two calls for each success of
  /// the last 10 s, and at most 90 % refused.
  public static var adaptiveThrottle: Stack { throttling("SRE throttle") }

  /// Google's adaptive throttling as the book has it, without a limit to the share that is refused;
  /// over 30 s, where the book has two minutes.
  public static var uncappedThrottle: Stack {
    throttling("SRE uncapped", .init(window: .seconds(30), maxRejection: 1))
  }

  private static func throttling(
    _ name: String, _ configuration: Throttle.Configuration = .init()
  ) -> Stack {
    Stack(name) { client in
      Pipeline {
        Timeout(client.deadline, name: "deadline", clock: client.clock)
        client.retry(budget: RetryBudget(clock: client.clock))
        Throttle(
          "service", configuration: configuration, clock: client.clock, seed: client.seed(),
          observers: client.observers)
        Timeout(client.attemptTimeout, clock: client.clock)
      }
    }
  }
}
