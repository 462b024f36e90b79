import Resilience
import Testing

@Suite("PL-2, PL-3: pipelines describe and check themselves")
struct PipelineMistakeTests {
  private static func timeout(_ limit: Duration, _ name: String) -> PolicyLayer {
    PolicyLayer(role: .timeout(limit), name: name, settings: "\(limit)")
  }

  private static func retry(_ name: String = "retry", attempts: Int = 3, nests: Bool = false)
    -> PolicyLayer
  {
    PolicyLayer(role: .retry(maxAttempts: attempts, nests: nests), name: name)
  }

  private static func layer(_ role: PolicyLayer.Role, _ name: String) -> PolicyLayer {
    PolicyLayer(role: role, name: name)
  }

  private static let total = timeout(.seconds(1), "total")
  private static let attempt = timeout(.milliseconds(250), "attempt")
  private static let breaker = layer(.circuitBreaker, "users")
  private static let limiter = layer(.rateLimiter, "rate")
  private static let throttle = layer(.throttle, "throttle")
  private static let bulkhead = layer(.bulkhead, "slots")
  private static let adaptive = layer(.adaptiveLimiter, "adaptive")
  private static let hedge = layer(.hedge, "hedge")

  /// Expects one mistake, between the layers at these positions.
  private static func expect(
    _ kind: PipelineMistake.Kind, _ outer: Int, _ inner: Int, in layers: [PolicyLayer],
    _ description: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let mistakes = PipelineMistake.mistakes(in: layers)
    #expect(mistakes.map(\.kind) == [kind], sourceLocation: sourceLocation)
    #expect(mistakes.map(\.positions) == [[outer, inner]], sourceLocation: sourceLocation)
    #expect(
      mistakes.map(\.layers) == [[layers[outer], layers[inner]]], sourceLocation: sourceLocation)
    #expect(mistakes.map(\.description) == [description], sourceLocation: sourceLocation)
  }
}

// MARK: - Descriptions

extension PipelineMistakeTests {
  @Test("PL-2: a pipeline in one line, outermost first, with the settings")
  func description() {
    let breaker = CircuitBreaker(
      "users", tripping: .consecutiveFailures(5), over: .sinceTransition,
      recovery: .init(openFor: .seconds(30), probation: .zero))
    let isTaken = false
    let pipeline = Pipeline {
      Placeholder(.timeout(.seconds(1)), "total", "1.0 seconds")
      if isTaken { Placeholder(.bulkhead, "never") }
      Pipeline {
        Placeholder(.retry(maxAttempts: 3, nests: false), "retry", "3 attempts")
        breaker
      }
      ConcurrentPlaceholder()
    }
    #expect(
      pipeline.description
        == #"timeout "total" (1.0 seconds) > retry "retry" (3 attempts) > "#
        + #"circuit breaker "users" (trips at 5 failures in a row, over since the last transition; "#
        + #"open for 30.0 seconds, probes 1, reopening on the first failure) > "#
        + #"policy "ConcurrentPlaceholder""#)
  }

  @Test("PL-2: a pipeline without policies says so")
  func nothing() {
    let isTaken = false
    let pipeline = Pipeline {
      if isTaken { Placeholder(.bulkhead, "never") }
    }
    #expect(pipeline.description == "no policy")
    #expect(pipeline.layers == [])
    #expect(pipeline.validate() == [])
  }
}

// MARK: - Mistakes

