import Synchronization

/// How many extra attempts a caller may make: a share of what has succeeded lately.
///
/// Retries help when few calls fail, and prolong the outage when most do. So an extra attempt costs
/// a token, and only successes bring tokens:
///
/// - Capacity: max(`minimumCapacity`, `ratio` × successes in the last `window`). A budget starts
///   with `minimumCapacity` tokens.
/// - Each success deposits `ratio` of a token, up to the capacity.
/// - Each extra attempt takes a token, and gives it back if it succeeds. So retries that help are
///   free, and over any time
///   *failed extra attempts* ≤ `ratio` × *successes* + `minimumCapacity`.
/// - As successes leave the window the capacity shrinks, and the tokens with it.
///
/// A budget is an object with an identity: give one to all policies that call the same dependency,
/// and they share its tokens. A `Retry` without one makes its own. By itself it is used like this:
///
/// ```swift
/// do {
///   let page = try await fetch()
///   budget.succeed()
///   return page
/// } catch {
///   guard budget.withdraw() else { throw error }
///   let page = try await fetch()
///   budget.succeed()
///   budget.giveBack()
///   return page
/// }
/// ```
///
/// The ancestor is Finagle's `RetryBudget`, which is funded by calls and by time: ten tokens a
/// second by default, whatever happens. Such a floor is multiplied by the number of callers: with
/// two hundred of them a dependency that has just failed gets two thousand extra calls a second,
/// and does not recover. Here nothing comes from time, so recovery does not depend on how many
/// callers there are. That a success returns the token is taken from the retry quota of the AWS
/// SDKs.
///
/// Cost: a success is one atomic addition, without lock and clock. Everything else takes a lock,
/// reads the clock and, when there are new successes, touches at most the 20 slices of the window.
/// A token that is asked for finds the successes since the last time spread evenly over that time;
/// a slice of the window is forgotten at once, so the capacity knows between 19 and 20 twentieths
/// of it.
public final class RetryBudget: Sendable, CustomStringConvertible {
  /// The name, for snapshots.
  public let name: String

  private let configuration: Configuration
  private let source: TimeSource
  private let ledger: Lock<Ledger>

  /// Successes that the ledger does not know of yet. Relaxed: a count guards no other memory. It
  /// would take 292 years of a success each nanosecond to fill it.
  private let fresh = Atomic<Int>(0)

  /// A budget with settings given one by one.
  ///
  /// Settings that cannot work stop the program, in debug and release, with a message that names
  /// the parameter, the value and the allowed range.
  ///
  /// - Parameters:
  ///   - name: for snapshots.
  ///   - ratio: extra attempts per success; above 0, at most 1, 0.1 by default. Counted exactly:
  ///     0.1 means one in ten.
  ///   - window: how long a success adds to the capacity; at least 20 ns, 10 s by default.
  ///   - minimumCapacity: the tokens at the start, and the least capacity; at least 1, which is the
  ///     default. More helps callers that call seldom; many such callers prolong an outage.
  ///   - clock: what time is; `ContinuousClock` by default. A clock of your own is read under the
  ///     budget's lock: it must not call back into the budget. One that steps back is read as one
  ///     that stands still.
  public convenience init(
    _ name: String = "retry-budget", ratio: Double = 0.1, window: Duration = .seconds(10),
    minimumCapacity: Int = 1, clock: any Clock<Duration> = ContinuousClock()
  ) {
    let configuration = Configuration(
      ratio: ratio, window: window, minimumCapacity: minimumCapacity)
    self.init(name, configuration: configuration, clock: clock)
  }

  /// A budget with settings in one value.
  ///
  /// Settings that cannot work stop the program; check those that arrive at run time with
  /// ``Configuration/validate()`` before.
  ///
  /// - Parameters:
  ///   - name: for snapshots.
  ///   - configuration: the settings.
  ///   - clock: what time is; as in the other initializer.
  public init(
    _ name: String = "retry-budget", configuration: Configuration,
    clock: any Clock<Duration> = ContinuousClock()
  ) {
    do { try configuration.validate() } catch {
      stop(misconfigured: "RetryBudget \"\(name)\"", error)
    }
    self.name = name
    self.configuration = configuration
    source = TimeSource(clock)
    ledger = Lock(Ledger(configuration, at: source.now()))
  }

  /// The tokens at the start, and the least capacity.
  public var minimumCapacity: Int { configuration.minimumCapacity }

