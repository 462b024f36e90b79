extension Throttle {
  /// What share of the calls to refuse: the decision core, which has no clock and no lock, and is
  /// handed its chance.
  struct Core: Sendable {
    /// The calls of one criticality.
    private struct Class: Sendable {
      var window: RollingTally<UInt64>

      /// What the window holds. Refused calls are in the place of the ignored ones, which are not
      /// counted here.
      var recent = Tally()

      var inFlight = 0
    }

    /// What happened in the throttle's whole life.
    private(set) var totals = Totals()

    private let multiplier: Double
    private let maxRejection: Double
    private var time: SteadyTime

    /// By rank: the least critical first.
    private var classes: [Class]

    private let length: Int64

    /// When the last answer came; or, if that is later, when the first of those in flight started.
    private var quietSince: Int64 = 0

    static let buckets = 10

    init(_ configuration: Configuration, at reading: Int64) {
      multiplier = configuration.multiplier
      maxRejection = configuration.maxRejection
      time = SteadyTime(beginningAt: reading)
      length = configuration.window.saturatingNanoseconds
      let window = RollingTally<UInt64>(
        start: 0, length: length, buckets: Self.buckets)
      classes = Criticality.allCases.map { _ in Class(window: window) }
    }

    /// Lets the next call pass or not.
    ///
    /// - Parameters:
    ///   - criticality: how much the call matters.
    ///   - chance: evenly distributed from 0 to below 1.
    ///   - reading: what the clock shows.
    /// - Returns: the share of such calls that is refused, if this one is; `nil` if it passes.
    mutating func admit(
      _ criticality: Criticality, chance: Double, at reading: Int64
    ) -> Double? {
      move(to: reading)
      let share = rejectionShare(of: criticality)
      guard chance < share else {
        if inFlight == 0 { quietSince = time.latest }
        classes[criticality.rank].inFlight += 1
        totals.admitted.increment()
        return nil
      }
      add(Tally(ignored: 1), to: criticality)
      totals.rejected.increment()
      return share
    }

    /// A call that had passed has ended.
    mutating func record(_ outcome: Outcome, of criticality: Criticality, at reading: Int64) {
      move(to: reading)
      classes[criticality.rank].inFlight -= 1
      if outcome != .ignored { quietSince = time.latest }
      switch outcome {
      case .success:
        add(Tally(successes: 1), to: criticality)
        totals.successes.increment()
      case .failure:
        add(Tally(failures: 1), to: criticality)
        totals.failures.increment()
      case .ignored: totals.ignored.increment()
      }
    }

    /// Forgets what has left the window.
    mutating func move(to reading: Int64) {
      let now = time.now(at: reading)
      for rank in classes.indices {
        classes[rank].recent.subtract(classes[rank].window.advance(to: now))
      }
    }

    private mutating func add(_ tally: Tally, to criticality: Criticality) {
      classes[criticality.rank].window.add(tally)
      classes[criticality.rank].recent.add(tally)
    }
  }
}

// MARK: - Shares

extension Throttle.Core {
  var inFlight: Int { classes.reduce(0) { $0 + $1.inFlight } }

  /// The calls that the dependency answered as it should.
  var accepts: Int { classes.reduce(0) { $0 + $1.recent.successes } }

  /// The calls that were asked for.
  var requests: Double {
    let weight = weightInFlight
    return classes.reduce(0) { $0 + requests($1, weight) }
  }

  /// The share of all calls that is refused.
  var rejectionShare: Double {
    let requests = requests
    guard requests > 0 else { return 0 }
    let refused = Criticality.allCases.reduce(0) { sum, criticality in
      sum + rejectionShare(of: criticality) * self.requests(of: criticality)
    }
    return refused / requests
  }

  /// The share of the calls of this criticality that is refused.
  ///
  /// What is to be refused is taken from the least critical calls first, as far as the limit goes
  /// for them; what is left then, from the next.
  func rejectionShare(of criticality: Criticality) -> Double {
    var left = rejections
    guard left > 0 else { return 0 }
    let weight = weightInFlight
    for less in classes[..<criticality.rank] {
      // Not `left - taken` where all is taken: rounding must leave nothing.
      let most = maxRejection * requests(less, weight)
      guard left > most else { return 0 }
      left -= most
    }
    // Infinite for calls that nobody has asked for lately.
    return min(maxRejection, left / requests(classes[criticality.rank], weight))
  }

  /// How many of the requests should have been refused: Beyer et al., "Site Reliability
  /// Engineering", chapter 21, equation 21-1, times the requests.
  private var rejections: Double {
    let requests = requests
    return requests * max(0, requests - multiplier * Double(accepts)) / (requests + 1)
  }

  private func requests(of criticality: Criticality) -> Double {
    requests(classes[criticality.rank], weightInFlight)
  }

  private func requests(_ calls: Class, _ weightInFlight: Double) -> Double {
    let recent = calls.recent
    return Double(recent.successes) + Double(recent.failures) + Double(recent.ignored)
      + weightInFlight * Double(calls.inFlight)
  }

  /// How much a call in flight counts: the share of the answers that were failures.
  ///
  /// Nobody knows yet how it will end. If none has failed lately it says nothing, or else a burst
  /// would be refused before its first answer could come; if all have, it is as good as failed, or
  /// else those that take long to fail would not be seen until they have. And if nothing at all has been
  /// answered for as long as the window, they hang.
  private var weightInFlight: Double {
    if inFlight > 0, time.latest.subtractingSaturated(quietSince) >= length { return 1 }
    let failures = classes.reduce(0.0) { $0 + Double($1.recent.failures) }
    guard failures > 0 else { return 0 }
    return failures / (failures + Double(accepts))
  }
}