extension PipelineMistakeTests {
  @Test("PL-3: a pipeline reports its mistakes from the outermost on")
  func validate() {
    let isTaken = true
    let pipeline = Pipeline {
      CircuitBreaker("users")
      if isTaken {
        Placeholder(.bulkhead, "slots")
      } else {
        Placeholder(.rateLimiter, "rate")
      }
      Placeholder(.timeout(.seconds(1)), "total", "1.0 seconds")
      Placeholder(.retry(maxAttempts: 3, nests: false), "retry")
    }
    let mistakes = pipeline.validate()
    #expect(
      mistakes.map(\.kind) == [
        .circuitBreakerOutsideRetry, .slotHeldDuringRetry, .noAttemptTimeout,
      ])
    #expect(mistakes.map(\.positions) == [[0, 3], [1, 3], [2, 3]])
    #expect(mistakes == PipelineMistake.mistakes(in: pipeline.layers))
  }

  @Test("PL-3: a timeout that is not shorter than one outside", arguments: [1000, 1001, 60_000])
  func timeoutWithoutEffect(milliseconds: Int) {
    let long = Self.timeout(.milliseconds(milliseconds), "attempt")
    Self.expect(
      .timeoutWithoutEffect, 0, 2, in: [Self.total, Self.retry(), long],
      #"timeout "attempt" is inside timeout "total" and not shorter: it never ends a call. "#
        + "Make it shorter, or leave it out.")
  }

  @Test("PL-3: a long timeout that abandons lets go of what a shorter one has cancelled")
  func abandoningTimeout() {
    let pipeline = Pipeline {
      Placeholder(.timeout(.seconds(1)), "total")
      AbandoningTimeout(.seconds(2))
    }
    #expect(pipeline.validate() == [])
  }

  @Test("PL-3: of several timeouts outside, the nearest that ends first is named")
  func nearestTimeout() {
    let layers = [
      Self.total, Self.timeout(.milliseconds(500), "half"),
      Self.timeout(.milliseconds(700), "late"),
      Self.attempt,
    ]
    Self.expect(
      .timeoutWithoutEffect, 1, 2, in: layers,
      #"timeout "late" is inside timeout "half" and not shorter: it never ends a call. "#
        + "Make it shorter, or leave it out.")
  }

  @Test("PL-3: a circuit breaker outside a retry")
  func circuitBreakerOutsideRetry() {
    Self.expect(
      .circuitBreakerOutsideRetry, 1, 2,
      in: [Self.total, Self.breaker, Self.retry(), Self.attempt],
      #"circuit breaker "users" is outside retry "retry": it counts one outcome for all attempts "#
        + "of a call, and a probe lasts as long as all of them. Put it inside the retry.")
  }

  @Test("PL-3: a bulkhead or an adaptive limiter outside a retry", arguments: [bulkhead, adaptive])
  func slotHeldDuringRetry(limiter: PolicyLayer) {
    Self.expect(
      .slotHeldDuringRetry, 0, 2, in: [limiter, Self.layer(.other, "mine"), Self.retry()],
      #"\#(limiter) is outside retry "retry": a call holds its slot while it waits between "#
        + "attempts. Put it inside the retry.")
  }

  @Test("PL-3: a rate limiter or a throttle outside a retry", arguments: [limiter, throttle])
  func limitOutsideRetry(limiter: PolicyLayer) {
    Self.expect(
      .limitOutsideRetry, 0, 1, in: [limiter, Self.retry(), Self.breaker],
      #"\#(limiter) is outside retry "retry": it counts calls, and the attempts after the first "#
        + "pass uncounted. Put it inside the retry.")
  }

  @Test("PL-3: a retry inside a hedge")
  func retryInsideHedge() {
    Self.expect(
      .retryInsideHedge, 1, 2, in: [Self.total, Self.hedge, Self.retry(), Self.attempt],
      #"retry "retry" is inside hedge "hedge": every hedge is a series of attempts, and one starts "#
        + "while another only waits for its next. Put the retry outside the hedge, or leave one out."
    )
  }

  @Test("PL-3: a retry inside a retry", arguments: [false, true])
  func retryInsideRetry(outerNests: Bool) {
    Self.expect(
      .retryInsideRetry, 0, 2,
      in: [Self.retry("outer", nests: outerNests), Self.breaker, Self.retry("inner")],
      #"retry "inner" is inside retry "outer": it makes one attempt. "#
        + "Leave one out, or allow nesting if attempts shall multiply.")
  }

  @Test("PL-3: a timeout around all attempts and none around each")
  func noAttemptTimeout() {
    Self.expect(
      .noAttemptTimeout, 0, 1, in: [Self.total, Self.retry(), Self.breaker],
      #"retry "retry" is inside timeout "total" and has no timeout inside: one attempt that hangs "#
        + "uses up all the time, and nothing is retried. Put a shorter timeout inside the retry.")
  }
}

// MARK: - No mistakes

extension PipelineMistakeTests {
  @Test(
    "PL-3: no mistake is reported where there is none",
    arguments: [
      [],
      [breaker],
      // The recommended orders.
      [total, retry(), breaker, limiter, bulkhead, attempt],
      [total, hedge, breaker, limiter, bulkhead, attempt],
      [total, retry(), hedge, breaker, throttle, adaptive, attempt],
      // Without a total timeout the attempts need none either.
      [retry(), breaker],
      [retry(), attempt],
      // A hedge comes to the aid of an attempt that hangs.
      [total, retry(), hedge],
      // A retry that is switched off repeats nothing.
      [total, breaker, bulkhead, limiter, hedge, retry(attempts: 1)],
      // Limits outside a hedge count calls, as they may.
      [bulkhead, limiter, breaker, hedge, attempt],
      // Retries that nest because somebody asked for it.
      [retry("outer"), retry("inner", nests: true)],
      [retry("outer"), retry("inner", attempts: 1)],
      [retry("outer", attempts: 1), retry("inner")],
      // Timeouts that become shorter inwards.
      [total, timeout(.milliseconds(999), "call"), attempt],
      [layer(.other, "mine"), layer(.faultInjection, "faults"), retry(), layer(.other, "mine")],
    ])
  func none(layers: [PolicyLayer]) {
    #expect(PipelineMistake.mistakes(in: layers) == [])
  }

  @Test("PL-3: the branch that was taken is checked, the other is not", arguments: [false, true])
  func branches(isWrong: Bool) {
    let pipeline = Pipeline {
      if isWrong {
        Placeholder(.circuitBreaker, "outside")
      } else {
        Placeholder(.other, "outside")
      }
      Placeholder(.retry(maxAttempts: 3, nests: false), "retry")
      if isWrong { Placeholder(.retry(maxAttempts: 3, nests: false), "inner") }
    }
    let expected: [PipelineMistake.Kind] =
      isWrong ? [.circuitBreakerOutsideRetry, .retryInsideRetry] : []
    #expect(pipeline.validate().map(\.kind) == expected)
  }

  @Test("PL-3: a retry that makes one attempt where it stands is no reason for other mistakes")
  func retryWithoutEffect() {
    let layers = [Self.total, Self.retry("outer"), Self.breaker, Self.retry("inner"), Self.attempt]
    Self.expect(
      .retryInsideRetry, 1, 3, in: layers,
      #"retry "inner" is inside retry "outer": it makes one attempt. "#
        + "Leave one out, or allow nesting if attempts shall multiply.")
  }
}
