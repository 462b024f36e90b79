extension AdaptiveLimiter {
  /// How a limit is found.
  ///
  /// Begin with ``aimd(initial:maximum:backoff:cooldown:)`` where your program is one of several
  /// clients of a dependency. The other two feel a queue before anything fails, but need the
  /// dependency for themselves: what they measure without load is not without load if others keep
  /// it busy.
  ///
  /// No limit is ever below 1, and all grow only while at least half of them is in use.
  public struct Algorithm: Hashable, Sendable, CustomStringConvertible {
    enum Kind: Hashable, Sendable {
      case aimd(backoff: Double, cooldown: Duration)
      case vegas(Pace)
      case gradient(tolerance: Double, Pace)
    }

    /// How often latency is looked at.
    struct Pace: Hashable, Sendable {
      let window: Duration
      let probeInterval: Duration
    }

    let kind: Kind
    let initial: Int
    let maximum: Int

    /// Additive increase, multiplicative decrease: up by one for each round of successes, down by a
    /// factor where a call met overload. What TCP does; see Netflix' concurrency-limits.
    ///
    /// Comes to where timeouts begin: of a dependency that does `c` calls at a time, each in `s`,
    /// and a timeout `t`, to between 0.7 and 1 of `c` × `t`/`s`; to less where latencies vary much,
    /// about to 1/√(0.3 × the share of timeouts).
    ///
    /// - Parameters:
    ///   - initial: the limit at first; in 1...`maximum`, 4 by default. Think of all clients
    ///     together.
    ///   - maximum: no limit is above it; 1...1000000, 200 by default.
    ///   - backoff: what overload multiplies the limit by; above 0 and below 1, 0.7 by default.
    ///   - cooldown: how long after one decrease there is no other; zero or more, 100 ms by
    ///     default. As long as calls succeed, the next one also needs a call that began after the
    ///     last.
    public static func aimd(
      initial: Int = 4, maximum: Int = 200, backoff: Double = 0.7,
      cooldown: Duration = .milliseconds(100)
    ) -> Algorithm {
      Algorithm(
        kind: .aimd(backoff: backoff, cooldown: cooldown), initial: initial, maximum: maximum)
    }

    /// Keeps a few calls waiting at the dependency: between one and two roots of the limit. After
    /// TCP Vegas, and Netflix' concurrency-limits.
    ///
    /// By Little's law, of *n* calls in flight *n* × (1 − baseline/observed) wait, where the
    /// baseline is the latency without load. After each window the limit goes up by its root if
    /// fewer than its root wait, and down by it if more than twice as many do. Of a dependency that
    /// does `c` calls at a time it comes to about `c` + 1.5 × √limit, and not below 4 without
    /// overload.
    ///
    /// - Parameters:
    ///   - initial: the limit at first; in 1...`maximum`, 4 by default. The first baseline is
    ///     measured with it: choose one that the dependency bears.
    ///   - maximum: no limit is above it; 1...1000000, 200 by default.
    ///   - window: how long latencies are averaged at least; zero or more, 100 ms by default. A
    ///     window has at least 20 successes, and 4 for each call in flight.
    ///   - probeInterval: how long it is from one measurement of the baseline to the next, in which
    ///     the limit is a quarter for about 100 successes; above zero, 30 s by default. Longer
    ///     where calls are slow, so that it takes a twenty-fifth of the time at most; sooner when
    ///     the limit has come down to half, or the baseline has.
    public static func vegas(
      initial: Int = 4, maximum: Int = 200, window: Duration = .milliseconds(100),
      probeInterval: Duration = .seconds(30)
    ) -> Algorithm {
      Algorithm(
        kind: .vegas(Pace(window: window, probeInterval: probeInterval)), initial: initial,
        maximum: maximum)
    }

    /// Keeps latency near `tolerance` times what it is without load. After Envoy's adaptive
    /// concurrency filter, and Netflix' Gradient2.
    ///
    /// After each window the limit becomes limit × gradient + √limit, where the gradient is
    /// `tolerance` × baseline/observed, held in 0.5...1. Of a dependency that does `c` calls at a
    /// time it comes to about `tolerance` × `c` + √limit. The baseline is measured as for
    /// ``vegas(initial:maximum:window:probeInterval:)``.
    ///
    /// - Parameters:
    ///   - tolerance: how much longer than without load a call may take; 1...10, 1.25 by default.
    ///   - initial: the limit at first; in 1...`maximum`, 4 by default.
    ///   - maximum: no limit is above it; 1...1000000, 200 by default.
    ///   - window: how long latencies are averaged at least; zero or more, 100 ms by default.
    ///   - probeInterval: how long it is from one measurement of the baseline to the next; above
    ///     zero, 30 s by default.
    public static func gradient(
      tolerance: Double = 1.25, initial: Int = 4, maximum: Int = 200,
      window: Duration = .milliseconds(100), probeInterval: Duration = .seconds(30)
    ) -> Algorithm {
      Algorithm(
        kind: .gradient(
          tolerance: tolerance, Pace(window: window, probeInterval: probeInterval)),
        initial: initial, maximum: maximum)
    }

    /// The algorithm and its settings in words, for a log.
    public var description: String {
      let range = "from \(initial) up to \(maximum)"
      return switch kind {
      case .aimd(let backoff, let cooldown):
        "AIMD \(range), × \(backoff) at overload, once in \(cooldown)"
      case .vegas(let pace): "Vegas \(range), \(pace)"
      case .gradient(let tolerance, let pace):
        "gradient \(range), tolerance \(tolerance), \(pace)"
      }
    }
  }
}

extension AdaptiveLimiter.Algorithm.Pace: CustomStringConvertible {
  var description: String { "windows of \(window), probes every \(probeInterval)" }
}

// MARK: - Checking

extension AdaptiveLimiter.Algorithm {
  func validate(_ validation: inout Validation) {
    validation.require(
      maximum >= 1 && maximum <= 1_000_000, "maximum", is: maximum, allowed: "1...1000000")
    validation.require(
      initial >= 1 && initial <= maximum, "initial", is: initial,
      allowed: "at least 1, at most the maximum, \(maximum)")
    switch kind {
    case .aimd(let backoff, let cooldown):
      validation.require(
        backoff > 0 && backoff < 1, "backoff", is: backoff, allowed: "above 0, below 1")
      validation.require(
        cooldown >= .zero, "cooldown", is: cooldown, allowed: "zero or more")
    case .vegas(let pace): pace.validate(&validation)
    case .gradient(let tolerance, let pace):
      validation.require(
        tolerance >= 1 && tolerance <= 10, "tolerance", is: tolerance, allowed: "1...10")
      pace.validate(&validation)
    }
  }
}

extension AdaptiveLimiter.Algorithm.Pace {
  fileprivate func validate(_ validation: inout Validation) {
    validation.require(window >= .zero, "window", is: window, allowed: "zero or more")
    validation.require(
      probeInterval > .zero, "probeInterval", is: probeInterval, allowed: "above zero")
  }
}
