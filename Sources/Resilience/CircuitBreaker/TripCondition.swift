extension CircuitBreaker {
  /// When a closed circuit opens.
  ///
  /// Asked after each call that failed or was slow, over the outcomes in the ``Window``; while calls
  /// hang, also when one arrives (``Configuration/hungAfter``). Rates divide by the calls that
  /// succeeded or failed, and a rate that equals its threshold trips.
  public struct TripCondition: Sendable, CustomStringConvertible {
    enum Clause: Sendable {
      case consecutiveFailures(Int, lasting: Duration)
      case failureRate(Double, minimumCalls: Int)
      case slowCallRate(Double, slowerThan: Duration, minimumCalls: Int)
      case predicate(@Sendable (Counts) -> Bool)
    }

    let clauses: [Clause]

    /// `count` failures in a row, without a success between them.
    ///
    /// - Parameters:
    ///   - count: at least 1.
    ///   - lasting: how much time must lie between the start of the first of them and the end of
    ///     the last; zero by default. With it, detection takes the same time for busy and for
    ///     quiet callers, and a dependency that only hiccups does not trip. Costs a clock read a
    ///     call.
    public static func consecutiveFailures(_ count: Int, lasting: Duration = .zero) -> Self {
      Self(clauses: [.consecutiveFailures(count, lasting: lasting)])
    }

    /// A share of failures.
    ///
    /// - Parameters:
    ///   - rate: above 0, at most 1. Compared exactly: 0.1 means one in ten.
    ///   - minimumCalls: how many calls must have succeeded or failed before the rate means
    ///     anything; 20 by default. Under ``Window/calls(_:)`` at most the size of the window.
    public static func failureRate(_ rate: Double, minimumCalls: Int = 20) -> Self {
      Self(clauses: [.failureRate(rate, minimumCalls: minimumCalls)])
    }

    /// A share of calls that took too long, whether they succeeded or failed.
    ///
    /// - Parameters:
    ///   - rate: above 0, at most 1. Compared exactly.
    ///   - slowerThan: a call is slow if it took strictly longer. Costs a clock read a call.
    ///   - minimumCalls: how many calls must have succeeded or failed before the rate means
    ///     anything; 20 by default. Under ``Window/calls(_:)`` at most the size of the window.
    public static func slowCallRate(
      _ rate: Double, slowerThan: Duration, minimumCalls: Int = 20
    ) -> Self {
      Self(clauses: [.slowCallRate(rate, slowerThan: slowerThan, minimumCalls: minimumCalls)])
    }

    /// Any of several conditions; they are asked in their order, predicates last.
    public static func any(_ conditions: TripCondition...) -> Self {
      Self(clauses: conditions.flatMap(\.clauses))
    }

    /// A predicate of your own over a copy of the counts.
    ///
    /// It runs outside any lock, on the task whose call failed, or whose call arrives while others
    /// hang, and may call back into the breaker. Keep it short.
    public static func when(_ predicate: @escaping @Sendable (Counts) -> Bool) -> Self {
      Self(clauses: [.predicate(predicate)])
    }

    /// The condition in words, for a log.
    public var description: String {
      clauses.map { clause in
        switch clause {
        case .consecutiveFailures(let count, let lasting):
          lasting == .zero
            ? "\(count) failures in a row" : "\(count) failures in a row lasting \(lasting)"
        case .failureRate(let rate, let minimum):
          "failure rate \(rate) of at least \(minimum) calls"
        case .slowCallRate(let rate, let threshold, let minimum):
          "rate of calls slower than \(threshold) \(rate) of at least \(minimum) calls"
        case .predicate: "a predicate"
        }
      }.joined(separator: " or ")
    }
  }

  /// Which outcomes a closed circuit decides by.
  public struct Window: Hashable, Sendable, CustomStringConvertible {
    enum Kind: Hashable, Sendable {
      case sinceTransition
      case interval(Duration)
      case rolling(Duration, buckets: Int)
      case calls(Int)
    }

    let kind: Kind

    /// All outcomes since the last change of state. Needs no clock.
    ///
    /// For conditions on streaks. A rate over it averages over days, and no longer trips.
    public static let sinceTransition = Window(kind: .sinceTransition)

    /// The outcomes of the present interval. At the first call or result at or after its end
    /// everything is cleared, streaks as well, and the next interval starts at that instant.
    ///
    /// > Important: A streak must fit in one interval. Five failures in a row over ten seconds
    /// > are never reached by a caller that fails every three seconds; use
    /// > ``rolling(_:buckets:)`` for it.
    public static func interval(_ length: Duration) -> Window {
      Window(kind: .interval(length))
    }

    /// The outcomes of the last `length`, forgotten bucket by bucket: between `buckets` − 1 and
    /// `buckets` buckets of history. Streaks do not depend on it.
    ///
    /// - Parameters:
    ///   - length: at least a nanosecond a bucket.
    ///   - buckets: 10 by default, 2 at least, 100 000 at most. Memory: 8 bytes each if buckets
    ///     are no longer than 4 s, else 16; twice that once a call is slow or ignored.
    public static func rolling(_ length: Duration, buckets: Int = 10) -> Window {
      Window(kind: .rolling(length, buckets: buckets))
    }

    /// The last `count` calls that succeeded or failed, however long ago they were. Streaks do
    /// not depend on it. Two bits of memory a call; recording takes a lock.
    ///
    /// - Parameter count: 1 to 1 000 000.
    public static func calls(_ count: Int) -> Window {
      Window(kind: .calls(count))
    }

    /// The window in words, for a log.
    public var description: String {
      switch kind {
      case .sinceTransition: "since the last transition"
      case .interval(let length): "intervals of \(length)"
      case .rolling(let length, let buckets): "the last \(length) in \(buckets) buckets"
      case .calls(let count): "the last \(count) calls"
      }
    }
  }
}