  /// The budget in words, for a log.
  public var description: String { "budget \"\(name)\" (\(configuration))" }

  /// Reports an attempt that succeeded, be it a first or an extra one.
  ///
  /// Costs one atomic addition; callers need not wait for each other.
  public func succeed() {
    fresh.wrappingAdd(1, ordering: .relaxed)
  }

  /// Takes a token for an extra attempt.
  ///
  /// - Returns: whether there was one. If not, the extra attempt must not be made.
  public func withdraw() -> Bool {
    settled { $0.withdraw() }
  }

  /// Gives back the token of an extra attempt that succeeded, that was never made, or that says
  /// nothing about the dependency, because it was cancelled, or refused before it got there.
  ///
  /// A success is reported with ``succeed()`` as well, and before. Tokens that nobody has taken are
  /// not accepted, and none above the capacity are kept.
  public func giveBack() {
    settled { $0.giveBack() }
  }

  /// The budget as the next attempt would find it.
  ///
  /// Passive: it changes nothing. Costs a lock, a clock read, and a copy of the window.
  public func snapshot() -> Snapshot {
    ledger.withLock { ledger in
      // The copy ends here, under the lock; one that outlived it would make the next withdrawal
      // copy the window.
      var ledger = ledger
      ledger.absorb(successes: fresh.load(ordering: .relaxed), at: source.now())
      return Snapshot(of: ledger, name: name)
    }
  }

  /// Whoever has the lock takes the fresh successes over, each of them once.
  private func settled<Result: Sendable>(_ body: (inout Ledger) -> Result) -> Result {
    ledger.withLock { ledger in
      ledger.absorb(successes: fresh.exchange(0, ordering: .relaxed), at: source.now())
      return body(&ledger)
    }
  }
}

// MARK: - Reading

extension RetryBudget {
  /// A retry budget at one moment.
  public struct Snapshot: Hashable, Sendable {
    /// The name of the budget.
    public let name: String

    /// The tokens there are. An extra attempt needs a whole one.
    public let tokens: Double

    /// The most tokens there can be now.
    public let capacity: Double

    /// The successes in the window.
    public let successes: Int

    /// Tokens taken in the budget's whole life.
    public let withdrawn: Int

    /// Tokens asked for in vain in the budget's whole life.
    public let refused: Int

    /// Tokens given back in the budget's whole life.
    public let givenBack: Int
  }
}

extension RetryBudget.Snapshot {
  fileprivate init(of ledger: RetryBudget.Ledger, name: String) {
    self.init(
      name: name, tokens: ledger.tokens, capacity: ledger.capacity, successes: ledger.successes,
      withdrawn: ledger.withdrawn, refused: ledger.refused, givenBack: ledger.givenBack)
  }
}

// MARK: - Settings

extension RetryBudget {
  /// The settings of a retry budget, as a value that can be built and validated at run time.
  public struct Configuration: Hashable, Sendable, CustomStringConvertible {
    /// Extra attempts per success; above 0, at most 1.
    public var ratio: Double

    /// How long a success adds to the capacity; at least 20 ns.
    public var window: Duration

    /// The tokens at the start, and the least capacity; at least 1.
    public var minimumCapacity: Int

    /// The recommended settings, unless told otherwise: a tenth of the successes in 10 s, and at
    /// least one.
    public init(
      ratio: Double = 0.1, window: Duration = .seconds(10), minimumCapacity: Int = 1
    ) {
      self.ratio = ratio
      self.window = window
      self.minimumCapacity = minimumCapacity
    }

    /// Checks settings that arrived at run time.
    ///
    /// - Throws: a ``ConfigurationError`` that lists everything that is wrong, with parameter,
    ///   value and range. A budget made from such settings stops the program with the same text.
    public func validate() throws(ConfigurationError) {
      var validation = Validation()
      validation.require(
        ratio > 0 && ratio <= 1, "ratio", is: ratio, allowed: "above 0, at most 1")
      validation.require(
        window >= .nanoseconds(Ledger.slices), "window", is: window,
        allowed: "at least a nanosecond a slice, \(Ledger.slices) ns")
      validation.require(
        minimumCapacity >= 1, "minimumCapacity", is: minimumCapacity, allowed: "1...")
      try validation.finish()
    }

    /// The settings in words, for a log.
    public var description: String {
      "\(ratio) of the successes in \(window), at least \(minimumCapacity)"
    }
  }
}
